// The charts, as SVG. Colours are the page's own variables, so one chart serves light, dark and paper.
import * as echarts from "echarts";
import { html, raw, textOf } from "./html.mjs";

const axis = {
  axisLine: { lineStyle: { color: "var(--line)" } },
  axisTick: { show: false },
  axisLabel: { color: "var(--quiet)", fontSize: 12 },
  splitLine: { lineStyle: { color: "var(--line)" } },
  nameTextStyle: { color: "var(--quiet)", fontSize: 12 },
};
const theme = { textStyle: { fontFamily: "inherit" }, categoryAxis: axis, valueAxis: axis };
const label = { color: "var(--text)", fontSize: 12 };

/** A figure with a chart and words for who cannot see it. */
function figure(width, height, caption, description, option) {
  const chart = echarts.init(null, theme, { renderer: "svg", ssr: true, width, height });
  chart.setOption({ animation: false, ...option });
  const svg = chart.renderToSVGString();
  chart.dispose();
  const named = svg.replace("<svg ", () => textOf(html`<svg role="img" aria-label="${description}" `));
  return html`<figure style="max-width: ${width}px"><figcaption>${caption}</figcaption>${raw(named)}</figure>`;
}

/** One measure over the epochs, of training and of the held-out digits. */
function curves(caption, training, heldOut, yAxis) {
  const epochs = training.map((_, i) => `${i + 1}`);
  const line = (name, data, color, type) => ({
    type: "line",
    name,
    data,
    symbol: "none",
    lineStyle: { color, type, width: 2 },
    endLabel: { show: true, formatter: "{a}", color, fontSize: 12, distance: 6 },
    labelLayout: { moveOverlap: "shiftY" },
    silent: true,
  });
  const last = (values) => values.at(-1).toFixed(4);
  const description = `${caption} by epoch: after ${epochs.length} epochs ${last(training)} in training and ${last(heldOut)} on the held-out digits.`;
  return figure(520, 280, caption, description, {
    grid: { left: 48, right: 70, top: 14, bottom: 44 },
    xAxis: { type: "category", data: epochs, name: "epoch", nameLocation: "middle", nameGap: 28, boundaryGap: false },
    yAxis: { type: "value", ...yAxis },
    series: [
      line("training", training, "var(--second)", "dashed"),
      line("held out", heldOut, "var(--accent)", "solid"),
    ],
  });
}

/** Loss and accuracy over the epochs. */
export function trainingCurves({ loss, accuracy, val_loss, val_accuracy }) {
  const least = Math.floor(Math.min(...accuracy, ...val_accuracy) * 10) / 10;
  return [
    curves("Loss", loss, val_loss, { min: 0, axisLabel: { formatter: (value) => value.toFixed(1) } }),
    curves("Accuracy", accuracy, val_accuracy, {
      min: least,
      max: 1,
      interval: least < 0.7 ? 0.1 : 0.05,
      axisLabel: { formatter: (value) => `${Math.round(value * 100)} %` },
    }),
  ];
}

/** Rows are the digits, columns what they were taken for; the darker, the larger the share of the row. */
export function confusionMatrix(counts) {
  const digits = [...counts.keys()].map(String);
  const cells = counts.flatMap((row, digit) => {
    const total = row.reduce((a, b) => a + b, 0);
    return row.map((count, taken) => [taken, digit, count, count / total]);
  });
  const wrong = cells.filter(([taken, digit]) => taken !== digit).reduce((n, [, , count]) => n + count, 0);
  const cell = (_, api) => {
    const [taken, digit, count, share] = [0, 1, 2, 3].map((i) => api.value(i));
    const [x, y] = api.coord([taken, digit]);
    const [width, height] = api.size([1, 1]);
    const isRight = taken === digit;
    const [fill, onFill] = isRight ? ["var(--accent)", "var(--on-fill)"] : ["var(--second)", "var(--text)"];
    // Mistakes are few: the root makes them seen.
    const opacity = isRight ? 0.85 + 0.15 * share : Math.min(0.5, 0.1 + 1.5 * Math.sqrt(share));
    const shape = { x: x - width / 2 + 1, y: y - height / 2 + 1, width: width - 2, height: height - 2, r: 3 };
    const text = { text: `${count}`, x, y, align: "center", verticalAlign: "middle", fontSize: 13 };
    if (count === 0) return { type: "rect", shape, style: { fill: "var(--line)", opacity: 0.35 } };
    return {
      type: "group",
      children: [
        { type: "rect", shape, style: { fill, opacity } },
        { type: "text", style: { ...text, fill: onFill } },
      ],
    };
  };
  const description = `Confusion matrix: ${wrong} of ${cells.reduce((n, [, , count]) => n + count, 0)} digits are taken for another one.`;
  const category = { type: "category", data: digits, axisLine: { show: false }, splitLine: { show: false } };
  const title = { nameLocation: "middle", nameGap: 28 };
  return figure(560, 500, "Confusion matrix", description, {
    grid: { left: 52, right: 8, top: 8, bottom: 48 },
    xAxis: { ...category, ...title, name: "taken for" },
    yAxis: { ...category, ...title, name: "digit", inverse: true },
    series: [{ type: "custom", renderItem: cell, data: cells, silent: true }],
  });
}

/** How long each stage took. */
export function stageTimes(times) {
  const names = times.map(({ name }) => name);
  const description = `Seconds of each stage: ${times.map(({ name, seconds }) => `${name} ${seconds.toFixed(2)}`).join(", ")}.`;
  return figure(900, 44 + 30 * times.length, "Seconds of each stage", description, {
    grid: { left: 190, right: 60, top: 4, bottom: 28 },
    xAxis: { type: "value" },
    yAxis: {
      type: "category",
      data: names,
      inverse: true,
      axisLabel: { color: "var(--text)" },
      axisLine: { show: false },
    },
    series: [
      {
        type: "bar",
        data: times.map(({ seconds }) => seconds),
        barWidth: 14,
        itemStyle: { color: "var(--accent)", borderRadius: [0, 3, 3, 0] },
        label: { ...label, show: true, position: "right", formatter: ({ value }) => value.toFixed(2) },
        silent: true,
      },
    ],
  });
}

/** How many batches the server made of how many requests. */
export function batchSizes({ sizes }) {
  const used = sizes.slice(0, sizes.findLastIndex(({ count }) => count > 0) + 1);
  const names = used.map(({ upTo }, i) => {
    const from = (used[i - 1]?.upTo ?? 0) + 1;
    return from === upTo ? `${upTo}` : `${from}–${upTo}`;
  });
  const description = `Batches by their size: ${used.map(({ count }, i) => `${count} of ${names[i]} digits`).join(", ")}.`;
  return figure(520, 260, "Batches by size", description, {
    grid: { left: 48, right: 8, top: 20, bottom: 44 },
    xAxis: { type: "category", data: names, name: "digits in a batch", nameLocation: "middle", nameGap: 28 },
    yAxis: { type: "value" },
    series: [
      {
        type: "bar",
        data: used.map(({ count }) => count),
        itemStyle: { color: "var(--accent)", borderRadius: [3, 3, 0, 0] },
        label: { ...label, show: true, position: "top" },
        silent: true,
      },
    ],
  });
}
