// The artifacts of every release load, and give what they gave then.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as tf from "@millrace/core";
import { loadArtifact } from "../src/index.js";
import { restore } from "./fixtures/expected.mjs";

tf.registerReferenceBackend();

const here = fileURLToPath(new URL("fixtures", import.meta.url));
const releases = readdirSync(here).filter((name) => /^v\d/.test(name));
const all = releases.flatMap((release) => readdirSync(join(here, release)).map((name) => [release, name] as const));

const filesOf = (release: string, name: string): Map<string, Uint8Array> =>
  new Map(
    ["artifact.json", "weights.safetensors"].map((file) => {
      return [file, new Uint8Array(readFileSync(join(here, release, name, file)))];
    }),
  );

test("there are some of the first release", () => {
  expect(all).toEqual(
    expect.arrayContaining([
      ["v0.1", "small-cnn"],
      ["v0.1", "op-zoo"],
    ]),
  );
});

test.each(all)("%s/%s", async (release, name) => {
  const executable = await loadArtifact(filesOf(release, name));
  expect(executable.metadata).toEqual({ release: expect.stringContaining(release.slice(1)) });
  const { inputs, outputs } = JSON.parse(readFileSync(join(here, release, name, "expected.json"), "utf8"));
  const [signature] = Object.keys(executable.signatures);
  const got = executable.run(restore(tf, inputs), { signature: signature! });
  const want: Record<string, tf.Tensor> = restore(tf, outputs);
  expect(Object.keys(got)).toEqual(Object.keys(want));
  for (const [output, y] of Object.entries(got)) {
    const w = want[output]!;
    expect([y.dtype, y.shape]).toEqual([w.dtype, w.shape]);
    const [a, b] = [y.dataSync(), w.dataSync()];
    // What another machine's exp and tanh round otherwise is not the artifact's fault.
    for (let i = 0; i < b.length; i++) {
      if (typeof b[i] === "bigint" || !Number.isFinite(b[i])) expect(a[i]).toBe(b[i]);
      else
        expect(Math.abs(Number(a[i]) - Number(b[i]))).toBeLessThanOrEqual(1e-6 * Math.max(1, Math.abs(Number(b[i]))));
    }
  }
});
