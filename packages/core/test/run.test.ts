// @millrace/core/run on its sources: what is written is loaded and run, with no tensor in between.
import { ReferenceBackend } from "@millrace/core/backend";
import { type HostArray, type LoadedArtifact, loadArtifact } from "@millrace/core/run";
import * as tf from "../src/index.js";
import { bytesOf } from "../src/ir/host.js";
import { writeArtifact } from "../src/saved/write.js";

tf.registerReferenceBackend();

/** The files of functions, their weights by their own names. */
function filesOf(functions: readonly tf.NamedFunction[], metadata = {}): Record<string, Uint8Array> {
  const weights = functions.flatMap((f) => f.weights);
  const tensors = new Map(
    weights.map(({ name, value }) => [
      name,
      { dtype: value.dtype, shape: value.shape as number[], bytes: bytesOf(value.dataSync()) },
    ]),
  );
  const named = functions.map((f) => ({ ...f, weights: f.weights.map(({ name }) => name) }));
  return Object.fromEntries(writeArtifact(named, tensors, metadata));
}

const float32 = (shape: number[], values: number[]): HostArray => ({
  dtype: "float32",
  shape,
  data: Float32Array.from(values),
});

/** A small network with a size that is open, a second function that shares a weight, constants to fold, and a composite. */
function network(): tf.NamedFunction[] {
  const w = tf.variable(tf.tensor([0.5, -1, 2, 0.25, 1, -0.75], [2, 3]), { name: "w" });
  const b = tf.variable([0.1, -0.2, 0.3], { name: "b" });
  const classify = (x: tf.Tensor): tf.Tensor => tf.softmax(tf.mul(tf.add(tf.matMul(x, w), b), tf.exp(tf.tensor(0.5))));
  const probabilities = tf.nameFunction("serving_default", ({ x }) => ({ y: classify(x!) }), {
    x: { shape: ["batch", 2] },
  });
  const classes = tf.nameFunction("classes", ({ x }) => ({ best: tf.argMax(classify(x!), -1), sum: tf.sum(w) }), {
    x: { shape: ["batch", 2] },
  });
  return [probabilities, classes];
}

describe("loadArtifact", () => {
  const functions = network();
  const files = filesOf(functions, { labels: ["a", "b", "c"] });
  const x = [1, 2, -0.5, 0.25, 3, -2];
  const backend = new ReferenceBackend({ fusion: true });
  const loaded: LoadedArtifact[] = [];
  const load = async (source: Parameters<typeof loadArtifact>[0] = files): Promise<LoadedArtifact> => {
    const artifact = await loadArtifact(source, { backend });
    loaded.push(artifact);
    return artifact;
  };

  afterEach(() => {
    for (const artifact of loaded.splice(0)) artifact.dispose();
    expect(backend.stats()).toMatchObject({ liveBytes: 0, liveBuffers: 0, executables: 0, bounds: 0 });
  });

  it("gives signatures and metadata", async () => {
    const { signatures, metadata } = await load();
    expect(signatures).toEqual({
      serving_default: {
        inputs: [{ name: "x", dtype: "float32", shape: ["batch", 2] }],
        outputs: [{ name: "y", dtype: "float32", shape: ["batch", 3] }],
      },
      classes: {
        inputs: [{ name: "x", dtype: "float32", shape: ["batch", 2] }],
        outputs: [
          { name: "best", dtype: "int32", shape: ["batch"] },
          { name: "sum", dtype: "float32", shape: [] },
        ],
      },
    });
    expect(metadata).toEqual({ labels: ["a", "b", "c"] });
  });

  it("takes files as a record, a map or by a function, and computes for any batch what the engine does, bit for bit", async () => {
    const executable = new tf.Executable(functions);
    for (const source of [files, new Map(Object.entries(files)), async (name: string) => files[name]!]) {
      const artifact = await load(source);
      for (const batch of [3, 1, 0]) {
        const values = x.slice(0, batch * 2);
        const want = executable.run(tf.tensor(values, [batch, 2]), { signature: "serving_default" }).y!;
        const { y } = await artifact.run({ x: float32([batch, 2], values) });
        expect(y).toEqual({ dtype: "float32", shape: [batch, 3], data: want.dataSync() });
      }
      const { best, sum } = await artifact.run({ x: float32([3, 2], x) }, { signature: "classes" });
      expect(best).toEqual({ dtype: "int32", shape: [3], data: Int32Array.of(0, 1, 2) });
      expect(sum).toEqual({ dtype: "float32", shape: [], data: Float32Array.of(2) });
    }
  });

  it("uploads a weight that two functions share once, and frees what a run made", async () => {
    const artifact = await load();
    expect(backend.stats().liveBuffers).toBe(2);
    const run = artifact.run({ x: float32([1, 2], [1, 2]) });
    await Promise.all([run, artifact.run({ x: float32([2, 2], [1, 2, 3, 4]) })]);
    expect(backend.stats().liveBuffers).toBe(2);
  });

  it.each([
    ["a missing input", {}, "E_ARGUMENT", /the input "x" is missing/],
    ["an unknown input", { x: float32([1, 2], [1, 2]), z: float32([], [1]) }, "E_ARGUMENT", /has no input "z"/],
    ["nested numbers", { x: [[1, 2]] }, "E_ARGUMENT", /"x" is missing or no { dtype, shape, data }/],
    [
      "another dtype",
      { x: { dtype: "int32", shape: [1, 2], data: Int32Array.of(1, 2) } },
      "E_DTYPE",
      /float32\[batch,2\]/,
    ],
    [
      "no dtype",
      { x: { dtype: "float", shape: [1, 2], data: Float32Array.of(1, 2) } },
      "E_DTYPE",
      /no such dtype: float/,
    ],
    [
      "another array",
      { x: { dtype: "float32", shape: [1, 2], data: Float64Array.of(1, 2) } },
      "E_DTYPE",
      /a Float32Array/,
    ],
    ["another shape", { x: float32([2], [1, 2]) }, "E_SHAPE", /is float32\[batch,2\], got float32\[2\]/],
    ["too few elements", { x: float32([2, 2], [1, 2]) }, "E_SHAPE", /shape \[2,2\], but 2 elements/],
    ["a size that is none", { x: float32([-1, -2], [1, 2]) }, "E_SHAPE", /shape \[-1,-2\]/],
  ])("refuses %s", async (_what, inputs, code, message) => {
    const artifact = await load();
    // boundary: what plain JavaScript may pass
    await expect(artifact.run(inputs as never)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
    expect(backend.stats().liveBuffers).toBe(2);
  });

  it("refuses a signature and an option that are not there", async () => {
    const artifact = await load();
    const inputs = { x: float32([1, 2], [1, 2]) };
    await expect(artifact.run(inputs, { signature: "clases" })).rejects.toThrow(/did you mean "classes"/);
    await expect(artifact.run(inputs, { sinature: "classes" } as never)).rejects.toThrow(/did you mean "signature"/);
    await expect(loadArtifact(files, {} as never)).rejects.toMatchObject({ code: "E_ARGUMENT" });
  });

  it("is gone after dispose", async () => {
    const artifact = await load();
    artifact.dispose();
    artifact.dispose();
    await expect(artifact.run({ x: float32([1, 2], [1, 2]) })).rejects.toMatchObject({ code: "E_DISPOSED" });
  });

  it("rejects with the signal's reason, before files are read and before results are", async () => {
    const aborted = { aborted: true, reason: new Error("enough") };
    const neverRead = (): Uint8Array => {
      throw new Error("a file was read");
    };
    await expect(loadArtifact(neverRead, { backend, signal: aborted })).rejects.toBe(aborted.reason);
    const signal = { aborted: false, reason: new Error("enough") };
    const slow = (name: string): Uint8Array => {
      signal.aborted = true;
      return files[name]!;
    };
    await expect(loadArtifact(slow, { backend, signal })).rejects.toBe(signal.reason);
    const artifact = await load();
    await expect(artifact.run({ x: float32([1, 2], [1, 2]) }, { signal })).rejects.toBe(signal.reason);
    const late = { aborted: false, reason: new Error("late") };
    const run = artifact.run({ x: float32([1, 2], [1, 2]) }, { signature: "classes", signal: late });
    late.aborted = true;
    await expect(run).rejects.toBe(late.reason);
    expect(backend.stats().liveBuffers).toBe(2);
  });

  it("refuses files that are missing, cut or beyond a limit", async () => {
    const { "artifact.json": json, "weights.safetensors": weights } = files as Record<string, Uint8Array>;
    const failing = (source: object, limits = {}): Promise<unknown> =>
      loadArtifact(source as never, { backend, limits });
    await expect(failing({ "artifact.json": json })).rejects.toMatchObject({
      code: "E_FILE",
      message: expect.stringMatching(/weights\.safetensors/),
    });
    await expect(failing({ ...files, "weights.safetensors": "text" })).rejects.toMatchObject({ code: "E_FILE" });
    await expect(failing("digits" as never)).rejects.toMatchObject({ code: "E_ARGUMENT" });
    const cut = { "artifact.json": json, "weights.safetensors": weights!.subarray(0, -1) };
    await expect(failing(cut)).rejects.toMatchObject({ code: "E_FORMAT" });
    await expect(failing(files, { nodes: 2 })).rejects.toMatchObject({
      code: "E_FORMAT",
      message: expect.stringMatching(/limits\.nodes/),
    });
  });

  it("leaves nothing on a backend that fails half-way", async () => {
    const small = new (class extends ReferenceBackend {
      private left = 1;
      override upload(...args: Parameters<ReferenceBackend["upload"]>): number {
        if (this.left-- === 0) throw new Error("no memory");
        return super.upload(...args);
      }
    })();
    await expect(loadArtifact(files, { backend: small })).rejects.toThrow("no memory");
    expect(small.stats()).toMatchObject({ liveBytes: 0, liveBuffers: 0, executables: 0, bounds: 0 });
  });

  it("refuses a backend of another version", async () => {
    const old = Object.assign(new ReferenceBackend(), { version: "0.0.1" });
    await expect(loadArtifact(files, { backend: old })).rejects.toMatchObject({
      code: "E_VERSION",
      message: expect.stringMatching(/reference backend is version 0\.0\.1, @millrace\/core\/run \d/),
    });
  });
});
