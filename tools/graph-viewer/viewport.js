// Moving about: dragging, zooming, and bringing boxes into view.

const canvas = document.getElementById("canvas");
const world = document.getElementById("world");

const view = { x: 0, y: 0, scale: 1 };
function place() {
  world.style.transform = `translate(${view.x}px, ${view.y}px) scale(${view.scale})`;
}

/** Shows a picture of this size whole, or from its top where that would be too small to read. */
export function showAll(size, least = 0.02) {
  const { clientWidth, clientHeight } = canvas;
  view.scale = Math.max(least, Math.min(1.2, clientWidth / size.width, clientHeight / size.height));
  view.x = (clientWidth - size.width * view.scale) / 2;
  view.y = Math.max(0, (clientHeight - size.height * view.scale) / 2);
  place();
}

function zoom(factor, x, y) {
  const scale = Math.min(4, Math.max(0.02, view.scale * factor));
  view.x = x - ((x - view.x) * scale) / view.scale;
  view.y = y - ((y - view.y) * scale) / view.scale;
  view.scale = scale;
  place();
}

/** Brings a box to the middle. */
export function center(element) {
  view.scale = Math.max(view.scale, 0.7);
  place();
  const [at, frame] = [element.getBoundingClientRect(), canvas.getBoundingClientRect()];
  view.x += frame.left + frame.width / 2 - (at.left + at.width / 2);
  view.y += frame.top + frame.height / 2 - (at.top + Math.min(at.height, frame.height) / 2);
  place();
}

canvas.addEventListener(
  "wheel",
  (event) => {
    event.preventDefault();
    const { left, top } = canvas.getBoundingClientRect();
    zoom(Math.exp(-event.deltaY / 500), event.clientX - left, event.clientY - top);
  },
  { passive: false },
);
canvas.addEventListener("pointerdown", (event) => {
  if (event.target.closest(".head, .more")) return;
  const [x, y] = [event.clientX - view.x, event.clientY - view.y];
  const move = (next) => {
    view.x = next.clientX - x;
    view.y = next.clientY - y;
    place();
  };
  canvas.classList.add("moving");
  addEventListener("pointermove", move);
  addEventListener(
    "pointerup",
    () => {
      removeEventListener("pointermove", move);
      canvas.classList.remove("moving");
    },
    { once: true },
  );
});

/** Moves the picture by pixels of the screen. */
export function shift(x, y) {
  view.x += x;
  view.y += y;
  place();
}
