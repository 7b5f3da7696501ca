// The parts of the report.
import { batchSizes, confusionMatrix, stageTimes, trainingCurves } from "./charts.mjs";
import { html } from "./html.mjs";

const percent = (share, digits = 2) => `${(share * 100).toFixed(digits)} %`;
const whole = (n) => n.toLocaleString("en-US");
const kilobytes = (bytes) => `${whole(Math.round(bytes / 1000))} kB`;

/** A part with a heading. */
const section = (id, title, content) =>
  html`<section id="${id}" aria-labelledby="${id}-title"><h2 id="${id}-title">${title}</h2>${content}</section>`;

const figureOf = (number, words) => html`<div class="headline"><strong>${number}</strong><span>${words}</span></div>`;

/** The numbers one looks for first. */
export function headline({ accuracy, digits, stages, checks, served, predictions }) {
  const training = stages.times.find(({ name }) => name === "train");
  const held = checks.list.filter(({ passed }) => passed).length;
  return html`<div class="headlines">
    ${figureOf(percent(accuracy), `of ${whole(digits.test.count)} digits never seen are told right`)}
    ${figureOf(`${training.seconds.toFixed(1)} s`, `of training on ${whole(digits.train.count)} digits`)}
    ${figureOf(whole(predictions), `predictions served, ${served.batches.mean.toFixed(1)} to a batch on average`)}
    ${figureOf(`${held} of ${checks.list.length}`, "checks on the way hold")}
  </div>`;
}

/** Where one draws, and the ten probabilities. */
export function drawing() {
  const bars = Array.from(
    { length: 10 },
    (_, digit) => html`<li>
      <span aria-hidden="true">${digit}</span>
      <div role="meter" aria-label="probability of ${digit}" aria-valuemin="0" aria-valuemax="1" aria-valuenow="0"></div>
      <span class="share"></span>
    </li>`,
  );
  return section(
    "draw",
    "Draw a digit",
    html`<p>
        The trained network is in this file. It answers while you draw, on your own machine; or choose one of the digits
        further down.
      </p>
      <div class="drawing">
        <div class="pad">
          <div class="sheet"><canvas id="pad" width="560" height="560" role="img" aria-label="draw a digit here"></canvas></div>
          <button id="clear" type="button">Clear</button>
        </div>
        <ol id="probabilities" aria-label="probabilities of the ten digits">${bars}</ol>
        <div class="answer">
          <span class="label">It says</span>
          <output id="answer" aria-live="polite">–</output>
          <span class="label">It sees</span>
          <div class="sheet">
            <canvas id="preview" width="28" height="28" role="img" aria-label="the drawing as the network sees it"></canvas>
          </div>
        </div>
      </div>
      <p id="failure" role="alert"></p>`,
  );
}

/** How it learned. */
export function training({ history }) {
  const cell = (value) => html`<td>${value.toFixed(4)}</td>`;
  const rows = history.loss.map(
    (loss, i) =>
      html`<tr><th scope="row">${i + 1}</th>${[loss, history.accuracy[i], history.val_loss[i], history.val_accuracy[i]].map(cell)}</tr>`,
  );
  return section(
    "training",
    "Training",
    html`<div class="pair">${trainingCurves(history)}</div>
      <details>
        <summary>The numbers of each epoch</summary>
        <table>
          <thead>
            <tr><th>epoch</th><th>loss</th><th>accuracy</th><th>held-out loss</th><th>held-out accuracy</th></tr>
          </thead>
          <tbody>${rows}</tbody>
        </table>
      </details>`,
  );
}

/** What was taken for what. */
export function mistakes({ confusion, digits, predicted, probabilities }, gallery) {
  const picture = ({ index, place }) => {
    const [is, says] = [digits.test.ys[index], predicted[index]];
    const sure = percent(probabilities[index * 10 + says], 0);
    const words = is === says ? `a ${is}, told right` : `a ${is}, taken for a ${says}`;
    return html`<li>
      <button type="button" aria-label="${words}, ${sure} sure: ask the network for it">
        <canvas data-image="${place}" width="28" height="28"></canvas>
        <span>${is === says ? is : html`${is} → <b>${says}</b>`} <small>${sure}</small></span>
      </button>
    </li>`;
  };
  const { wrong, right, allWrong } = gallery;
  const count = wrong.length < allWrong ? `${wrong.length} of ${allWrong}` : `all ${allWrong}`;
  return section(
    "predictions",
    "Predictions",
    html`<div class="pair">
        ${confusionMatrix(confusion)}
        <div>
          <h3>Taken for another digit (${count}), the surest first</h3>
          <ol class="digits wrong">${wrong.map(picture)}</ol>
        </div>
      </div>
      <h3>Some that were told right</h3>
      <ol class="digits">${right.map(picture)}</ol>`,
  );
}

/** The network and its files. */
export function network({ summary, files }) {
  const rows = files.map(
    ({ name, what, bytes }) =>
      html`<tr><th scope="row"><code>${name}</code></th><td>${what}</td><td>${kilobytes(bytes)}</td></tr>`,
  );
  return section(
    "model",
    "Model",
    html`<pre>${summary}</pre>
      <table>
        <thead><tr><th>file</th><th></th><th>size</th></tr></thead>
        <tbody>${rows}</tbody>
      </table>`,
  );
}

/** What was proven on the way. */
export function proofs({ checks }) {
  const rows = checks.list.map(
    ({ name, passed, measured }) =>
      html`<tr class="${passed ? "ok" : "failed"}"><td>${passed ? "✓ holds" : "✗ fails"}</td><th scope="row">${name}</th><td>${measured}</td></tr>`,
  );
  return section(
    "checks",
    "Checks",
    html`<table>
      <thead><tr><th></th><th>check</th><th>measured</th></tr></thead>
      <tbody>${rows}</tbody>
    </table>`,
  );
}

/** How the server put requests together. */
export function serving({ served, predictions }) {
  return section(
    "serving",
    "Serving",
    html`<p>
        ${whole(predictions)} requests of one digit each, 64 at a time, half over REST (rows and columns) and half over gRPC. The
        server made ${whole(served.batches.count)} batches of them.
      </p>
      ${batchSizes(served.batches)}`,
  );
}

/** How long it all took, and where. */
export function timings({ stages, machine }) {
  return section(
    "timings",
    "Timings",
    html`${stageTimes(stages.times)}
      <p>
        ${machine.cpu ?? "an unknown CPU"}, ${machine.threads} threads; Node.js ${machine.node}; backend: ${machine.backend}.
      </p>`,
  );
}
