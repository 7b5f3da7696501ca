// The report's script: paints the digits, and asks the network for what is drawn.
import { digitOf } from "./digit.js";
import { paint } from "./images.js";
import { bytesOf, startNetwork } from "./network.js";
import { makePad } from "./pad.js";

const element = (id) => document.getElementById(id);
const { files, images } = JSON.parse(element("data").textContent);
const bytes = bytesOf(images);
const pixelsOf = (index) => Float32Array.from(bytes.subarray(index * 784, (index + 1) * 784), (ink) => ink / 255);

const meters = [...document.querySelectorAll("#probabilities [role=meter]")];
const answer = element("answer");
const preview = element("preview");
let isEmpty = true;

function show(probabilities) {
  const most = probabilities ? Math.max(...probabilities) : 1;
  meters.forEach((meter, digit) => {
    const share = probabilities?.[digit] ?? 0;
    meter.setAttribute("aria-valuenow", share.toFixed(3));
    meter.style.setProperty("--share", share);
    meter.classList.toggle("most", share === most);
    meter.nextElementSibling.textContent = probabilities ? `${(share * 100).toFixed(1)} %` : "";
  });
  const text = probabilities ? `${probabilities.indexOf(most)}` : "–";
  if (answer.textContent !== text) answer.textContent = text;
}

const network = startNetwork(element("worker").textContent, files, {
  answered: (probabilities) => !isEmpty && show(probabilities),
  failed: (message) => {
    element("failure").textContent = `The network cannot run here: ${message}`;
  },
});

function ask(pixels) {
  isEmpty = pixels === undefined;
  paint(preview, pixels);
  if (pixels) network.ask(pixels);
  else show(undefined);
}

const pad = makePad(element("pad"), (strokes) => ask(digitOf(strokes, 0.15)));
element("clear").addEventListener("click", () => {
  pad.clear();
  ask(undefined);
});

for (const canvas of document.querySelectorAll("canvas[data-image]")) {
  const pixels = pixelsOf(Number(canvas.dataset.image));
  paint(canvas, pixels);
  canvas.closest("button").addEventListener("click", () => {
    pad.clear(canvas);
    ask(pixels);
    element("draw").scrollIntoView({ block: "nearest" });
  });
}
