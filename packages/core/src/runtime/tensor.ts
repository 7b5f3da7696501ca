/// <reference lib="esnext.disposable" preserve="true" />
import type { Aval } from "../ir/aval.js";
import { formatShape } from "../ir/aval.js";
import type { Value } from "../ir/graph.js";
import { viewAs } from "../ir/host.js";
import type { Trace } from "../trace/trace.js";
import type { DType, TypedArray } from "../types/dtype.js";
import { MillraceError } from "../types/errors.js";
import { withDefaults } from "../types/options.js";
import { throwIfAborted, untilAborted } from "../types/signal.js";
import { formatSite } from "../types/site.js";
import type { AwaitOptions, Tensor } from "../types/tensor.js";
import type { Buf } from "./backend.js";
import { engine } from "./engine.js";
import { nest, previewOf } from "./host-values.js";
import type { IndexedSlicesImpl } from "./indexed-slices.js";
import { log } from "./logger.js";
import type { TensorType } from "./tensor-type.js";
import type { VariableImpl } from "./variable.js";

let nextId = 0;

/** What console.log asks an object for, in Node. */
export const inspect: unique symbol = Symbol.for("nodejs.util.inspect.custom");

/** The class behind `Tensor`. It has no op methods: `installMethods` adds them to its prototype. */
export class TensorImpl {
  /** Changes only when the tensor is disposed of, to a type that no cache knows. */
  type: TensorType;
  buf: Buf;
  /** Keeps the page of this buffer alive; see Reclaimer. */
  page: object | null;
  readonly id: number;

  constructor(type: TensorType, buf: Buf, page: object | null) {
    this.type = type;
    this.buf = buf;
    this.page = page;
    this.id = nextId++;
  }

  get aval(): Aval {
    return this.type;
  }
  get dtype(): DType {
    return this.type.dtype;
  }
  get shape(): readonly number[] {
    // boundary: users see numbers; while tracing a size may be a SymDim, which refuses arithmetic
    return this.type.shape as readonly number[];
  }
  get rank(): number {
    return this.type.shape.length;
  }
  get size(): number {
    return this.type.size;
  }
  get device(): string {
    return this.type.device.name;
  }
  get isDisposed(): boolean {
    return this.buf < 0;
  }

  async data(options?: AwaitOptions): Promise<TypedArray> {
    return this.elements("data", options);
  }
  dataSync(): TypedArray {
    return this.elementsNow("dataSync", "data");
  }
  async array(options?: AwaitOptions): Promise<unknown> {
    const { dtype, shape } = this;
    return nest(await this.elements("array", options), dtype, shape);
  }
  arraySync(): unknown {
    return nest(this.elementsNow("arraySync", "array"), this.type.dtype, this.shape);
  }
  async item(options?: AwaitOptions): Promise<unknown> {
    const { dtype } = this;
    return nest(await this.elements("item", options, true), dtype, []);
  }
  itemSync(): unknown {
    return nest(this.elementsNow("itemSync", "item", true), this.type.dtype, []);
  }

  private async elements(what: string, options: AwaitOptions | undefined, one = false): Promise<TypedArray> {
    const { dtype, device } = this.type;
    const signal = options && withDefaults(what, options, { signal: null }).signal;
    throwIfAborted(signal);
    const reading = device.backend.read(this.readable(what, one), signal);
    return viewAs(dtype, await untilAborted(reading, signal, () => {}));
  }
  private elementsNow(what: string, awaited: string, one = false): TypedArray {
    const buf = this.readable(what, one);
    const { dtype, device } = this.type;
    const { backend } = device;
    if (backend.readSync) return viewAs(dtype, backend.readSync(buf));
    throw new MillraceError(
      "E_SYNC_READ",
      `${what}: the ${backend.name} backend cannot read at once, use await ${awaited}()`,
    );
  }
  private readable(what: string, one: boolean): Buf {
    const buf = this.live(what);
    if (!one || this.size === 1) return buf;
    throw new MillraceError("E_SHAPE", `${what}: needs exactly one element, got shape ${formatShape(this.type.shape)}`);
  }

  print(): void {
    log().info(`${this.toString()}\n${previewOf(this.dataSync(), this.type.dtype, this.shape)}`);
  }
  clone(): Tensor {
    return engine.clone(this);
  }
  to(device: string): Tensor {
    return engine.toDevice(this, device);
  }
  dispose(): void {
    engine.dispose(this);
  }
  [Symbol.dispose](): void {
    this.dispose();
  }
  toString(): string {
    return `Tensor ${this.type.dtype}${formatShape(this.type.shape)} on ${this.device}${this.isDisposed ? " (disposed)" : ""}`;
  }
  toJSON(): { readonly dtype: DType; readonly shape: readonly (number | string)[]; readonly device: string } {
    const shape = this.type.shape.map((d) => (typeof d === "number" ? d : d.key));
    return { dtype: this.type.dtype, shape, device: this.device };
  }
  [Symbol.toPrimitive](hint: string): string {
    if (hint === "string") return this.toString();
    throw new MillraceError(
      "E_ARGUMENT",
      "a tensor is no number: use tf.add and its like to compute, await item() to read",
    );
  }

  /** The buffer to read from. */
  live(what: string): Buf {
    if (this.isDisposed) throw new MillraceError("E_DISPOSED", `${what}: the ${this.toString()} was disposed of`);
    return this.buf;
  }
}

/** Elements that are copied in about a millisecond. */
const cheapToRead = 1_000_000;

/** console.log: values too, where they are at hand. */
Object.defineProperty(TensorImpl.prototype, inspect, {
  value(this: TensorImpl): string {
    const readable = !this.isDisposed && this.type.device.backend.readSync !== undefined && this.size <= cheapToRead;
    return readable && !(this instanceof TracerTensor)
      ? `${this.toString()}\n${previewOf(this.dataSync(), this.type.dtype, this.shape)}`
      : this.toString();
  },
});

/** A tensor of a function that is being traced: a value of its graph instead of data. */
export class TracerTensor extends TensorImpl {
  readonly trace: Trace;
  readonly value: Value;
  /** Whether it depends on constants alone, and so is made wherever it is read. */
  readonly isFree: boolean;
  constructor(type: TensorType, trace: Trace, value: Value, isFree: boolean) {
    super(type, 0, null);
    this.trace = trace;
    this.value = value;
    this.isFree = isFree;
  }
  override live(what: string): Buf {
    const made = this.value.node?.sites[0] ?? this.trace.site;
    const where = made ? ` (made at ${formatSite(made)})` : "";
    throw this.trace.open
      ? new MillraceError(
          "E_SYNC_READ",
          `${what}: this tensor${where} has no value yet, its function is being traced; return it and read the result, or use tf.print`,
        )
      : new MillraceError(
          "E_TRACER_LEAK",
          `${what}: this tensor${where} belongs to a function whose trace has ended; return it from the function instead`,
        );
  }
  override toString(): string {
    return `Tensor ${this.type.dtype}${formatShape(this.type.shape)} (traced)`;
  }
}

/** Whether a tensor is held as rows. */
export function isSlices(x: TensorImpl): x is IndexedSlicesImpl {
  return "toDense" in x;
}

/** Whether a tensor is a variable; only the engine makes them. */
export function isVariable(x: TensorImpl): x is VariableImpl {
  return "trainable" in x;
}
