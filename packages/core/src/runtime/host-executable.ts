// Graphs with their weights on a backend, called with arrays in JavaScript's memory: no tensors, no engine.
import type { Aval } from "../ir/aval.js";
import type { Graph } from "../ir/graph.js";
import { bytesOf, countOf, type HostArray, viewAs } from "../ir/host.js";
import { symbolValues } from "../ir/inline.js";
import { remember } from "../ir/remember.js";
import { passesWithoutReferences, runPasses } from "../passes/pipeline.js";
import { encodeProgram } from "../schedule/encode.js";
import { schedule, symbolsOfGraph } from "../schedule/schedule.js";
import { dtypes, isDType } from "../types/dtype.js";
import { MillraceError } from "../types/errors.js";
import { withDefaults } from "../types/options.js";
import type { Signal } from "../types/signal.js";
import { throwIfAborted, untilAborted } from "../types/signal.js";
import { version } from "../types/version.gen.js";
import type { Backend, Buf } from "./backend.js";
import { CompiledGraph, claimsOf } from "./compiled-graph.js";
import { checkInputs, graphNamed, inOrder, type NamedGraph, type Signature, signatureOf } from "./signature.js";

/** A function to run: the graph's parameters are the inputs, then the weights. Functions share a weight by identity. */
export interface HostFunction extends NamedGraph {
  readonly weights: readonly HostArray[];
}

/** Arrays by name. */
export type HostArrays = Readonly<Record<string, HostArray>>;

/** How a signature is run. */
export interface HostRunOptions {
  /** "serving_default" unless said, or the only one there is. */
  readonly signature?: string;
  /** Aborting rejects with its reason before the program starts, or before its results are read. */
  readonly signal?: Signal | null;
}

/** The aval of an array. */
interface HostType extends Aval {
  readonly shape: readonly number[];
}

/** A function on its backend, which has the bytes of its weights. */
interface Placed extends NamedGraph {
  readonly program: CompiledGraph<HostType>;
  readonly weights: readonly HostType[];
  readonly bufs: readonly Buf[];
}

/** The first device: what a backend is given for is one. */
const device = 0;

const compiler = {
  typeOf: ({ dtype, shape }: Aval): HostType => ({ dtype, shape: shape.map(Number) }),
  onEvict: (): void => {},
};

/** Functions, ready to run on one backend. Their weights lie there until `dispose`. */
export class HostExecutable {
  /** What can be run, by name. */
  readonly signatures: Readonly<Record<string, Signature>>;
  private readonly backend: Backend;
  private readonly functions = new Map<string, Placed>();
  private readonly uploaded = new Set<Buf>();
  private disposed = false;

  /**
   * Compiles the functions and uploads their weights.
   * @throws E_VERSION where the backend is of another version
   */
  constructor(functions: readonly HostFunction[], backend: Backend) {
    if (backend.version !== undefined && backend.version !== version) {
      const both = `the ${backend.name} backend is version ${backend.version}, @millrace/core/run ${version}`;
      throw new MillraceError("E_VERSION", `${both}: install one version of both`);
    }
    this.backend = backend;
    this.signatures = Object.fromEntries(functions.map((f) => [f.name, signatureOf(f)]));
    const bufs = new Map<HostArray, Buf>();
    try {
      for (const f of functions) this.place(f, (w) => remember(bufs, w, () => this.upload(w)));
    } catch (error) {
      this.dispose();
      throw error;
    }
  }

  private place({ name, graph, inputs, outputs, weights }: HostFunction, upload: (weight: HostArray) => Buf): void {
    const bufs: Buf[] = [];
    const types = weights.map(({ dtype, shape }) => ({ dtype, shape }));
    const program = compile(graph, this.backend);
    this.functions.set(name, { name, graph, inputs, outputs, program, weights: types, bufs });
    for (const weight of weights) bufs.push(upload(weight));
  }

  private upload(weight: HostArray): Buf {
    const buf = this.backend.upload(bytesOf(weight.data), weight, device);
    this.uploaded.add(buf);
    return buf;
  }

  /**
   * Runs a signature.
   * @returns its outputs by name
   * @throws E_ARGUMENT where an input is missing, unknown or no array, E_SHAPE and E_DTYPE where one does not fit
   */
  async run(inputs: HostArrays, options: HostRunOptions = {}): Promise<Record<string, HostArray>> {
    const { signature, signal } = withDefaults("run", options, { signature: undefined, signal: null });
    if (this.disposed) throw new MillraceError("E_DISPOSED", "run: it was disposed");
    const f = graphNamed(this.functions, signature);
    const given = inOrder(f, inputs).map((x, i) => checkArray(f, i, x));
    checkInputs(f, given);
    throwIfAborted(signal);
    const { backend } = this;
    const { bound, outs } = f.program.bind(symbolValues(f.graph, [...given, ...f.weights], f.program.symbols));
    const bufs: Buf[] = [];
    try {
      for (const x of given) bufs.push(backend.upload(bytesOf(x.data), x, device));
      const made = backend.run(bound, [...bufs, ...f.bufs], []);
      bufs.push(...made);
      const results: Record<string, HostArray> = {};
      for (const [i, name] of f.outputs.entries()) {
        throwIfAborted(signal);
        const { dtype, shape } = outs[i]!;
        const bytes = await untilAborted(backend.read(made[i]!, signal), signal, () => {});
        results[name] = { dtype, shape, data: viewAs(dtype, bytes) };
      }
      return results;
    } finally {
      for (const buf of bufs) backend.free(buf);
    }
  }

  /** Gives the weights and programs back; what runs is finished. */
  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    for (const { program } of this.functions.values()) program.release();
    for (const buf of this.uploaded) this.backend.free(buf);
  }
}

/** Constants are not computed beforehand, so that ops need no references here. */
function compile(graph: Graph, backend: Backend): CompiledGraph<HostType> {
  const symbols = [...symbolsOfGraph(graph)];
  const lowered = runPasses(graph, passesWithoutReferences(claimsOf(backend)));
  const program = encodeProgram(schedule(lowered, symbols, { fusion: backend.fusion }));
  return new CompiledGraph(compiler, backend, backend.compile(program, device), symbols, lowered);
}

/** Holds that an input is an array whose data is what its dtype and shape say. */
function checkArray({ name, inputs }: NamedGraph, i: number, x: HostArray | undefined): HostArray {
  const fail = (code: "E_ARGUMENT" | "E_DTYPE" | "E_SHAPE", what: string): MillraceError =>
    new MillraceError(code, `${name}: the input "${inputs[i]}" ${what}`, { op: name });
  if (x === undefined || x === null || typeof x !== "object" || !Array.isArray(x.shape))
    throw fail("E_ARGUMENT", "is missing or no { dtype, shape, data }");
  if (!isDType(x.dtype)) throw fail("E_DTYPE", `has no such dtype: ${x.dtype}`);
  // The tag and not instanceof: another realm has other constructors.
  const tag = Object.prototype.toString.call(x.data).slice(8, -1);
  const { arrayType } = dtypes[x.dtype];
  if (tag !== arrayType) throw fail("E_DTYPE", `is ${x.dtype}, so its data is a ${arrayType}, got ${tag}`);
  const isWhole = x.shape.every((n) => Number.isSafeInteger(n) && n >= 0);
  if (!isWhole || countOf(x.shape) !== x.data.length)
    throw fail("E_SHAPE", `has shape [${x.shape}], but ${x.data.length} elements`);
  return x;
}
