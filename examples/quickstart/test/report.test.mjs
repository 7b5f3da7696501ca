// node --test examples/quickstart/test, after the quickstart: its report in headless Chromium, with no network.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import process from "node:process";
import { after, before, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { chromium as launcher } from "playwright-core";

const chromium = process.env.CHROMIUM ?? "/usr/bin/chromium";
const pathOf = (name) => fileURLToPath(new URL(`../out/${name}`, import.meta.url));
const report = pathOf("report.html");
const url = pathToFileURL(report).href;
const skip = existsSync(chromium)
  ? existsSync(report)
    ? false
    : "there is no report: npm run quickstart"
  : `there is no ${chromium}: apt-get install chromium, or name another in CHROMIUM`;

let browser;
before(async () => {
  if (!skip) browser = await launcher.launch({ executablePath: chromium, args: ["--no-sandbox"] });
});
after(() => browser?.close());

/** Opens the report, gives it to `use`, and takes no complaint and no request. */
async function inReport(options, use) {
  const context = await browser.newContext({ viewport: { width: 1200, height: 900 }, offline: true, ...options });
  const complaints = [];
  try {
    const page = await context.newPage();
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("console", (message) => complaints.push(message.text()));
    page.on("request", (request) => {
      if (!/^(data|blob):/.test(request.url()) && request.url() !== url) complaints.push(request.url());
    });
    await page.goto(url);
    await use(page);
  } finally {
    await context.close();
  }
  assert.deepEqual(complaints, []);
}

/** Draws strokes of points in 0 … 1 with the mouse. */
async function draw(page, strokes) {
  await page.locator("#pad").scrollIntoViewIfNeeded();
  const { x, y, width, height } = await page.locator("#pad").boundingBox();
  const to = ([px, py]) => [x + px * width, y + py * height];
  for (const [first, ...rest] of strokes) {
    await page.mouse.move(...to(first));
    await page.mouse.down();
    for (const point of rest) await page.mouse.move(...to(point), { steps: 6 });
    await page.mouse.up();
  }
}

/** The digit with the highest bar, once the network has said that it is `wanted`. */
async function said(page, wanted) {
  await page.waitForFunction(
    (digit) => globalThis.document.getElementById("answer").textContent === digit,
    `${wanted}`,
    { timeout: 20_000 },
  );
  const shares = await page
    .locator("#probabilities [role=meter]")
    .evaluateAll((meters) => meters.map((meter) => Number(meter.getAttribute("aria-valuenow"))));
  assert.equal(shares.length, 10);
  const sum = shares.reduce((a, b) => a + b, 0);
  assert.ok(Math.abs(sum - 1) < 0.01, `the probabilities add up to ${sum}`);
  return shares.indexOf(Math.max(...shares));
}

const round = (count) =>
  Array.from({ length: count + 1 }, (_, i) => {
    const angle = (i / count) * 2 * Math.PI - Math.PI / 2;
    return [0.5 + 0.24 * Math.cos(angle), 0.5 + 0.36 * Math.sin(angle)];
  });
/** A stroke through points: "0.5,0.1 0.5,0.9". */
const through = (points) => points.split(" ").map((point) => point.split(",").map(Number));
const drawings = {
  0: [round(24)],
  1: [through("0.55,0.15 0.5,0.5 0.46,0.85")],
  7: [through("0.25,0.2 0.72,0.18 0.6,0.45 0.45,0.85")],
};

for (const [digit, strokes] of Object.entries(drawings)) {
  test(`a ${digit} that is drawn is told to be one`, { skip }, () =>
    inReport({}, async (page) => {
      await draw(page, strokes);
      assert.equal(await said(page, digit), Number(digit));
      await page.getByRole("button", { name: "Clear" }).click();
      assert.equal(await page.locator("#answer").textContent(), "–");
    }),
  );
}

test("the bars move while one draws", { skip }, () =>
  inReport({}, async (page) => {
    await page.evaluate(() => {
      const { document, MutationObserver } = globalThis;
      const meters = [...document.querySelectorAll("#probabilities [role=meter]")];
      globalThis.seen = new Set();
      const look = () => globalThis.seen.add(meters.map((meter) => meter.getAttribute("aria-valuenow")).join(" "));
      new MutationObserver(look).observe(meters[0].closest("ol"), { attributes: true, subtree: true });
    });
    await draw(page, drawings[7]);
    await said(page, 7);
    const seen = await page.evaluate(() => globalThis.seen.size);
    assert.ok(seen > 2, `the bars had ${seen} positions`);
  }),
);

test("held-out digits are told as they were after training", { skip }, () =>
  inReport({}, async (page) => {
    const buttons = page.locator(".digits button");
    const count = await buttons.count();
    assert.ok(count >= 30, `there are ${count} digits`);
    for (let i = 0; i < count; i += 9) {
      const name = await buttons.nth(i).getAttribute("aria-label");
      const [, digit] = /taken for a (\d)/.exec(name) ?? /^a (\d), told right/.exec(name);
      await buttons.nth(i).click();
      assert.equal(await said(page, digit), Number(digit), name);
    }
  }),
);

for (const [name, options] of Object.entries({
  "report.png": { colorScheme: "light" },
  "report-dark.png": { colorScheme: "dark" },
  "report-narrow.png": { viewport: { width: 390, height: 844 }, hasTouch: true },
})) {
  test(`a picture of it: ${name}`, { skip }, () =>
    inReport(options, async (page) => {
      await draw(page, drawings[7]);
      await said(page, 7);
      const [width, inner] = await page.evaluate(() => [
        globalThis.document.documentElement.scrollWidth,
        globalThis.innerWidth,
      ]);
      assert.ok(width <= inner, `it is ${width} pixels wide in a window of ${inner}`);
      await page.screenshot({ path: pathOf(name), fullPage: true });
    }),
  );
}
