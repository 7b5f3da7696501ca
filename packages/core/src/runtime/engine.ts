import { type Dispatcher, dispatch } from "../ir/apply.js";
import { type Attrs, noAttrs, sameAttrs } from "../ir/attrs.js";
import type { Graph, Value } from "../ir/graph.js";
import { bytesOf, type HostArray } from "../ir/host.js";
import { type AnyOp, inferOp } from "../ir/op.js";
import { callOp } from "../ops/control/call.js";
import { type ConstantAttrs, constantOp } from "../ops/create/constant.js";
import { identityOp } from "../ops/shape/identity.js";
import { copyOp, isFree } from "../passes/place.js";
import type { Trace } from "../trace/trace.js";
import type { DType } from "../types/dtype.js";
import { MillraceError } from "../types/errors.js";
import type { Like } from "../types/operands.js";
import { captureSites } from "../types/site.js";
import type { Tensor } from "../types/tensor.js";
import type { Buf } from "./backend.js";
import { currentDevice, deviceNamed } from "./backends.js";
import { CallCache } from "./call-cache.js";
import type { BoundGraph } from "./compiled-graph.js";
import type { Device } from "./device.js";
import { EagerDevices } from "./eager.js";
import { explained } from "./explain.js";
import { GraphPrograms } from "./graph-programs.js";
import { readLiteral } from "./host-values.js";
import { keptNumber, origins, uploaded } from "./origins.js";
import { copyBuffer } from "./placed-program.js";
import { commonDevice, deviceOfScope, placeInTrace, placement } from "./placement.js";
import type { Recorder, TensorScope } from "./recorder.js";
import { Scalars } from "./scalars.js";
import { isSlices, isVariable, TensorImpl, TracerTensor } from "./tensor.js";
import { TensorType } from "./tensor-type.js";
import { Tracers } from "./tracers.js";
import type { VariableImpl } from "./variable.js";

/** The state of one copy of core: what is being traced, who records, what was compiled. */
export class Engine implements Dispatcher {
  /** Whether ops may go straight to the backend: nothing traces, records or asks who called. */
  private plain = true;
  trace: Trace | null = null;
  private readonly recorders: Recorder[] = [];
  scope: TensorScope | null = null;
  private readonly calls = new CallCache();
  private readonly eager = new EagerDevices(() => this.calls.clear());
  readonly graphs: GraphPrograms = new GraphPrograms();

  private device: Device | null = null;
  /** That of the function which is being traced. */
  private home: Device | null = null;

  // ---- dispatch -------------------------------------------------------------------------------------------------

  hit2(op: AnyOp, a: Like, b: Like): (TensorImpl & Tensor) | undefined {
    // boundary: anything may be passed; what has no type is in no cache
    const [x, y] = [a as TensorImpl & Tensor, b as TensorImpl & Tensor];
    const entry = this.calls.inline2[op.id];
    if (!this.plain || entry === undefined || x.type !== entry.a || y.type !== entry.b) return undefined;
    return this.adopt(entry.out, entry.run2(entry.bound, x.buf, y.buf));
  }

  isPlain(): boolean {
    return this.trace === null && this.recorders.length === 0;
  }

  apply1(op: AnyOp, x: Tensor, attrs: Attrs): TensorImpl & Tensor {
    // boundary: as in hit2
    const t = x as TensorImpl & Tensor;
    const entry = this.calls.inline1[op.id];
    if (this.plain && entry !== undefined && t.type === entry.a && sameAttrs(attrs, entry.attrs)) {
      return this.adopt(entry.out, entry.run1(entry.bound, t.buf));
    }
    return this.applyImpl(op, [t], attrs, [])[0]!;
  }

  apply2(op: AnyOp, a: Tensor, b: Tensor): TensorImpl & Tensor {
    // boundary: as in hit2
    return (
      this.hit2(op, a, b) ?? this.applyImpl(op, [a as TensorImpl & Tensor, b as TensorImpl & Tensor], noAttrs, [])[0]!
    );
  }

  apply(op: AnyOp, ins: readonly Tensor[], attrs: Attrs, regions: readonly Graph[] = []): readonly Tensor[] {
    // boundary: as in hit2
    return this.applyImpl(op, ins as readonly (TensorImpl & Tensor)[], attrs, regions);
  }

  private applyImpl(
    op: AnyOp,
    ins: readonly TensorImpl[],
    attrs: Attrs,
    regions: readonly Graph[],
  ): readonly (TensorImpl & Tensor)[] {
    if (this.trace) return this.traceOp(this.trace, op, ins, attrs, regions);
    for (const x of ins) this.check(op.name, x);
    const here = placement.soft ? this.together(op, ins) : ins;
    const recorded = this.recorders.length > 0 ? here.map((x) => this.snapshot(x)) : here;
    const outs = this.run(op, recorded, attrs, regions);
    for (const r of this.recorders) r.applied(op, recorded, attrs, regions, outs);
    return outs;
  }

  /** Refuses what is no tensor of this engine, or no longer one. */
  private check(what: string, x: TensorImpl): void {
    if (x instanceof TensorImpl) return void x.live(what);
    const why = "the tensor belongs to another copy of @millrace/core, or to this one before it was loaded again";
    throw new MillraceError("E_DUPLICATE_CORE", `${what}: ${why}`);
  }

  private run(op: AnyOp, ins: readonly TensorImpl[], attrs: Attrs, regions: readonly Graph[]): (TensorImpl & Tensor)[] {
    if (op === copyOp) return [this.copied(ins[0]!, deviceNamed(String(attrs.device)))];
    if (op === callOp) return this.graphs.runOp(this, this.deviceBeside(ins[0]), op, ins, attrs, regions);
    const device = commonDevice(op, ins, this.deviceBeside(ins[0]));
    if (regions.length > 0) return this.graphs.runOp(this, device, op, ins, attrs, regions);
    // A constant is no program: it would be kept for each value.
    // boundary: the attributes of a constant
    if (op === constantOp) return [this.upload(device, attrs as ConstantAttrs)];
    const known = this.calls.find(op, device, ins, attrs);
    if (known) return this.runBound(device, known, ins);
    const avals = ins.map((x) => x.aval);
    explained(op, avals, attrs, () => inferOp(op, avals, attrs, regions, []));
    const bound = this.eager.of(device).bind(op, avals, attrs);
    this.calls.add(op, device, ins, attrs, bound);
    return this.runBound(device, bound, ins);
  }

  /** Runs a bound program and adopts its results. */
  runBound(device: Device, program: BoundGraph, ins: readonly TensorImpl[]): (TensorImpl & Tensor)[] {
    const bufs = device.run(
      program,
      ins.map((x) => x.buf),
      [],
    );
    return program.outs.map((type, i) => this.adopt(type, bufs[i]!));
  }

  /** Operands for an op on one device: under soft placement there may be some on others. */
  private together(op: AnyOp, ins: readonly TensorImpl[]): readonly TensorImpl[] {
    const device = ins[0]?.type.device;
    if (!device || op === callOp || ins.every((x) => x.type.device === device)) return ins;
    commonDevice(op, ins, device);
    return ins.map((x) => (x.type.device === device ? x : this.copyTo(x, device)));
  }

  private copyTo(x: TensorImpl, device: Device): TensorImpl & Tensor {
    return this.applyImpl(copyOp, [x], { device: device.name, from: x.device }, [])[0]!;
  }

  /** Gives the programs of eager ops back: what is compiled anew may differ. */
  forgetPrograms(): void {
    this.calls.clear();
    this.eager.release();
  }

  // ---- tracing --------------------------------------------------------------------------------------------------

  private traceOp(
    trace: Trace,
    op: AnyOp,
    ins: readonly TensorImpl[],
    attrs: Attrs,
    regions: readonly Graph[],
  ): (TensorImpl & Tensor)[] {
    const tracers = ins.map((x) => this.inTrace(trace, x));
    const operands = tracers.map((x) => x.value);
    const device = placeInTrace(trace, op, tracers, attrs, this.defaultDevice());
    const avals = operands.map((v) => v.aval);
    const apply = (): readonly Value[] => trace.builder.apply(op, operands, attrs, regions, captureSites());
    const values = explained(op, avals, attrs, apply);
    const operandsAreFree = tracers.map((x) => x.isFree);
    const free = regions.length === 0 && isFree(op, operandsAreFree);
    const outs = values.map((v) => this.tracer(trace, v, device, free));
    for (const r of this.recorders) r.applied(op, tracers, attrs, regions, outs);
    return free && ins.length === 0 && device !== this.home ? outs.map((x) => this.copyTo(x, device)) : outs;
  }

  /** A tensor as a value of `trace`; see Tracers. */
  inTrace(trace: Trace, x: TensorImpl): TracerTensor {
    return this.tracers.enter(trace, x);
  }

  private readonly tracers = new Tracers({
    defaultDevice: () => this.defaultDevice(),
    check: (what, x) => this.check(what, x),
    within: (trace, f) => this.within(trace, f),
    onRead: (variable, value) => {
      for (const r of this.recorders) r.read(variable, value);
    },
  });

  /** The tensor that stands for a value of a graph. */
  tracer(trace: Trace, value: Value, device?: Device, free?: boolean): TracerTensor & Tensor {
    // boundary: installMethods has put the op methods on the prototype
    return this.tracers.of(trace, value, device, free) as TracerTensor & Tensor;
  }

  /** Runs `f` with `trace` as the innermost trace. Recorders from outside do not see what happens inside. */
  within<T>(trace: Trace, f: () => T): T {
    const outer = this.trace;
    const recorders = this.recorders.splice(0);
    const { scope } = this;
    this.scope = null;
    this.trace = trace;
    const { home } = this;
    if (!trace.parent) this.home = this.defaultDevice();
    this.settle();
    try {
      return f();
    } finally {
      this.trace = outer;
      this.home = home;
      this.scope = scope;
      this.recorders.splice(0, this.recorders.length, ...recorders);
      this.settle();
    }
  }

  /** Runs `f` as if no function were being traced and nobody recorded. */
  outside<T>(f: () => T): T {
    const { trace, scope } = this;
    this.trace = null;
    this.scope = null;
    try {
      return this.unrecorded(f);
    } finally {
      this.trace = trace;
      this.scope = scope;
      this.settle();
    }
  }

  /** Whoever changes what stands between ops and the backend calls this. */
  settle(): void {
    this.plain = this.isPlain() && !origins.tracksSites && !placement.logged;
  }

  /** Starts and ends recording. */
  addRecorder(recorder: Recorder): void {
    this.recorders.push(recorder);
    this.settle();
  }
  removeRecorder(recorder: Recorder): void {
    const at = this.recorders.indexOf(recorder);
    if (at >= 0) this.recorders.splice(at, 1);
    this.settle();
  }
  /** Runs `f` with nobody recording. */
  unrecorded<T>(f: () => T): T {
    const recorders = this.recorders.splice(0);
    this.settle();
    try {
      return f();
    } finally {
      this.recorders.push(...recorders);
      this.settle();
    }
  }
  get recording(): boolean {
    return this.recorders.length > 0;
  }

  /** Tells the recorders of an op that was run by other means, as a call of a compiled function is. */
  recordCall(...call: Parameters<Recorder["applied"]>): void {
    for (const r of this.recorders) r.applied(...call);
  }

  /** A variable's value as a tensor that later assignments do not change; other tensors as they are. */
  snapshot(x: TensorImpl): TensorImpl {
    if (!isVariable(x)) {
      if (isSlices(x)) x.live("an op");
      return x;
    }
    const value = x.snapshot();
    for (const r of this.recorders) r.read(x, value);
    return value;
  }

  // ---- tensors --------------------------------------------------------------------------------------------------

  toTensor(value: Like, dtype?: DType, shape?: readonly number[], beside?: Tensor | TensorImpl): TensorImpl & Tensor {
    const read = readLiteral(value, dtype);
    const host = shape ? { ...read, shape } : read;
    if (this.trace) {
      const attrs: Attrs = { dtype: host.dtype, shape: host.shape, data: host.data.slice() };
      return this.traceOp(this.trace, constantOp, [], attrs, [])[0]!;
    }
    return this.upload(this.deviceBeside(beside), host);
  }

  private deviceBeside(x: Tensor | TensorImpl | undefined): Device {
    return x instanceof TensorImpl ? x.type.device : this.defaultDevice();
  }

  /** Numbers that are kept as tensors. */
  readonly scalars: Scalars = new Scalars();

  scalar(value: number, dtype: DType, beside?: Tensor): TensorImpl & Tensor {
    if (this.trace || Object.is(value, -0)) return this.toTensor(value, dtype, undefined, beside);
    const type = this.deviceBeside(beside).types.scalar(dtype);
    const make = (): TensorImpl => {
      return this.outside(() => this.upload(type.device, readLiteral(value, dtype), keptNumber));
    };
    // boundary: installMethods has put the op methods on the prototype
    return this.scalars.of(type, value, make) as TensorImpl & Tensor;
  }

  private upload(device: Device, host: HostArray, madeBy = uploaded): TensorImpl & Tensor {
    const type = device.types.of(host);
    const buf = device.backend.upload(bytesOf(host.data), type, device.index);
    origins.mark(type, buf, madeBy);
    return this.adopt(type, buf);
  }

  /** Takes a new buffer into a tensor. */
  adopt(type: TensorType, buf: Buf): TensorImpl & Tensor {
    // boundary: installMethods has put the op methods on the prototype
    const { page } = type.device;
    const tensor = new TensorImpl(type, buf, page.token) as TensorImpl & Tensor;
    page.add(type, buf);
    this.scope?.made.push(tensor);
    return tensor;
  }

  /** Gives a variable a new buffer in place of the old one. */
  renew(variable: VariableImpl, buf: Buf): void {
    const { page } = variable.type.device;
    const { token } = page;
    page.add(variable.type, buf, false);
    variable.replace(buf, token);
  }

  clone(x: TensorImpl): Tensor {
    return this.apply1(identityOp, x as TensorImpl & Tensor, noAttrs);
  }

  toDevice(x: TensorImpl, name: string): Tensor {
    const device = deviceNamed(name);
    return x.type.device === device ? this.clone(x) : this.copyTo(x, device);
  }

  private copied(x: TensorImpl, device: Device): TensorImpl & Tensor {
    const type = device.types.of(x.aval);
    const buf = copyBuffer(x.type.device, x.live("to"), device, type);
    origins.mark(type, buf, uploaded);
    return this.adopt(type, buf);
  }

  /** What a variable has at the end of a trace, on this device. */
  placed(trace: Trace, x: TensorImpl, device: Device): TracerTensor {
    const tracer = this.inTrace(trace, x);
    if (tracer.type.device === device && !(tracer.isFree && device !== this.home)) return tracer;
    return this.inTrace(
      trace,
      this.within(trace, () => this.copyTo(tracer, device)),
    );
  }

  dispose(x: TensorImpl): void {
    if (x.isDisposed || x instanceof TracerTensor) return;
    x.type.device.backend.free(x.buf);
    x.type = new TensorType(0, x.type, x.type.device);
    x.buf = -1;
    x.page = null;
  }

  /** Where new tensors go: the innermost tf.device scope, else the default backend. */
  defaultDevice(): Device {
    return this.device ?? currentDevice();
  }

  /** Runs `f` with the device of this name as the default. */
  onDevice<T>(name: string, f: () => T): T {
    return this.withDevice(deviceOfScope(name), f);
  }

  near<T>(x: Tensor, f: () => T): T {
    return this.withDevice(this.deviceBeside(x), f);
  }

  /** Runs `f` with another default device. */
  withDevice<T>(device: Device, f: () => T): T {
    const outer = this.device;
    this.device = device;
    try {
      return f();
    } finally {
      this.device = outer;
    }
  }
}

/** The engine of this copy of core. */
export const engine: Engine = new Engine();

/** Lets public functions reach the engine. Called by the first registration of a backend. */
export function connectEngine(): void {
  dispatch.current = engine;
}
