// Drawing with a mouse, a finger or a pen.

/** Makes a canvas one draws on; `changed` is told the strokes, at most once a frame. Points are in 0 … 1. */
export function makePad(canvas, changed) {
  const context = canvas.getContext("2d");
  let strokes = [];
  let isDue = false;
  let picture;

  const redraw = () => {
    const { width, height } = canvas;
    context.clearRect(0, 0, width, height);
    if (picture) context.drawImage(picture, 0, 0, width, height);
    else if (strokes.length === 0) {
      context.globalAlpha = 0.6;
      context.font = `${width * 0.06}px ${getComputedStyle(canvas).fontFamily}`;
      context.textAlign = "center";
      context.fillText("draw here", width / 2, height / 2);
      context.globalAlpha = 1;
    }
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
    picture = undefined;
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

  redraw();
  return {
    /** Takes away what is drawn; shows a picture instead where one is given. */
    clear(instead) {
      strokes = [];
      picture = instead;
      redraw();
    },
  };
}
