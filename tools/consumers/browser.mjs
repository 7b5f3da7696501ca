// A page that imports `millrace`, built by two bundlers, trains in headless Chromium.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { extname, join, normalize } from "node:path";
import process from "node:process";
import { check, expect, run, skip } from "./checks.mjs";

const chromium = process.env.CHROMIUM ?? "/usr/bin/chromium";
const types = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css" };

/** Builds `dir`/page with esbuild and vite, and trains in each result. */
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
  if (!existsSync(chromium)) {
    skip("Chromium trains XOR", `there is no ${chromium}: apt-get install chromium, or name another in CHROMIUM`);
    return;
  }
  const { chromium: launcher } = createRequire(join(dir, "package.json"))("playwright-core");
  const browser = await launcher.launch({ executablePath: chromium, args: ["--no-sandbox"] });
  try {
    for (const [bundler, folder] of Object.entries(built))
      await check(`Chromium trains XOR in the page by ${bundler}`, () => train(browser, folder));
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

async function train(browser, folder) {
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
    const result = await page
      .waitForFunction(() => globalThis.document.getElementById("result").textContent, undefined, { timeout: 60_000 })
      .then((handle) => handle.jsonValue());
    const { error, backend, runs } = JSON.parse(result);
    expect(error === undefined, error);
    expect(backend === "reference", `it runs on the ${backend} backend`);
    for (const [name, { first, last, predictions }] of Object.entries(runs)) {
      console.log(`    ${name}: loss ${first.toFixed(4)} → ${last.toFixed(4)}`);
      expect(first > 0.2 && last < 0.02, `${name}: the loss went from ${first} to ${last}`);
      expect(String(predictions) === "0,1,1,0", `${name} predicts ${predictions}`);
    }
    expect(complaints.length === 0, complaints.join("\n"));
  } finally {
    await page.close();
    server.close();
  }
}
