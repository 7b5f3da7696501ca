import { noAttrs } from "../../ir/attrs.js";
import type { Aval } from "../../ir/aval.js";
import type { Graph, GraphBuilder, Value } from "../../ir/graph.js";
import { inlineGraph } from "../../ir/inline.js";
import type { AnyOp } from "../../ir/op.js";
import { constantOp } from "../create/constant.js";
import { dynamicSliceOp, dynamicUpdateSliceOp } from "../index/dynamic.js";
import { concatOp } from "../shape/concat.js";
import { reshapeOp } from "../shape/reshape.js";

export const int32: Aval = { dtype: "int32", shape: [] };

/** Ops on the values of one region, and stacks: tensors whose rows are values of other trips. */
export class Region {
  private readonly builder: GraphBuilder;
  constructor(builder: GraphBuilder) {
    this.builder = builder;
  }
  apply(
    op: AnyOp,
    ins: readonly Value[],
    attrs: Parameters<GraphBuilder["apply"]>[2] = noAttrs,
    regions: readonly Graph[] = [],
  ): Value {
    return this.builder.apply(op, ins, attrs, regions)[0]!;
  }
  int(value: number): Value {
    return this.apply(constantOp, [], { dtype: "int32", shape: [], data: Int32Array.of(value) });
  }
  inline(graph: Graph, args: readonly Value[]): Value[] {
    return inlineGraph<Value>(graph, args, (op, ins, attrs, regions) => this.builder.apply(op, ins, attrs, regions));
  }
  loop(
    carry: readonly Value[],
    constants: readonly Value[],
    condition: Graph,
    body: Graph,
    op: AnyOp,
  ): readonly Value[] {
    const attrs = { carried: carry.length, maximumIterations: 0 };
    return this.builder.apply(op, [...carry, ...constants], attrs, [condition, body]);
  }
  /** The start of row `i` of a stack of values of this rank. */
  private row(i: Value, rank: number): Value {
    const one = this.apply(reshapeOp, [i], { shape: [1] });
    if (rank === 0) return one;
    const zeros = this.apply(constantOp, [], { dtype: "int32", shape: [rank], data: new Int32Array(rank) });
    return this.apply(concatOp, [one, zeros], { axis: 0 });
  }
  push(stack: Value, x: Value, i: Value): Value {
    const row = this.apply(reshapeOp, [x], { shape: [1, ...x.aval.shape] });
    return this.apply(dynamicUpdateSliceOp, [stack, row, this.row(i, x.aval.shape.length)]);
  }
  pop(stack: Value, i: Value): Value {
    const shape = stack.aval.shape.slice(1);
    const row = this.apply(dynamicSliceOp, [stack, this.row(i, shape.length)], { sizes: [1, ...shape] });
    return this.apply(reshapeOp, [row], { shape });
  }
}
