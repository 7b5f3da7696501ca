import { avalOf } from "../ir/apply.js";
import { noAttrs } from "../ir/attrs.js";
import { formatShape, sameShape } from "../ir/aval.js";
import { addOp, subOp } from "../ops/binary/arithmetic.js";
import { binary, broadcastShapes, isTensor, stretchTo, toTensor } from "../ops/public.js";
import { identityOp } from "../ops/shape/identity.js";
import type { Trace } from "../trace/trace.js";
import type { DType } from "../types/dtype.js";
import { MillraceError } from "../types/errors.js";
import type { Like } from "../types/operands.js";
import { withDefaults } from "../types/options.js";
import { formatSite } from "../types/site.js";
import type { Tensor, Variable } from "../types/tensor.js";
import type { Buf } from "./backend.js";
import { engine } from "./engine.js";
import { valueNow } from "./initial-values.js";
import { inVariable, origins } from "./origins.js";
import { TensorImpl, TracerTensor } from "./tensor.js";

let nextName = 0;

/** How a variable is made. */
export interface VariableOptions {
  /** Whether gradients and optimizers see it; true unless said. */
  readonly trainable?: boolean;
  readonly name?: string;
  readonly dtype?: DType;
}

/** The class behind `Variable`: a tensor whose buffer changes. */
export class VariableImpl extends TensorImpl {
  readonly trainable: boolean;
  readonly name: string;
  private current: TensorImpl | null = null;

  constructor(initial: TensorImpl, options: { readonly trainable: boolean; readonly name: string | undefined }) {
    const value = copyOf(initial);
    super(value.type, value.buf, value.page);
    origins.mark(this.type, this.buf, inVariable);
    this.trainable = options.trainable;
    this.name = options.name ?? `variable_${nextName++}`;
  }

  /** The value now, as a tensor that stays; the same object until the next assignment. */
  snapshot(): TensorImpl {
    if (!this.current || this.current.isDisposed) {
      const { scope } = engine;
      engine.scope = null; // the snapshot belongs to the variable, not to a tidy around its reader
      this.current = engine.unrecorded(() => copyOf(this));
      engine.scope = scope;
    }
    return this.current;
  }

  read(): Tensor {
    // boundary: installMethods has put the op methods on the prototype
    if (engine.trace) return engine.inTrace(engine.trace, this) as TracerTensor & Tensor;
    return engine.clone(this.snapshot());
  }

  assign(value: Like): this {
    const x = this.operand(value);
    this.live("assign");
    this.needSame(x);
    if (engine.trace) {
      const tracer = engine.inTrace(engine.trace, x as Tensor & TensorImpl);
      engine.trace.assign(this, tracer.value);
      return this;
    }
    const copy = engine.unrecorded(() => copyOf(x as Tensor & TensorImpl));
    origins.mark(this.type, copy.buf, inVariable);
    this.replace(copy.buf, copy.page);
    return this;
  }

  assignAdd(value: Like): this {
    return this.step(addOp, "assignAdd", value);
  }
  assignSub(value: Like): this {
    return this.step(subOp, "assignSub", value);
  }

  /** A plain value goes where the variable is. */
  private operand(value: Like): Tensor {
    return isTensor(value) ? value : engine.toTensor(value, this.dtype, undefined, this);
  }

  private step(op: typeof addOp | typeof subOp, name: string, value: Like): this {
    const x = this.operand(value);
    if (x.dtype !== this.dtype)
      throw new MillraceError("E_DTYPE", `${name}: ${this.name} is ${this.dtype}, got ${x.dtype}`);
    const { shape } = this.type;
    const together = broadcastShapes(avalOf(x).shape, shape);
    if (!together || sameShape(together, shape) === false) {
      const got = formatShape(avalOf(x).shape);
      throw new MillraceError(
        "E_SHAPE",
        `${name}: ${this.name} has shape ${formatShape(shape)}, to which ${got} does not stretch`,
      );
    }
    const wide = stretchTo(x, shape);
    // boundary: installMethods has put the op methods on the prototype
    const next = binary(op, this as TensorImpl as TensorImpl & Tensor, wide);
    this.assign(next);
    if (!engine.trace && !engine.recording) next.dispose();
    return this;
  }

  private needSame(x: Tensor): void {
    // boundary: every tensor is a TensorImpl
    const { aval, device } = x as Tensor & TensorImpl;
    const isFree = x instanceof TracerTensor && x.isFree;
    if (device !== this.device && !isFree)
      throw new MillraceError(
        "E_DEVICE",
        `assign: ${this.name} is on ${this.device}, got ${device}; pass x.to("${this.device}")`,
      );
    if (aval.dtype !== this.dtype)
      throw new MillraceError("E_DTYPE", `assign: ${this.name} is ${this.dtype}, got ${aval.dtype}`);
    if (sameShape(this.type.shape, aval.shape) !== true) {
      throw new MillraceError(
        "E_SHAPE",
        `assign: ${this.name} has shape ${formatShape(this.type.shape)}, got ${formatShape(aval.shape)}`,
      );
    }
  }

  /** Puts a new buffer in place of the old one, which is freed. */
  replace(buf: Buf, page: object | null): void {
    this.type.device.backend.free(this.buf);
    this.forget();
    this.buf = buf;
    this.page = page;
  }

  /** Drops the snapshot: the value is about to change or to go. */
  forget(): void {
    if (this.current && !engine.recording) engine.dispose(this.current);
    this.current = null;
  }

  override toString(): string {
    return `Variable ${this.name} ${this.type.dtype}${formatShape(this.type.shape)} on ${this.device}`;
  }
}

/** Another handle on a tensor's memory, belonging to no scope. */
function copyOf(x: TensorImpl): TensorImpl {
  const { scope } = engine;
  engine.scope = null;
  try {
    // boundary: installMethods has put the op methods on the prototype
    return engine.apply1(identityOp, x as TensorImpl & Tensor, noAttrs);
  } finally {
    engine.scope = scope;
  }
}

/** Makes a variable. */
export function makeVariable(initial: Like, given: VariableOptions): Variable {
  const options = withDefaults("variable", given, { trainable: true, name: undefined, dtype: undefined });
  const { trace } = engine;
  if (trace) {
    needFirstTrace(trace);
    // It outlives the trace, which only reads and assigns it.
    return engine.outside(() => makeVariable(isTensor(initial) ? valueNow(initial) : initial, given));
  }
  const value = toTensor(initial, options.dtype);
  if (options.dtype && value.dtype !== options.dtype) {
    throw new MillraceError(
      "E_DTYPE",
      `tf.variable: the initial value is ${value.dtype}, not ${options.dtype}; cast it first`,
    );
  }
  // boundary: installMethods has put the op methods on the prototype
  const variable = new VariableImpl(value as Tensor & TensorImpl, options) as unknown as Variable;
  if (value !== initial) value.dispose();
  return variable;
}

/** A function may make variables the first time it is traced: another time it would make others. */
function needFirstTrace(trace: Trace): void {
  let root = trace;
  while (root.parent) root = root.parent;
  const { making } = root;
  if (making?.before === null) return;
  const before = making
    ? `, which was traced before, at ${making.before ? formatSite(making.before) : "another call"}`
    : "";
  throw new MillraceError(
    "E_VARIABLE",
    `tf.variable: a variable would be made at each trace of this function${before}; make it outside, or only once: v ??= tf.variable(…)`,
  );
}
