// The ways in which a graph can be run: each must give what the definitions give.
import * as tf from "@millrace/autodiff";
import { createCpuBackend } from "@millrace/backend-cpu-napi";
import { type Backend, dtypes, ReferenceBackend, viewAs } from "@millrace/core/backend";
import {
  type ApplyFn,
  bytesOf,
  dispatch,
  evaluateGraph,
  type Graph,
  inlineGraph,
  type TensorImpl,
} from "@millrace/core/graph";
import { lower } from "../../../core/src/passes/lower.js";
import { CompiledGraph, claimsOf } from "../../../core/src/runtime/compiled-graph.js";
import { Device } from "../../../core/src/runtime/device.js";
import { encodeProgram } from "../../../core/src/schedule/encode.js";
import { schedule } from "../../../core/src/schedule/schedule.js";
import { type HostVal, hostVal } from "../../../core/src/testing/host.js";
import { withSymbols } from "./symbols.js";

// Control flow has gradients from the first tape on.
void new tf.GradientTape();

/** Runs a graph on arrays; undefined where this way is not for this graph. */
export type Run = (graph: Graph, args: readonly HostVal[]) => readonly HostVal[] | undefined;

const cpu = createCpuBackend();
tf.registerBackend("cpu", () => cpu, { priority: 10 });
tf.registerReferenceBackend();

const devices = {
  cpu: new Device(cpu, 0),
  reference: new Device(new ReferenceBackend(), 0),
  loops: new Device(new ReferenceBackend({ name: "loops", fusion: true }), 0),
};

export type DeviceName = keyof typeof devices;

/** After all passes, as functions run. */
export const compiledOn =
  (name: DeviceName): Run =>
  (graph, args) =>
    runCompiled(devices[name], devices[name].compile(graph), [], args);

/** Without passes but that which replaces composites. */
export const unoptimisedOn =
  (name: DeviceName): Run =>
  (graph, args) => {
    const device = devices[name];
    const { backend } = device;
    const lowered = lower(claimsOf(backend)).run(graph);
    const program = encodeProgram(schedule(lowered, [], { fusion: backend.fusion }));
    return runCompiled(device, new CompiledGraph(device, backend, backend.compile(program, 0), [], lowered), [], args);
  };

/** Compiled once for any sizes, and bound to those at hand. */
export const symbolicOn =
  (name: DeviceName): Run =>
  (graph, args) => {
    const found = withSymbols(graph);
    if (!found) return undefined;
    const { graph: general, sizes } = found;
    const symbols = [...sizes.keys()];
    const compiled = compileGeneral(devices[name], general, symbols);
    return compiled && runCompiled(devices[name], compiled, [...sizes.values()], args);
  };

/** Where a size is a symbol here and a number there, regions may not fit each other: that is how the graph was made. */
function compileGeneral(device: Device, graph: Graph, symbols: readonly string[]): CompiledGraph | undefined {
  try {
    return device.compile(graph, undefined, symbols);
  } catch (error) {
    if (tf.isMillraceError(error, "E_SHAPE") && hasGuards(graph)) return undefined;
    throw error;
  }
}

const hasGuards = (graph: Graph): boolean =>
  graph.guards.length > 0 || graph.nodes.some((node) => node.regions.some(hasGuards));

function runCompiled(
  device: Device,
  compiled: CompiledGraph,
  sizes: readonly number[],
  args: readonly HostVal[],
): HostVal[] {
  const { backend } = device;
  const bufs = args.map((x) => backend.upload(bytesOf(x.data), x.aval, 0));
  try {
    const bound = compiled.bind(sizes);
    const results = device.run(bound, bufs, []);
    try {
      return bound.outs.map(({ dtype, shape }, i) => {
        const bytes = readNow(backend, results[i]!);
        return hostVal({ dtype, shape: shape.map(Number), data: viewAs(dtype, bytes).slice() });
      });
    } finally {
      for (const buf of results) backend.free(buf);
    }
  } finally {
    for (const buf of bufs) backend.free(buf);
    compiled.release();
  }
}

function readNow(backend: Backend, buf: number): Uint8Array {
  if (!backend.readSync) throw new TypeError(`${backend.name} reads only later`);
  return backend.readSync(buf);
}

/** How eager code treats control flow: as ops with regions, or as JavaScript that reads the condition. */
export type Control = "ops" | "JavaScript";

/** A tensor as graphs see it. */
type Leaf = TensorImpl & tf.Tensor;

function eagerApply(control: Control): ApplyFn<Leaf> {
  const apply: ApplyFn<Leaf> = (op, ins, attrs, regions) => {
    const run = (region: Graph, args: readonly Leaf[]): Leaf[] => inlineGraph(region, args, apply);
    if (control === "JavaScript" && op.name === "cond") return run(regions[ins[0]!.itemSync() ? 0 : 1]!, ins.slice(1));
    if (control === "JavaScript" && op.name === "whileLoop") {
      const [test, body] = regions;
      const count = body!.results.length;
      const rest = ins.slice(count);
      let carry = ins.slice(0, count);
      while (run(test!, [...carry, ...rest])[0]!.itemSync()) carry = run(body!, [...carry, ...rest]);
      return carry;
    }
    // boundary: every Tensor is a TensorImpl
    return dispatch.current.apply(op, ins, attrs, regions) as readonly Leaf[];
  };
  return apply;
}

// boundary: as above
const toTensor = (x: HostVal): Leaf => tf.tensor(x.data, x.shape, x.dtype) as Leaf;
const toHost = (x: tf.Tensor): HostVal => {
  // boundary: elements in one dtype's typed array, of bools as bytes
  return hostVal({ dtype: x.dtype, shape: [...x.shape], data: x.dataSync() as HostVal["data"] });
};
const isFloat = (x: Leaf): boolean => dtypes[x.aval.dtype].isFloat;

/** Calls a function of tensors on arrays; nothing is left of it. */
function onArrays(f: (...xs: Leaf[]) => readonly tf.Tensor[], args: readonly HostVal[]): HostVal[] {
  const made: HostVal[] = [];
  tf.tidy(() => {
    made.push(...f(...args.map(toTensor)).map(toHost));
  });
  return made;
}

/** Op by op. */
export const eager =
  (control: Control): Run =>
  (graph, args) =>
    onArrays((...xs) => evaluateGraph(graph, xs, eagerApply(control)), args);

/** In a traced function. */
export const traced: Run = (graph, args) =>
  onArrays(
    tf.fn((...xs: Leaf[]) => evaluateGraph(graph, xs, eagerApply("ops"))),
    args,
  );

/** The gradient by a tape: takes a cotangent for each float result, gives one for each float parameter. */
export function taped(
  graph: Graph,
  args: readonly HostVal[],
  gs: readonly HostVal[],
  how: { readonly control: Control; readonly isTraced: boolean },
): HostVal[] {
  const gradient = (...all: Leaf[]): tf.Tensor[] => {
    const xs = all.slice(0, args.length);
    const sources = xs.filter(isFloat);
    const tape = new tf.GradientTape();
    const targets = tape.run(() => {
      for (const x of sources) tape.watch(x);
      return evaluateGraph(graph, xs, eagerApply(how.control)).filter(isFloat);
    });
    const outputGradients = all.slice(args.length);
    return tape.gradient(targets, sources, { outputGradients, unconnectedGradients: "zero" });
  };
  return onArrays(how.isTraced ? tf.fn(gradient) : gradient, [...args, ...gs]);
}
