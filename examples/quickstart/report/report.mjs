// The report: one HTML file that asks nobody for anything. It holds the charts, the network, and what runs it.
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { html, jsonFor, raw, textOf } from "./html.mjs";
import * as sections from "./sections.mjs";

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const artifactFiles = ["artifact.json", "weights.safetensors"];
/** Most digits that are shown of those that were told wrong, and right. */
const shown = { wrong: 42, right: 30 };
/** Scripts and styles of this file alone; nothing may be fetched. */
const policy =
  "default-src 'none'; script-src 'unsafe-inline' blob:; worker-src blob:; style-src 'unsafe-inline'; img-src data:";

/** Writes the report of a run to `path`. */
export async function writeReport(path, run) {
  const gallery = chooseDigits(run);
  const data = {
    files: await inBase64(run.files.artifact),
    images: Buffer.from(gallery.pixels).toString("base64"),
  };
  const [page, worker, styles] = await Promise.all([
    bundle("main.js"),
    bundle("worker.js"),
    readFile(here("page.css"), "utf8"),
  ]);
  const described = { ...run, summary: summaryOf(run.model), files: await describe(run.files) };
  const document = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="color-scheme" content="light dark">
<title>Handwritten digits: a Millrace model</title>
<link rel="icon" href="data:,">
<style>${raw(styles)}</style>
</head>
<body>
<header>
<h1>Handwritten digits</h1>
<p>A network that Millrace trained, saved, converted and served.</p>
</header>
<main>
${sections.headline(described)}
${sections.drawing()}
${sections.training(described)}
${sections.mistakes(described, gallery)}
${sections.network(described)}
${sections.proofs(described)}
${sections.serving(described)}
${sections.timings(described)}
</main>
<script type="application/json" id="data">${jsonFor(data)}</script>
<script type="text/plain" id="worker">${raw(worker)}</script>
<script>${raw(page)}</script>
</body>
</html>
`;
  await writeFile(path, textOf(document));
}

/** The digits that are shown, with their pixels as bytes in the same order. */
function chooseDigits({ digits: { test }, predicted, probabilities }) {
  const all = [...predicted.keys()];
  const sureness = (index) => probabilities[index * 10 + predicted[index]];
  const allWrong = all.filter((i) => predicted[i] !== test.ys[i]).sort((a, b) => sureness(b) - sureness(a));
  const wrong = allWrong.slice(0, shown.wrong);
  // The same number of each digit.
  const rights = all.filter((i) => predicted[i] === test.ys[i]);
  const right = [...Array(10).keys()].flatMap((d) => rights.filter((i) => test.ys[i] === d).slice(0, shown.right / 10));
  const placed = (indices, from) => indices.map((index, i) => ({ index, place: from + i }));
  return {
    wrong: placed(wrong, 0),
    right: placed(right, wrong.length),
    allWrong: allWrong.length,
    pixels: [...wrong, ...right].flatMap((i) =>
      Array.from(test.xs.subarray(i * 784, (i + 1) * 784), (ink) => ink * 255),
    ),
  };
}

/** A script of the page with all that it imports, for a plain script element. */
async function bundle(name) {
  const { outputFiles } = await build({
    entryPoints: [here(`page/${name}`)],
    bundle: true,
    format: "iife",
    platform: "browser",
    target: "es2022",
    minify: true,
    write: false,
    legalComments: "none",
    logLevel: "warning",
  });
  const script = outputFiles[0].text;
  if (/<\/script/i.test(script)) throw new Error(`${name} would end its own script element`);
  return script;
}

async function inBase64(directory) {
  const read = async (name) => [name, await readFile(join(directory, name), "base64")];
  return Object.fromEntries(await Promise.all(artifactFiles.map(read)));
}

function summaryOf(model) {
  const lines = [];
  model.summary({ printFn: (line) => lines.push(line) });
  return lines.join("\n");
}

async function describe({ keras, artifact, lite, smallLite }) {
  const sizeOf = async (path) => (await stat(path)).size;
  const inside = await Promise.all(artifactFiles.map((name) => sizeOf(join(artifact, name))));
  return [
    { name: "digits.keras", what: "to train further, here or in Keras 3", bytes: await sizeOf(keras) },
    { name: "digits/1", what: "to run and to serve", bytes: inside[0] + inside[1] },
    { name: "digits.tflite", what: "for LiteRT, float32", bytes: await sizeOf(lite) },
    { name: "digits-dynamic.tflite", what: "for LiteRT, weights in 8 bits", bytes: await sizeOf(smallLite) },
  ];
}
