// Artifacts that were tampered with are refused with a typed error, or run: never a crash, a hang or memory without bound.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { mutate, randomOf } from "../../artifact/test/mutate.js";
import { oneOpArtifacts } from "../../artifact/test/one-op.js";
import { zoo } from "../../artifact/test/zoo.mjs";
import * as tf from "../src/index.js";

const count = Number(process.env.MILLRACE_FUZZ ?? 2000);
const first = Number(process.env.MILLRACE_FUZZ_SEED ?? 1);

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "millrace-fuzz-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

test(`${count} changed artifacts`, async () => {
  const bases = [];
  for (const one of zoo(tf)) bases.push(await tf.artifactFiles([one.function as tf.NamedFunction]));
  const ops = await oneOpArtifacts();
  tf.setLogger(null);
  const outcomes: Record<string, number> = {};
  const held = (): unknown => [tf.memory().numBytes, Object.values(tf.memory().backends).map((b) => b.executables)];
  const before = held();
  for (let seed = first; seed < first + count; seed++) {
    const random = randomOf(seed);
    const list = seed % 2 === 0 ? bases : ops;
    const files = mutate(list[Math.floor(random() * list.length)]!, random);
    // Some lie in a directory, where weights are mapped.
    const source = seed % 16 === 0 ? inDirectory(files) : files;
    const outcome = await tryOne(source).catch((error: unknown) => {
      throw new Error(`seed ${seed}: ${error instanceof Error ? error.stack : error}`);
    });
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  }
  if (process.env.MILLRACE_FUZZ) console.log(outcomes);
  expect(outcomes).toMatchObject({ E_FORMAT: expect.any(Number), ran: expect.any(Number) });
  // What is loaded is given back: weights, constants and programs.
  expect(held()).toEqual(before);
}, 3_600_000);

/** A new directory each time: what is mapped must not change. */
function inDirectory(files: ReadonlyMap<string, Uint8Array>): string {
  const path = mkdtempSync(join(folder, "m"));
  for (const [name, bytes] of files) writeFileSync(join(path, name), bytes);
  return path;
}

async function tryOne(files: tf.ArtifactSource): Promise<string> {
  let executable: tf.Executable;
  try {
    executable = await tf.loadExecutable(files);
  } catch (error) {
    if (tf.isMillraceError(error) && ["E_FORMAT", "E_VERSION", "E_UNIMPLEMENTED"].includes(error.code))
      return error.code;
    throw error;
  }
  try {
    for (const f of executable.toConcreteFunctions()) if (!isSmall(f.graph)) return "large";
    return Object.keys(executable.signatures)
      .map((name) => runOne(executable, name))
      .join();
  } finally {
    executable.dispose();
  }
}

function runOne(executable: tf.Executable, signature: string): string {
  const inputs = executable.signatures[signature]!.inputs.map(({ name, dtype, shape }) => {
    const sizes = shape.map((d) => (typeof d === "number" ? d : 2));
    const values = new Array<number>(sizes.reduce((n, d) => n * d, 1)).fill(0);
    return [name, tf.tensor(values, sizes, dtype) as tf.Tensor] as const;
  });
  let outputs: Record<string, tf.Tensor> = {};
  try {
    outputs = executable.run(Object.fromEntries(inputs), { signature });
    for (const y of Object.values(outputs)) y.dataSync();
    return "ran";
  } catch (error) {
    if (tf.isMillraceError(error))
      return process.env.MILLRACE_FUZZ ? `${error.code} ${error.message.split("\n")[0]}` : error.code;
    throw error;
  } finally {
    for (const [, x] of inputs) x.dispose();
    for (const y of Object.values(outputs)) y.dispose();
  }
}

type Graph = tf.NamedFunction["graph"];

/** Whether a graph ends, and takes little memory, with its open sizes at 2: what runs is legal, not cheap. */
function isSmall(graph: Graph): boolean {
  const avals = [...graph.params.map((v) => v.aval), ...graph.nodes.flatMap((node) => node.outs)];
  const small = avals.every(
    ({ shape }) => shape.reduce<number>((n, d) => n * (typeof d === "number" ? d : 50), 1) < 1e6,
  );
  return small && graph.nodes.every((node) => node.op.name !== "whileLoop" && node.regions.every(isSmall));
}
