// Files to and from the real Keras 3.15: keras/saving.py is its side. What either writes, the other reads, predicts the same
// from and trains on alike, for every layer and option that there is.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { DType, Tensor } from "@millrace/autodiff";
import * as tf from "@millrace/autodiff";
import { referencePython } from "../../../tools/lib/reference-python.mjs";
import { loadModel, type Model } from "../src/index.js";
import { near } from "./helpers.js";
import { all, type Case, cases, scattered, train } from "./keras/saved-models.js";

const python = referencePython();
const whenInstalled = python === undefined ? describe.skip : describe;

type Nested = number | Nested[];
interface Values {
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly values: readonly number[];
}
interface Theirs {
  readonly xs: readonly Values[];
  readonly ys?: readonly Values[];
  readonly predictions: readonly Nested[];
  readonly weights: readonly Nested[];
  readonly trained?: readonly Nested[];
}
interface Ours {
  readonly predictions: readonly Nested[];
  readonly weights: readonly Nested[];
  readonly config: unknown;
  readonly state?: readonly Nested[];
  readonly trained?: readonly Nested[];
}
const flat = (x: Nested): number[] => (Array.isArray(x) ? x.flatMap(flat) : [x]);
const predict = (net: Model, xs: readonly Tensor[]): readonly Tensor[] => {
  const made = net.predict(all(xs) as Tensor) as Tensor | readonly Tensor[];
  return Array.isArray(made) ? (made as readonly Tensor[]) : [made as Tensor];
};
/** Apart by at most `tolerance` times the greater of 1 and the value. */
const agree = (got: readonly Tensor[], want: readonly Nested[], tolerance: number): void => {
  expect(got.length).toBe(want.length);
  got.forEach((x, i) => {
    near(Array.from(x.dataSync() as Float32Array, Number), flat(want[i]!), tolerance);
  });
};
const read = <T>(path: string): T => JSON.parse(readFileSync(path, "utf8")) as T;

whenInstalled("Keras 3.15 (npm run references installs it)", () => {
  let folder = "";
  const built = new Map<string, Case>();
  /** Runs `f` for each name; what fails is told by name. */
  const each = async (names: readonly string[], f: (name: string) => void | Promise<void>): Promise<void> => {
    const failures: string[] = [];
    for (const name of names) {
      try {
        await f(name);
      } catch (error) {
        failures.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
    expect(failures).toEqual([]);
  };

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "millrace-keras-"));
    mkdirSync(join(folder, "ours"));
    const values = (x: Tensor): Values => ({
      shape: x.shape,
      dtype: x.dtype,
      values: Array.from(x.dataSync() as Float32Array, Number),
    });
    for (const [name, make] of Object.entries(cases)) {
      const { net, xs, ys = [] } = await make();
      built.set(name, { net, xs, ys });
      writeFileSync(join(folder, "ours", `${name}.keras`), await net.toBytes());
      writeFileSync(join(folder, "ours", `${name}.json`), JSON.stringify({ xs: xs.map(values), ys: ys.map(values) }));
    }
    const script = fileURLToPath(new URL("keras/saving.py", import.meta.url));
    const { status, stderr } = spawnSync(python!, [script, folder], { encoding: "utf8" });
    if (status !== 0) throw new Error(stderr.slice(-4000));
  }, 600_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const theirs = (): string[] =>
    readdirSync(join(folder, "theirs")).flatMap((name) => (name.endsWith(".keras") ? [name.slice(0, -6)] : []));
  const tensors = (list: readonly Values[]): Tensor[] =>
    list.map(({ values, shape, dtype }) => tf.tensor(values, shape, dtype) as Tensor);

  test("reads what is written here, and predicts the same to 1e-5", () =>
    each([...built.keys()], (name) => {
      const { net, xs } = built.get(name)!;
      const out = read<Ours>(join(folder, "ours", `${name}.out.json`));
      agree(predict(net, xs), out.predictions, 1e-5);
      agree(net.weights, out.weights, 0);
    }));

  test("would write the same configuration", () =>
    each([...built.keys()], async (name) => {
      const { config } = read<Ours>(join(folder, "ours", `${name}.out.json`));
      expect(comparable(config)).toEqual(comparable(await configOfFile(join(folder, "ours", `${name}.keras`))));
    }));

  test("reads the state of optimizers as it is here", () =>
    each([...built.keys()], (name) => {
      const { net } = built.get(name)!;
      const { state } = read<Ours>(join(folder, "ours", `${name}.out.json`));
      if (state) agree(net.optimizer!.variables, state, 0);
    }));

  test("writes what was written here again, and it is read here, and predicts the same", () =>
    each([...built.keys()], async (name) => {
      const { net, xs } = built.get(name)!;
      const again = await loadModel(new Uint8Array(readFileSync(join(folder, "ours", `${name}.again.keras`))));
      const [got, want] = [again, net].map((it) => predict(it, xs).map((y) => y.dataSync()));
      expect(got).toEqual(want);
      if (net.optimizer) {
        const state = (it: Model): unknown[] => it.optimizer!.variables.map((v) => v.arraySync());
        expect(state(again)).toEqual(state(net));
      }
    }));

  test("trains on as it is trained on here, to 1e-4", () =>
    each([...built.keys()], async (name) => {
      const { net, xs, ys = [] } = built.get(name)!;
      if (ys.length === 0) return;
      const again = await loadModel(new Uint8Array(readFileSync(join(folder, "ours", `${name}.again.keras`))));
      const { trained } = read<Ours>(join(folder, "ours", `${name}.out.json`));
      for (const it of [net, again]) {
        await train(it, xs, ys);
        agree(it.weights, trained!, 1e-4);
      }
    }));

  test("writes models of its own that are read here, predict the same to 1e-5, and train on alike to 1e-4", async () => {
    expect(theirs().length).toBeGreaterThan(90);
    await each(theirs(), async (name) => {
      const path = join(folder, "theirs", name);
      const out = read<Theirs>(`${path}.json`);
      const net = await loadModel(new Uint8Array(readFileSync(`${path}.keras`)));
      agree(net.weights, out.weights, 0);
      agree(predict(net, tensors(out.xs)), out.predictions, 1e-5);
      if (!out.ys) return;
      await train(net, tensors(out.xs), tensors(out.ys));
      agree(net.weights, out.trained!, 1e-4);
    });
  });

  test("writes .weights.h5 files that are read here", () =>
    each(theirs(), async (name) => {
      const path = join(folder, "theirs", name);
      const out = read<Theirs>(`${path}.json`);
      const net = scattered(await loadModel(new Uint8Array(readFileSync(`${path}.keras`))));
      await net.loadWeights(new Uint8Array(readFileSync(`${path}.weights.h5`)));
      agree(net.weights, out.weights, 0);
    }));
});

/**
 * A configuration with numbers as float32 holds them, as Keras keeps some; without how layers were called, which Keras fills
 * in, and what it forgets of an object that it read: the gain of Identity, and delta of Huber.
 */
function comparable(config: unknown): unknown {
  const forgets = (it: unknown): boolean =>
    typeof it === "object" && it !== null && "class_name" in it && ["Identity", "Huber"].includes(`${it.class_name}`);
  const plain = (key: string, value: unknown): unknown => {
    if (typeof value === "number") return Math.fround(value);
    if (key === "kwargs") return {};
    if (!forgets(value)) return value;
    const { config: own, ...rest } = value as { readonly config: Record<string, unknown> };
    const { gain: _, delta: __, ...known } = own;
    return { ...rest, config: known };
  };
  return JSON.parse(JSON.stringify(config, plain));
}

async function configOfFile(path: string): Promise<unknown> {
  const { openArchive } = await import("../src/saving/archive.js");
  const { limitsOf, parseJson } = await import("../src/saving/checks.js");
  const limits = limitsOf(null);
  return parseJson(path, openArchive(new Uint8Array(readFileSync(path)), limits).read("config.json"), limits);
}

const goldens = new URL("../../../../shared/goldens/", import.meta.url);
const whenThere = existsSync(goldens) ? describe : describe.skip;
whenThere("../shared/goldens", () => {
  test.each(["mlp", "lstm"])("%s", async (name) => {
    const net = await loadModel(new Uint8Array(readFileSync(new URL(`${name}.keras`, goldens))));
    const io = await arraysOf(readFileSync(new URL(`${name}_io.npz`, goldens)));
    near(
      Array.from((net.predict(io.x!) as Tensor).dataSync() as Float32Array),
      Array.from(io.y!.dataSync() as Float32Array),
      1e-5,
    );
  });
  test.each([
    ["cnn_bn", "DepthwiseConv2D"],
    ["mha", "MultiHeadAttention"],
  ])("%s has a layer that is not built: the error names it", async (name, missing) => {
    const bytes = new Uint8Array(readFileSync(new URL(`${name}.keras`, goldens)));
    await expect(loadModel(bytes)).rejects.toMatchObject({
      code: "E_UNIMPLEMENTED",
      message: expect.stringMatching(new RegExp(`"${missing}" is not built here.*customObjects`)),
    });
  });
});

/** The arrays of float32 in a .npz file, the first and the second as x and y. */
async function arraysOf(bytes: Uint8Array): Promise<{ x?: Tensor; y?: Tensor }> {
  const { openArchive } = await import("../src/saving/archive.js");
  const { limitsOf } = await import("../src/saving/checks.js");
  const archive = openArchive(new Uint8Array(bytes), limitsOf(null));
  const [x, y] = archive.names.map((name) => {
    const file = archive.read(name);
    const length = file[8]! + 256 * file[9]!;
    const header = new TextDecoder().decode(file.subarray(10, 10 + length));
    const shape = /'shape': \(([^)]*)\)/
      .exec(header)![1]!
      .split(",")
      .flatMap((n) => (n.trim() === "" ? [] : [Number(n)]));
    expect(header).toContain("'<f4'");
    return tf.tensor(new Float32Array(file.slice(10 + length).buffer), shape) as Tensor;
  });
  return { x: x!, y: y! };
}
