// Steps as operators and tensors of a file.
import {
  type Aval,
  boundsOf,
  type Dim,
  evaluateDim,
  type HostArray,
  symbolsOf,
  type Value,
} from "@millrace/core/graph";
import type { LiteGraph, LiteOperator, LiteTensor } from "../file/model.js";
import { versionOf } from "../file/versions.js";
import { dtypeToTensorType } from "../schema/dtypes.js";
import { contentBytes, type Prepared } from "./prepare.js";
import type { PlacedStep } from "./select.js";
import { isConstant, isTemporary, type Operand, type QuantizedArray } from "./steps.js";

/** A graph of a file, with the places of a signature's tensors. */
export interface Emitted {
  readonly graph: LiteGraph;
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
}

/** Operands of so few elements are one tensor where they are equal, whoever made them. */
const smallest = 16;

export function emit(prepared: Prepared, steps: readonly PlacedStep[]): Emitted {
  const tensors = new Tensors(prepared);
  const inputs = prepared.inputs.map(({ value, name }) => tensors.computed(value, value.aval, name));
  prepared.outputs.forEach(({ value, name }) => {
    if (value.node) tensors.nameLater(value, name);
  });
  const operators = steps.map((s): LiteOperator => {
    const name = nameOf(s);
    const ins = s.inputs.map((x) => tensors.place(x, name));
    const outs = s.outputs.map((x) => tensors.place(x, name));
    const all = tensors.list;
    const use = {
      inputs: ins.map((i) => (i < 0 ? null : all[i]!)),
      outputs: outs.map((i) => all[i]!),
      options: s.options,
    };
    return {
      operator: s.operator,
      version: versionOf(s.operator, use),
      inputs: ins,
      outputs: outs,
      options: s.options,
    };
  });
  const outputs = prepared.outputs.map(({ value }) => tensors.place(value, "output"));
  return { graph: { name: prepared.name, tensors: tensors.list, inputs, outputs, operators }, inputs, outputs };
}

function nameOf({ layer, operator }: PlacedStep): string {
  const op = operator.toLowerCase();
  return layer === "" ? op : `${layer}/${op}`;
}

class Tensors {
  readonly list: LiteTensor[] = [];
  private readonly places = new Map<unknown, number>();
  /** The names given, each with the last number that made another one of it. */
  private readonly taken = new Map<string, number>();
  private readonly names = new Map<unknown, string>();
  private readonly prepared: Prepared;

  constructor(prepared: Prepared) {
    this.prepared = prepared;
  }

  nameLater(value: Value, name: string): void {
    if (!this.names.has(value)) this.names.set(value, name);
  }

  place(operand: Operand, name: string): number {
    if (operand === null) return -1;
    if (isConstant(operand)) return this.constant(operand.content, operand.name);
    if (isTemporary(operand)) return this.computed(operand, operand, name, operand.quantized);
    const content = this.prepared.known.get(operand);
    if (content) return this.constant(content, this.prepared.names.get(content) ?? "constant");
    return this.computed(operand, operand.aval, this.names.get(operand) ?? name);
  }

  computed(
    key: unknown,
    { dtype, shape }: Aval,
    name: string,
    quantized?: Pick<LiteTensor, "type" | "quantization">,
  ): number {
    return this.add(key, () => ({
      name: this.unique(name),
      type: quantized?.type ?? dtypeToTensorType[dtype],
      shape: shape.map(leastSize),
      shapeSignature: shape.every((d) => typeof d === "number")
        ? null
        : shape.map((d) => (typeof d === "number" ? d : -1)),
      data: null,
      quantization: quantized?.quantization ?? null,
    }));
  }

  private constant(content: HostArray | QuantizedArray, name: string): number {
    const isQuantized = "quantization" in content;
    const type = isQuantized ? content.type : dtypeToTensorType[content.dtype];
    const isSmall = !isQuantized && content.data.length <= smallest;
    const key = isSmall
      ? `${type}[${content.shape}]${Array.from<number | bigint, unknown>(content.data, (x) => (Object.is(x, -0) ? "-0" : x))}`
      : content;
    return this.add(key, () => ({
      name: this.unique(name),
      type,
      shape: content.shape,
      shapeSignature: null,
      data: isQuantized ? content.data : contentBytes(content),
      quantization: isQuantized ? content.quantization : null,
    }));
  }

  private add(key: unknown, make: () => LiteTensor): number {
    const known = this.places.get(key);
    if (known !== undefined) return known;
    this.list.push(make());
    this.places.set(key, this.list.length - 1);
    return this.list.length - 1;
  }

  private unique(name: string): string {
    let n = this.taken.get(name) ?? 0;
    let free = name;
    while (this.taken.has(free)) free = `${name}_${++n}`;
    this.taken.set(name, n);
    if (free !== name) this.taken.set(free, 0);
    return free;
  }
}

/** A size that is not known yet is what it is for sizes of 1, as far as that is a size. */
function leastSize(d: Dim): number {
  if (typeof d === "number") return d;
  const ones = new Map([...symbolsOf(d)].map((name) => [name, 1]));
  return Math.max(1, evaluateDim(d, ones), boundsOf(d)[0]);
}
