// What the quickstart prints: how long each stage took, some digits with their predictions, the confusion matrix.

/** Times the stages of a program. */
export class Stages {
  #times = [];

  run(name, f) {
    const start = performance.now();
    const result = f();
    this.#times.push([name, performance.now() - start]);
    return result;
  }
  async runAsync(name, f) {
    const start = performance.now();
    const result = await f();
    this.#times.push([name, performance.now() - start]);
    return result;
  }
  print() {
    for (const [name, ms] of this.#times) console.log(`${name.padEnd(20)} ${(ms / 1000).toFixed(2).padStart(7)} s`);
  }
}

const shades = " .:-=+*#%@";

/** Four held-out digits as text, with what they are and what the model says. */
export function showDigits({ xs, ys }, predicted, count = 4) {
  const rows = [];
  for (let y = 4; y < 24; y += 2) {
    let row = "";
    for (let d = 0; d < count; d++) {
      for (let x = 4; x < 24; x++) row += shades[Math.round(xs[d * 784 + y * 28 + x] * 9)];
      row += "  ";
    }
    rows.push(row);
  }
  console.log(rows.join("\n"));
  const captions = Array.from({ length: count }, (_, d) => `${ys[d]}, predicted ${predicted[d]}`.padEnd(22));
  console.log(captions.join(""));
}

/** Rows: the digit; columns: the prediction. */
export function showConfusion(labels, predicted) {
  const counts = Array.from({ length: 10 }, () => new Array(10).fill(0));
  labels.forEach((label, i) => {
    counts[label][predicted[i]]++;
  });
  console.log("confusion matrix (rows: digit, columns: prediction)");
  console.log(`   ${[...counts.keys()].map((d) => `${d}`.padStart(4)).join("")}`);
  counts.forEach((row, d) => {
    console.log(`${d}: ${row.map((n) => `${n}`.padStart(4)).join("")}`);
  });
}
