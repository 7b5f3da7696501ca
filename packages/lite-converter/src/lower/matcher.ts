// What rules ask of a graph: what is known, who reads a value, and what operands operators can take.
import {
  broadcastInDimOp,
  type Dim,
  dimKey,
  type HostArray,
  type Node,
  type OpName,
  remember,
  type Value,
} from "@millrace/core/graph";
import type { Prepared } from "./prepare.js";
import { sizesOperand } from "./sizes.js";
import { constant, type Operand, plainStep, type Step, step, temporary, withActivation } from "./steps.js";

/** The steps that make a node's results; a text says why there are none; undefined leaves it to the next rule. */
export type Match = readonly Step[] | string | undefined;
/** A way to lower a node, given the value that it makes. */
export type Rule = (m: Matcher, node: Node, output: Value) => Match;
export type RuleTable = Readonly<Record<string, readonly Rule[]>>;
/** Rules by the op of core that they lower. */
export type Rules = Readonly<Partial<Record<OpName, readonly Rule[]>>>;

export class Matcher {
  readonly prepared: Prepared;
  private readonly rules: RuleTable;
  private readonly readers = new Map<Value, Set<Node>>();
  private readonly results: ReadonlySet<Value>;
  private readonly outputs = new Map<Node, Value[]>();
  private readonly made = new Map<Node, readonly Step[] | string>();
  private readonly derivations = new WeakMap<HostArray, Map<string, HostArray>>();

  constructor(prepared: Prepared, rules: RuleTable) {
    this.prepared = prepared;
    this.rules = rules;
    this.results = new Set(prepared.outputs.map((o) => o.value));
    for (const node of liveNodes(prepared)) {
      for (const value of node.inputs) {
        remember(this.readers, value, () => new Set<Node>()).add(node);
      }
    }
    for (const value of new Set([...this.readers.keys(), ...this.results])) {
      if (value.node) this.outputs.set(value.node, [...(this.outputs.get(value.node) ?? []), value]);
    }
  }

  /** The nodes that read a value. */
  readersOf(value: Value): ReadonlySet<Node> {
    return this.readers.get(value) ?? new Set();
  }

  /** Whether nothing but one node reads a value, so that it may vanish into that node's operator. */
  isPrivate(value: Value): boolean {
    return this.readersOf(value).size === 1 && !this.results.has(value);
  }

  /** The content of a weight or constant. */
  contentOf(value: Value): HostArray | undefined {
    return this.prepared.known.get(value);
  }

  /** The content of a constant behind a broadcast, which operators do by themselves; undefined where it is none. */
  stretchedContent(value: Value): HostArray | undefined {
    return this.contentOf(value.node?.op === broadcastInDimOp ? value.node.inputs[0]! : value);
  }

  /** The one number that all elements of a value are, if it is known. */
  scalarOf(value: Value): number | undefined {
    const content = this.stretchedContent(value);
    return content?.data.length === 1 ? Number(content.data[0]) : undefined;
  }

  /** How `node` is lowered by the first rule that fits. */
  match(node: Node): readonly Step[] | string {
    return remember(this.made, node, () => this.matchAnew(node));
  }

  private matchAnew(node: Node): readonly Step[] | string {
    const reasons: string[] = [];
    const output = this.outputOf(node);
    for (const rule of output ? (this.rules[node.op.name] ?? []) : []) {
      const match = rule(this, node, output!);
      if (typeof match === "string") reasons.push(match);
      else if (match) return match.map((s) => (s.from ? s : { ...s, from: node }));
    }
    return reasons[0] ?? "TFLite has no operator for it";
  }

  /** The value that is a node's first output; undefined where nothing reads it. */
  outputOf(node: Node): Value | undefined {
    return this.outputsOf(node).find((value) => value.index === 0);
  }

  /** The outputs of a node that anything reads, or that are results. */
  outputsOf(node: Node): readonly Value[] {
    return this.outputs.get(node) ?? [];
  }

  /** The operator steps of a value that only one node reads; undefined where it has none of its own. */
  privateSteps(value: Value): readonly Step[] | undefined {
    if (!value.node || !this.isPrivate(value)) return undefined;
    const match = this.match(value.node);
    return typeof match === "string" ? undefined : match;
  }

  /** `x` through an activation: as a part of the operator that makes it where that can be, else by an operator of its own. */
  activated(x: Value, activation: "RELU" | "RELU6" | "RELU_N1_TO_1", output: Value): readonly Step[] {
    const inner = this.privateSteps(x);
    const fused = inner && withActivation(inner, activation, output);
    return fused ?? [plainStep(activation, [this.operand(x)], output)];
  }

  /** A value as an operand: a constant where it is known. */
  operand(value: Value): Operand {
    const content = this.contentOf(value);
    return content ? constant(content, this.nameOf(content)) : value;
  }

  nameOf(content: HostArray): string {
    return this.prepared.names.get(content) ?? "constant";
  }

  /** What is made of a constant, once for all who ask for the same. */
  derive(content: HostArray, key: string, make: (content: HostArray) => HostArray): HostArray {
    const known = this.derivations.get(content) ?? new Map<string, HostArray>();
    this.derivations.set(content, known);
    let made = known.get(key);
    if (!made) {
      made = make(content);
      known.set(key, made);
      this.prepared.names.set(made, this.nameOf(content));
    }
    return made;
  }

  /**
   * Operands of an operator that broadcasts them to `shape`: broadcasts in the graph are left to it, as far as what is left
   * still gives that shape.
   */
  broadcastOperands(values: readonly Value[], shape: readonly Dim[]): Operand[] {
    const bare = values.map((v) => (v.node?.op === broadcastInDimOp ? v.node.inputs[0]! : v));
    const has = ({ aval }: Value, axis: number): boolean => {
      const own = axis - shape.length + aval.shape.length;
      return own >= 0 && dimKey(aval.shape[own]!) === dimKey(shape[axis]!);
    };
    const whole = shape.every((_, axis) => bare.some((v) => has(v, axis)));
    return (whole ? bare : values).map((v) => this.operand(v));
  }

  /** Steps that put `operand` into a shape, and the operand that they make. */
  reshaped(operand: Operand, dtype: HostArray["dtype"], shape: readonly Dim[], into?: Value): Reshaped {
    const result = into ?? temporary(dtype, shape);
    const { steps, operand: sizes } = sizesOperand(this, shape, true);
    return { steps: [...steps, plainStep("RESHAPE", [operand, sizes], result)], operand: result };
  }

  /** Steps that permute axes, and the operand that they make. */
  transposed(operand: Operand, dtype: HostArray["dtype"], from: readonly Dim[], perm: readonly number[]): Reshaped {
    if (perm.every((p, i) => p === i)) return { steps: [], operand };
    const result = temporary(
      dtype,
      perm.map((p) => from[p]!),
    );
    const order = constant({ dtype: "int32", shape: [perm.length], data: Int32Array.from(perm) }, "perm");
    return { steps: [step("TRANSPOSE", [operand, order], result, "TransposeOptions", {})], operand: result };
  }
}

/** An operand and the steps that make it. */
export interface Reshaped {
  readonly steps: readonly Step[];
  readonly operand: Operand;
}

/** The nodes that results need, in their order. */
export function liveNodes(prepared: Prepared): readonly Node[] {
  const live = new Set<Node>();
  for (const { value } of prepared.outputs) if (value.node) live.add(value.node);
  const { nodes } = prepared.graph;
  for (let i = nodes.length - 1; i >= 0; i--) {
    const node = nodes[i]!;
    if (node.effect) live.add(node);
    if (!live.has(node)) continue;
    for (const { node: maker } of node.inputs) if (maker) live.add(maker);
  }
  return nodes.filter((node) => live.has(node));
}
