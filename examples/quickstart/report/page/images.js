// Digits as pictures.

/** Paints 784 pixels of 0 … 1 into a canvas of 28 × 28, as ink of the canvas's own colour. */
export function paint(canvas, pixels) {
  const context = canvas.getContext("2d");
  context.clearRect(0, 0, 28, 28);
  if (!pixels) return;
  context.fillStyle = getComputedStyle(canvas).color;
  pixels.forEach((ink, i) => {
    context.globalAlpha = ink;
    context.fillRect(i % 28, Math.floor(i / 28), 1, 1);
  });
}
