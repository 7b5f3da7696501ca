// Where artifacts come from: memory, paths and addresses; what else is told by its content.
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import * as tf from "@millrace/core";
import { artifactFiles, inspectArtifact, loadArtifact, loadExecutable, saveArtifact } from "../src/index.js";

tf.registerReferenceBackend();

const negate = (): tf.NamedFunction => tf.nameFunction("f", ({ x }) => tf.neg(x!), { x: { shape: ["n"] } });
const check = (executable: tf.Executable): void => {
  expect(executable.run(tf.tensor([1, 2])).output!.arraySync()).toEqual([-1, -2]);
};

/** Files in memory, as a platform would provide them. */
class MemoryFiles implements tf.Files {
  readonly files = new Map<string, Uint8Array>();
  reads: string[] = [];
  async kind(path: string): Promise<"file" | "directory" | null> {
    if (this.files.has(path)) return "file";
    return [...this.files.keys()].some((name) => name.startsWith(path.endsWith("/") ? path : `${path}/`))
      ? "directory"
      : null;
  }
  /** Raised by who changes a file. */
  version = 0;
  onStat: () => void = () => {};
  async stat(path: string): Promise<tf.FileStat> {
    this.onStat();
    return { bytes: this.files.get(path)!.length, version: `${this.version}` };
  }
  async list(path: string): Promise<readonly string[]> {
    return [...this.files.keys()].flatMap((name) => (name.startsWith(path) ? [name.slice(path.length)] : [])).sort();
  }
  async read(path: string, { range, maxBytes = Infinity }: tf.ReadFileOptions = {}): Promise<Uint8Array> {
    const bytes = this.files.get(path)!;
    const part = range ? bytes.slice(...range) : bytes;
    if (part.length > maxBytes) throw new tf.MillraceError("E_FORMAT", `${path}: too large`);
    this.reads.push(`${path} ${part.length}`);
    return part;
  }
  async write(): Promise<void> {}
  async writeDirectory(path: string, files: ReadonlyMap<string, Uint8Array>): Promise<void> {
    for (const [name, bytes] of files) this.files.set(`${path}/${name}`, bytes);
  }
}

describe("paths", () => {
  const files = new MemoryFiles();
  beforeAll(async () => {
    tf.provideFiles(files);
    await saveArtifact("models/f", [negate()], { metadata: { a: 1 } });
  });
  afterAll(() => tf.provideFiles(null));

  test.each(["models/f", "models/f/artifact.json", "file:///x", { href: "models/f" }])("%j", async (source) => {
    if (source === "file:///x")
      for (const [name, bytes] of [...files.files]) files.files.set(name.replace("models/f", "/x"), bytes);
    check(await loadArtifact(source));
    check(await loadExecutable(source));
  });

  test("one where nothing is, or no artifact", async () => {
    await expect(loadArtifact("models/g")).rejects.toMatchObject({ code: "E_FILE", message: /models\/g/ as never });
  });

  test("the weights are not read to look at an artifact", async () => {
    const w = tf.variable(tf.zeros([1000]));
    await saveArtifact("models/large", [tf.nameFunction("f", ({ x }) => tf.add(x!, w), { x: { shape: [1000] } })]);
    files.reads = [];
    const report = await inspectArtifact("models/large");
    expect(report.bytes.weights).toBeGreaterThan(4000);
    expect(files.reads.map((read) => Number(read.split(" ")[1])).reduce((a, b) => a + b)).toBeLessThan(2500);
  });

  test("one that is replaced while it is loaded is loaded again, and never half of each", async () => {
    const w = tf.variable([1, 2]);
    await saveArtifact("models/moving", [tf.nameFunction("f", ({ x }) => tf.add(x!, w), { x: { shape: [2] } })]);
    let stats = 0;
    // After the versions and the size were asked for: once, then at every attempt.
    files.onStat = () => {
      stats++;
      if (stats === 3) files.version++;
    };
    const executable = await loadArtifact("models/moving");
    expect(executable.run(tf.zeros([2])).output!.arraySync()).toEqual([1, 2]);
    expect(stats).toBe(10);
    executable.dispose();
    const before = tf.memory().numBytes;
    files.onStat = () => {
      files.version++;
    };
    await expect(loadArtifact("models/moving")).rejects.toMatchObject({
      code: "E_FILE",
      message: expect.stringContaining("replaced"),
    });
    files.onStat = () => {};
    expect(tf.memory().numBytes).toBe(before);
  });

  test("none without a platform's files", async () => {
    tf.provideFiles(null);
    await expect(loadArtifact("models/f")).rejects.toMatchObject({ code: "E_FILE" });
    tf.provideFiles(files);
  });
});

describe("addresses", () => {
  let server: Server;
  let base = "";
  const asked: string[] = [];
  beforeAll(async () => {
    const files = await artifactFiles([negate()]);
    server = createServer((request, response) => {
      asked.push(request.url!);
      const name = /^\/models\/1\/([^?]*)/.exec(request.url!)?.[1];
      if (request.url!.startsWith("/moved")) response.writeHead(302, { location: "http://example.invalid/" }).end();
      else if (request.url!.startsWith("/endless")) {
        const more = (): void => {
          while (!response.destroyed && response.write(Buffer.alloc(1 << 16)));
        };
        response.on("drain", more);
        more();
      } else if (name && files.has(name)) response.end(files.get(name));
      else response.writeHead(404).end("no");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => server.close());

  test.each(["/models/1", "/models/1/", "/models/1/artifact.json"])("%s", async (path) => {
    asked.length = 0;
    const progress: number[] = [];
    check(await loadArtifact(base + path, { onProgress: (fraction) => progress.push(fraction) }));
    expect(asked).toEqual(["/models/1/artifact.json", "/models/1/weights.safetensors"]);
    check(await loadExecutable(new URL(base + path)));
  });

  test("one that is not there, moved, or without end", async () => {
    await expect(loadArtifact(`${base}/gone`)).rejects.toMatchObject({
      code: "E_FILE",
      message: expect.stringContaining("404"),
    });
    asked.length = 0;
    await expect(loadArtifact(`${base}/moved`)).rejects.toThrow(
      "it redirects to http://example.invalid/; pass the URL",
    );
    expect(asked).toEqual(["/moved/artifact.json"]);
    await expect(loadArtifact(`${base}/endless`)).rejects.toMatchObject({ code: "E_FORMAT" });
    await expect(loadArtifact("http://127.0.0.1:1/x")).rejects.toMatchObject({ code: "E_FILE" });
    await expect(loadArtifact("http://")).rejects.toMatchObject({ code: "E_ARGUMENT" });
    // @ts-expect-error: JavaScript can
    await expect(loadArtifact(null)).rejects.toMatchObject({ code: "E_ARGUMENT" });
    await expect(loadArtifact(`${base}/models/1`, { signal: AbortSignal.abort("no") })).rejects.toBe("no");
  });
});

describe("formats", () => {
  const text = (json: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(json));
  const bytes = (...parts: (string | number[])[]): Uint8Array =>
    Uint8Array.from(parts.flatMap((part) => (typeof part === "string" ? [...part].map((c) => c.charCodeAt(0)) : part)));
  test.each([
    [".keras", bytes("PK\x03\x04", new Array(40).fill(0)), "E_ARGUMENT", /tf.loadModel/],
    [".h5", bytes("\x89HDF\r\n\x1a\n"), "E_ARGUMENT", /an HDF5 file: .* tf.loadModel/],
    ["layers model", text({ format: "layers-model", modelTopology: {} }), "E_ARGUMENT", /tf.loadModel/],
    ["old layers model", text({ modelTopology: { model_config: {} } }), "E_ARGUMENT", /tf.loadModel/],
    ["graph model", text({ format: "graph-model" }), "E_UNIMPLEMENTED", /TensorFlow.js graph model/],
    [".tflite", bytes([28, 0, 0, 0], "TFL3"), "E_UNIMPLEMENTED", /\.tflite/],
    ["SavedModel", bytes([8, 1, 0x12, 3]), "E_UNIMPLEMENTED", /SavedModel/],
    ["ONNX", bytes([8, 8, 0x12, 7], "pytorch"), "E_UNIMPLEMENTED", /ONNX/],
    ["nothing", new Uint8Array(), "E_FORMAT", /none of the known formats/],
    ["other JSON", text({ a: 1 }), "E_FORMAT", /none of the known formats/],
  ] as const)("%s", async (_, file, code, message) => {
    await expect(loadExecutable(file)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });

  test("a directory is told by its main file", async () => {
    const saved = new Map([
      ["saved_model.pb", bytes([8, 1, 0x12, 3])],
      ["variables/variables.index", bytes([0])],
    ]);
    await expect(loadExecutable(saved)).rejects.toMatchObject({ code: "E_UNIMPLEMENTED" });
    const tfjs = { "model.json": text({ format: "graph-model" }), "group1-shard1of1.bin": bytes([0]) };
    await expect(loadExecutable(tfjs)).rejects.toMatchObject({ code: "E_UNIMPLEMENTED" });
    await expect(loadExecutable({ a: bytes([0]) })).rejects.toMatchObject({ code: "E_FORMAT" });
  });

  test("what is said is believed", async () => {
    const files = Object.fromEntries(await artifactFiles([negate()]));
    check(await loadExecutable(files, { format: "millrace" }));
    await expect(loadExecutable(files, { format: "onnx" })).rejects.toMatchObject({ code: "E_UNIMPLEMENTED" });
    await expect(loadExecutable({ a: bytes([0]) }, { format: "millrace" })).rejects.toMatchObject({ code: "E_FILE" });
  });
});
