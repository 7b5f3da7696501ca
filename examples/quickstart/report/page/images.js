// Digits as pictures.

/** Paints 784 pixels of 0 … 1 into a canvas of 28 × 28, as black ink; the style sheet inverts it where it is dark. */
export function paint(canvas, pixels) {
  const context = canvas.getContext("2d");
  context.clearRect(0, 0, 28, 28);
  if (!pixels) return;
  pixels.forEach((ink, i) => {
    context.globalAlpha = ink;
    context.fillRect(i % 28, Math.floor(i / 28), 1, 1);
  });
}
