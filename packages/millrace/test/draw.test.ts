// Drawn programs, in a real browser: they load nothing, show what runs, and can be searched and opened.
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";
import * as tf from "../src/index.js";

const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
const inChromium = existsSync(executablePath) ? describe : describe.skip;

const w = tf.variable(tf.ones([4, 8]), { name: "dense/kernel" });
const step = tf.fn(function step(x: tf.Tensor) {
  w.assignSub(
    tf
      .grad((v: tf.Tensor) => tf.relu(x.matMul(v)).sum())(w)
      .mul(0.1) as tf.Tensor<[4, 8], "float32">,
  );
  const [y] = tf.whileLoop(
    (v) => v.max().less(100),
    (v) => [
      tf.cond(
        v.min().less(0),
        () => v.neg(),
        () => v.mul(2),
      ),
    ], // in the loop
    [tf.relu(x.matMul(w))],
  );
  return y!;
});
const x = tf.ones([2, 4]);

interface DrawnGraph {
  readonly slots: readonly { readonly name: string; readonly result: string | null }[];
  readonly steps: readonly {
    readonly kind: string;
    readonly ops: readonly { readonly op: string; readonly site?: string; readonly role?: string }[];
    readonly regions: readonly { readonly name: string; readonly graph: DrawnGraph }[];
  }[];
}

const read = (page: string): { readonly root: DrawnGraph; readonly peak: number } =>
  JSON.parse(/<script type="application\/json" id="drawing">(.*?)<\/script>/s.exec(page)![1]!);

test("the page tells kernels, regions, weights, lines and memory", () => {
  const page = step.draw(x);
  expect(page).not.toMatch(/(?:src|href)=|@import|url\(/);
  const { root, peak } = read(page);
  expect(peak).toBeGreaterThan(0);
  expect(root.slots.map(({ name }) => name)).toEqual(expect.arrayContaining(["argument 0", "dense/kernel"]));
  expect(root.slots.map(({ result }) => result)).toEqual(expect.arrayContaining(["result 0", "dense/kernel"]));
  const loop = root.steps.find(({ kind }) => kind === "control")!;
  expect(loop.regions.map(({ name }) => name)).toEqual(["while", "body"]);
  const inside = loop.regions[1]!.graph.steps.flatMap(({ regions }) => regions.map(({ name }) => name));
  expect(inside).toEqual(["if true", "if false"]);
  const ops = root.steps.flatMap((one) => one.ops);
  expect(ops.every(({ site }) => site?.includes("draw.test.ts:"))).toBe(true);
  expect(ops.find(({ op, role }) => op === "dotGeneral" && role)?.role).toBe("the gradient of dotGeneral");
});

test("text of a user's cannot become part of the page", () => {
  const name = "</script><img src=x>";
  const f = tf.fn((v: tf.Tensor) => v.add(1), { name });
  const page = f.draw(x);
  expect(page).not.toContain("<img");
  expect(page).toContain("&lt;/script>");
});

inChromium("in Chromium (needs one at /usr/bin/chromium or $CHROMIUM)", () => {
  const folder = mkdtempSync(join(tmpdir(), "millrace-draw-"));
  let browser: Browser;
  let page: Page;
  const errors: string[] = [];
  const requests: string[] = [];
  const open = async (html: string): Promise<void> => {
    const file = join(folder, "program.html");
    writeFileSync(file, html);
    await page.goto(pathToFileURL(file).href);
    await page.waitForSelector(".box");
  };
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
    page = await browser.newPage({ viewport: { width: 1200, height: 800 } });
    page.on("pageerror", (error) => errors.push(String(error)));
    page.on("request", (request) => requests.push(request.url()));
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true });
  });

  test("boxes do not overlap, and hovering tells the line", async () => {
    await open(step.draw(x));
    const boxes = await page
      .locator("#world > .graph > .box")
      .evaluateAll((all) => all.map((box) => box.getBoundingClientRect().toJSON()));
    expect(boxes.length).toBeGreaterThan(3);
    for (const [i, a] of boxes.entries()) {
      for (const b of boxes.slice(i + 1)) {
        const apart = a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top;
        expect(apart).toBe(true);
      }
    }
    expect(await page.locator(".region").count()).toBe(4);
    await page.locator(".row:not(.outer)", { hasText: "∇ dotGeneral" }).first().hover();
    expect(await page.locator("#tip").textContent()).toMatch(/draw\.test\.ts:\d+.*\nfor the gradient of dotGeneral/);
    expect(await page.locator("#arena rect").count()).toBeGreaterThan(0);
  }, 60_000);

  test("a large program is in groups, which search opens", async () => {
    const deep = tf.fn((v: tf.Tensor) => {
      let y = v;
      for (let i = 0; i < 80; i++) y = tf.softmax(y.matMul(y)); // layer
      return y.logSumExp();
    });
    await open(deep.draw(tf.ones([4, 4])));
    expect(await page.locator(".box.group").count()).toBeGreaterThan(0);
    const closed = await page.locator(".box.loop, .box.kernel").count();
    await page.fill("#search", "dotgeneral");
    expect(await page.locator("#hits").textContent()).toBe("80 kernels");
    await page.press("#search", "Enter");
    expect(await page.locator(".box.here").count()).toBe(1);
    expect(await page.locator(".box.loop, .box.kernel").count()).toBeGreaterThan(closed);
  }, 60_000);

  test("nothing failed, and nothing was asked for but the page", () => {
    expect(errors).toEqual([]);
    expect(requests.filter((url) => !url.startsWith("file:"))).toEqual([]);
    expect(new Set(requests).size).toBe(1);
  });
});
