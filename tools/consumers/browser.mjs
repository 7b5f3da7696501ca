// Pages in headless Chromium: one that imports `millrace`, built by two bundlers, trains; one that runs a saved network.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { extname, join, normalize } from "node:path";
import process from "node:process";
import { gzipSync } from "node:zlib";
import { check, expect, run, skip } from "./checks.mjs";

const chromium = process.env.CHROMIUM ?? "/usr/bin/chromium";
const types = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".json": "application/json",
  ".safetensors": "application/octet-stream",
};
/** Most bytes of gzipped JavaScript that running a saved graph takes, no backend counted. */
const mostForRunning = 40 * 1024;

/** Builds `dir`/page with esbuild and vite, and trains in each result; builds `dir`/run, and runs a network there. */
export async function checkBrowser(dir) {
  const page = join(dir, "page");
  const built = { esbuild: join(dir, "built-esbuild"), vite: join(dir, "built-vite") };
  const bin = (name) => join(dir, "node_modules/.bin", name);
  await check("esbuild builds the page", async () => {
    mkdirSync(built.esbuild);
    cpSync(join(page, "index.html"), join(built.esbuild, "index.html"));
    // Its default format, a script, knows no import.meta; a Node import is an error on the platform "browser".
    const args = ["page/main.js", "--bundle", "--minify", "--log-limit=0", `--outfile=${built.esbuild}/main.js`];
    expectQuiet(await run(bin("esbuild"), [...args, "--log-level=warning"], dir));
    expectNoNode(built.esbuild);
  });
  await check("a bundle of core leaves out the tables of tests", async () => {
    const args = ["--bundle", "--format=esm", "--platform=neutral", "--log-level=warning"];
    const bundle = await run(bin("esbuild"), [...args, "node/core.mjs"], dir);
    expect(bundle.includes("registerReferenceBackend"), "the bundle lacks what it imports");
    const tables = [...bundle.matchAll(/^var (\w+Cases) =/gm)].map(([, name]) => name);
    expect(tables.length === 0, `it holds ${tables.join(", ")}`);
  });
  await check("vite builds the page", async () => {
    const args = ["build", "page", "--outDir", built.vite, "--base", "./", "--emptyOutDir", "--logLevel", "warn"];
    expectQuiet(await run(bin("vite"), args, dir));
    expectNoNode(built.vite);
  });
  const saved = join(dir, "built-run");
  await check("esbuild builds a page that runs a saved network", async () => {
    mkdirSync(saved);
    cpSync(join(dir, "run/index.html"), join(saved, "index.html"));
    const args = ["--bundle", "--minify", "--log-limit=0", "--log-level=warning"];
    expectQuiet(await run(bin("esbuild"), ["run/main.js", ...args, `--outfile=${saved}/main.js`], dir));
    expectNoNode(saved);
    const alone = await run(bin("esbuild"), ["run/only-run.mjs", ...args, "--format=esm", "--platform=browser"], dir);
    const [bytes, all] = [alone, readFileSync(join(saved, "main.js"))].map((js) => gzipSync(js, { level: 9 }).length);
    console.log(`    @millrace/core/run: ${bytes} bytes gzipped; with the reference backend and the page ${all}`);
    expect(bytes <= mostForRunning, `${bytes} bytes are more than ${mostForRunning}`);
    await run(process.execPath, ["run/save.mjs", join(saved, "saved")], dir);
  });
  if (!existsSync(chromium)) {
    skip(
      "Chromium trains XOR, and runs a saved network",
      `there is no ${chromium}: apt-get install chromium, or name another in CHROMIUM`,
    );
    return;
  }
  const { chromium: launcher } = createRequire(join(dir, "package.json"))("playwright-core");
  const browser = await launcher.launch({ executablePath: chromium, args: ["--no-sandbox"] });
  try {
    for (const [bundler, folder] of Object.entries(built))
      await check(`Chromium trains XOR in the page by ${bundler}`, () => train(browser, folder));
    await check("Chromium runs a saved network as Node does", () => ask(browser, saved));
  } finally {
    await browser.close();
  }
}

function expectQuiet(output) {
  expect(output.trim() === "", `it warns:\n${output}`);
}

const filesOf = (folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));

function expectNoNode(folder) {
  const scripts = filesOf(folder).filter((file) => file.endsWith(".js"));
  expect(scripts.length > 0, "it wrote no script");
  for (const file of scripts) {
    const found = /__vite-browser-external|["'`]node:\w+["'`]/.exec(readFileSync(file, "utf8"));
    expect(!found, `${file} holds ${found?.[0]}`);
  }
}

/** Serves one folder to this machine alone. No script may be made from text: that is what many sites allow. */
function serve(folder) {
  const server = createServer((request, response) => {
    const path = normalize(new URL(request.url, "http://localhost").pathname);
    const file = join(folder, path === "/" ? "index.html" : path);
    if (!existsSync(file)) return response.writeHead(404).end();
    response.writeHead(200, { "content-type": types[extname(file)], "content-security-policy": "script-src 'self'" });
    response.end(readFileSync(file));
  });
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server)));
}

/** Opens the page of a folder, and gives what it puts into #result. It may complain of nothing, and ask nobody else. */
async function resultOf(browser, folder) {
  const server = await serve(folder);
  const origin = `http://127.0.0.1:${server.address().port}`;
  const page = await browser.newPage();
  const complaints = [];
  try {
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("console", (message) => complaints.push(message.text()));
    page.on("request", (request) => {
      const url = request.url();
      if (!url.startsWith(origin) && !url.startsWith("data:")) complaints.push(`it asks for ${url}`);
    });
    await page.goto(origin);
    const text = await page
      .waitForFunction(() => globalThis.document.getElementById("result").textContent, undefined, { timeout: 60_000 })
      .then((handle) => handle.jsonValue());
    const result = JSON.parse(text);
    expect(result.error === undefined, result.error);
    expect(complaints.length === 0, complaints.join("\n"));
    return result;
  } finally {
    await page.close();
    server.close();
  }
}

async function train(browser, folder) {
  const { backend, runs } = await resultOf(browser, folder);
  expect(backend === "reference", `it runs on the ${backend} backend`);
  for (const [name, { first, last, predictions }] of Object.entries(runs)) {
    console.log(`    ${name}: loss ${first.toFixed(4)} → ${last.toFixed(4)}`);
    expect(first > 0.2 && last < 0.02, `${name}: the loss went from ${first} to ${last}`);
    expect(String(predictions) === "0,1,1,0", `${name} predicts ${predictions}`);
  }
}

async function ask(browser, folder) {
  const { probabilities, want, milliseconds, wrong, metadata, liveBuffers } = await resultOf(browser, folder);
  console.log(`    two digits in ${milliseconds.toFixed(1)} ms`);
  expect(probabilities.length === 20, `it gives ${probabilities.length} probabilities`);
  // Both are the reference backend; exp may differ between versions of V8.
  const difference = Math.max(...probabilities.map((p, i) => Math.abs(p - want[i])));
  expect(difference < 1e-6, `its probabilities differ by ${difference}`);
  expect(wrong === "E_ARGUMENT", `a call without an input gives ${wrong}`);
  expect(metadata.digits === 10, `its metadata is ${JSON.stringify(metadata)}`);
  expect(liveBuffers === 0, `${liveBuffers} buffers are left after dispose`);
}
