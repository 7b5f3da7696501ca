// The parts of the quickstart's report that need no model. The report as a whole is tested in a browser, after a run:
// examples/quickstart/test.
import { batchesIn } from "../../examples/quickstart/clients.mjs";
import { loadDigits } from "../../examples/quickstart/digits.mjs";
import { accuracyOf, confusionOf, largestDifference, likeliest, sameBits } from "../../examples/quickstart/numbers.mjs";
import { confusionMatrix, stageTimes } from "../../examples/quickstart/report/charts.mjs";
import { html, jsonFor, raw, textOf } from "../../examples/quickstart/report/html.mjs";
import { digitOf } from "../../examples/quickstart/report/page/digit.js";

/** What is asserted of a digit of 28 × 28 pixels. */
function measure(pixels: Float32Array) {
  let [mass, x, y] = [0, 0, 0];
  const [columns, rows] = [new Set<number>(), new Set<number>()];
  pixels.forEach((ink, i) => {
    mass += ink;
    x += ink * (i % 28);
    y += ink * Math.floor(i / 28);
    if (ink === 0) return;
    columns.add(i % 28);
    rows.add(Math.floor(i / 28));
  });
  const extent = (used: Set<number>): number => Math.max(...used) - Math.min(...used) + 1;
  return { mass, x: x / mass, y: y / mass, width: extent(columns), height: extent(rows) };
}

const line = (points: readonly (readonly [number, number])[]) => points.map(([x, y]) => ({ x, y }));

test("a drawing has the place and the size of MNIST's digits, wherever and however large it is drawn", () => {
  const seven = [
    [0, 0],
    [1, 0],
    [0.5, 1.5],
  ] as const;
  for (const scale of [0.2, 1, 400]) {
    for (const offset of [0, 3, -1000]) {
      const stroke = line(seven.map(([x, y]) => [x * scale + offset, y * scale - offset] as const));
      const { x, y, width, height } = measure(digitOf([stroke], 0)!);
      expect([x, y].every((centre) => Math.abs(centre - 14) < 0.2)).toBe(true);
      expect(Math.abs(height - 20)).toBeLessThanOrEqual(1);
      expect(width).toBeLessThan(height);
    }
  }
});

test("what is drawn is as thick as the digits that are learned", () => {
  const { train } = loadDigits(500, 10);
  const ones = [...train.ys.keys()].filter((i) => train.ys[i] === 1);
  const masses = ones.map((i) => measure(train.xs.subarray(i * 784, (i + 1) * 784)));
  const learned = masses.reduce((sum, { mass }) => sum + mass, 0) / ones.length;
  for (const { x, y } of masses) expect(Math.hypot(x - 14, y - 14)).toBeLessThan(1);
  const drawn = measure(
    digitOf(
      [
        line([
          [0.6, 0],
          [0.4, 1],
        ]),
      ],
      0,
    )!,
  ).mass;
  expect(drawn / learned).toBeGreaterThan(0.7);
  expect(drawn / learned).toBeLessThan(1.3);
});

test("nothing drawn is no digit, and a dot is a small one", () => {
  expect(digitOf([], 0.15)).toBeUndefined();
  const { width, height } = measure(digitOf([line([[0.3, 0.7]])], 0.15)!);
  expect([width, height].every((size) => size <= 4)).toBe(true);
});

test("text in a page is escaped; HTML is not; JSON ends no script", () => {
  const rows = ["a&b", '"<'].map((text) => html`<td title="${text}">${text}</td>`);
  expect(textOf(html`<tr>${rows}${raw("<td>")}${false}${0}</tr>`)).toBe(
    '<tr><td title="a&amp;b">a&amp;b</td><td title="&quot;&lt;">&quot;&lt;</td><td>0</tr>',
  );
  expect(textOf(jsonFor({ a: "</script><!--" }))).toBe('{"a":"\\u003c/script>\\u003c!--"}');
});

test("charts are drawn in the page's colours, with words for who cannot see them", () => {
  const counts = Array.from({ length: 10 }, (_, i) => Array.from({ length: 10 }, (_, j) => Number(i === j) * 9));
  counts[4]![9] = 1;
  const matrix = textOf(confusionMatrix(counts));
  expect(matrix).toContain('role="img"');
  expect(matrix).toContain("1 of 91 digits are taken for another one");
  expect(matrix.match(/fill="var\(--accent\)"/g)).toHaveLength(10);
  expect(matrix.match(/fill="var\(--second\)"/g)).toHaveLength(1);
  const times = textOf(stageTimes([{ name: 'a "<b>"', seconds: 1.25 }]));
  expect(times).toContain("1.25");
  expect(times).not.toContain("<b>");
  for (const chart of [matrix, times]) expect(chart.replaceAll("http://www.w3.org/", "")).not.toMatch(/https?:|url\(h/);
});

test("the batches of a server are read from its metrics", () => {
  const name = ":tensorflow:serving:batching_session:processed_batch_size";
  const labels = 'model_name="digits",version="1",signature_name="serving_default"';
  const metrics = [
    `# TYPE ${name} histogram`,
    ...[
      [1, 2],
      [2, 2],
      [4, 5],
      ["+Inf", 5],
    ].map(([le, n]) => `${name}_bucket{le="${le}",${labels}} ${n}`),
    `${name}_sum{${labels}} 13`,
    `${name}_count{${labels}} 5`,
  ].join("\n");
  expect(batchesIn(metrics)).toEqual({
    count: 5,
    mean: 2.6,
    sizes: [
      { upTo: 1, count: 2 },
      { upTo: 2, count: 0 },
      { upTo: 4, count: 3 },
    ],
  });
});

test("predictions are counted", () => {
  const ten = (digit: number): number[] => Array.from({ length: 10 }, (_, i) => (i === digit ? 0.91 : 0.01));
  const predicted = likeliest(Float32Array.from([...ten(3), ...ten(0), ...ten(9)]));
  expect([...predicted]).toEqual([3, 0, 9]);
  const labels = Int32Array.of(3, 0, 4);
  expect(accuracyOf(predicted, labels)).toBeCloseTo(2 / 3);
  expect(confusionOf(labels, predicted)[4]).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
  expect(largestDifference(Float32Array.of(1, 2), Float32Array.of(1, 2.5))).toBe(0.5);
  expect(largestDifference(Float32Array.of(1), Float32Array.of(1, 2))).toBeNaN();
  expect([sameBits(Float32Array.of(0), Float32Array.of(0)), sameBits(Float32Array.of(0), Float32Array.of(-0))]).toEqual(
    [true, false],
  );
});
