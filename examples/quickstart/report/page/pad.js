// Drawing with a mouse, a finger or a pen.

/** Makes a canvas one draws on; `changed` is told the strokes, at most once a frame. Points are in 0 … 1. */
export function makePad(canvas, changed) {
  const context = canvas.getContext("2d");
  let strokes = [];
  let isDue = false;

  const redraw = () => {
    const { width, height } = canvas;
    context.clearRect(0, 0, width, height);
    context.strokeStyle = getComputedStyle(canvas).color;
    context.lineWidth = width * 0.075;
    context.lineCap = context.lineJoin = "round";
    for (const stroke of strokes) {
      context.beginPath();
      // The first point twice: a stroke of one point is a dot.
      for (const { x, y } of [stroke[0], ...stroke]) context.lineTo(x * width, y * height);
      context.stroke();
    }
  };
  const drawn = () => {
    if (isDue) return;
    isDue = true;
    requestAnimationFrame(() => {
      isDue = false;
      redraw();
      if (strokes.length > 0) changed(strokes);
    });
  };
  const pointOf = ({ clientX, clientY }) => {
    const box = canvas.getBoundingClientRect();
    return { x: (clientX - box.left) / box.width, y: (clientY - box.top) / box.height };
  };

  canvas.addEventListener("pointerdown", (event) => {
    if (!event.isPrimary || event.button !== 0) return;
    canvas.setPointerCapture(event.pointerId);
    strokes.push([pointOf(event)]);
    drawn();
    event.preventDefault();
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!canvas.hasPointerCapture(event.pointerId)) return;
    const between = event.getCoalescedEvents?.() ?? [];
    strokes.at(-1).push(...(between.length > 0 ? between : [event]).map(pointOf));
    drawn();
  });

  return {
    redraw,
    clear() {
      strokes = [];
      redraw();
    },
  };
}
