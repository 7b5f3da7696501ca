// What the quickstart prints of digits and predictions.
const shades = " .:-=+*#%@";

/** Four digits as text, with what they are and what the model says. */
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
export function showConfusion(counts) {
  console.log("confusion matrix (rows: digit, columns: prediction)");
  console.log(`   ${[...counts.keys()].map((d) => `${d}`.padStart(4)).join("")}`);
  counts.forEach((row, d) => {
    console.log(`${d}: ${row.map((n) => `${n}`.padStart(4)).join("")}`);
  });
}
