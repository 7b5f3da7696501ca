// A drawing as a digit of MNIST: 28 × 28 pixels of 0 … 1, its longer side 20 pixels, its centre of mass in the middle.

const side = 28;
const middle = 14;
/** Half of a stroke's full black, and the width of its grey edge, in pixels: as thick as MNIST's strokes are on average. */
const core = 0.8;
const edge = 1.1;
/** Pixels that the middles of the strokes span, so that with their edges they span 20. */
const span = 20 - 2 * core - edge;

/**
 * @param strokes lists of points { x, y }, in any unit
 * @param smallest the extent, in that unit, under which a drawing is not made larger: a dot stays a dot
 * @returns 784 pixels, row by row; undefined where nothing is drawn
 */
export function digitOf(strokes, smallest) {
  const points = strokes.flat();
  if (points.length === 0) return undefined;
  const [xs, ys] = [points.map(({ x }) => x), points.map(({ y }) => y)];
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const scale = span / Math.max(right - left, bottom - top, smallest);
  const around =
    (centreX, centreY) =>
    ({ x, y }) => ({
      x: (x - (left + right) / 2) * scale + centreX,
      y: (y - (top + bottom) / 2) * scale + centreY,
    });
  const drawn = (centreX, centreY) => rasterize(strokes.map((stroke) => stroke.map(around(centreX, centreY))));
  const mass = centreOfMass(drawn(middle, middle));
  return drawn(2 * middle - mass.x, 2 * middle - mass.y);
}

/** Each pixel by its distance from the strokes. */
function rasterize(strokes) {
  const pixels = new Float32Array(side * side);
  const reach = core + edge;
  for (const stroke of strokes) {
    stroke.forEach((end, i) => {
      const start = stroke[Math.max(0, i - 1)];
      const [fromX, toX] = between(start.x, end.x, reach);
      const [fromY, toY] = between(start.y, end.y, reach);
      for (let y = fromY; y <= toY; y++) {
        for (let x = fromX; x <= toX; x++) {
          const ink = (reach - distance(x, y, start, end)) / edge;
          pixels[y * side + x] = Math.max(pixels[y * side + x], Math.min(1, ink));
        }
      }
    });
  }
  return pixels;
}

/** The pixels from the lesser to the greater, and `reach` beyond. */
function between(a, b, reach) {
  return [Math.max(0, Math.ceil(Math.min(a, b) - reach)), Math.min(side - 1, Math.floor(Math.max(a, b) + reach))];
}

/** From a point to a line between two others. */
function distance(x, y, start, end) {
  const [dx, dy] = [end.x - start.x, end.y - start.y];
  const length = dx * dx + dy * dy;
  const along = length === 0 ? 0 : ((x - start.x) * dx + (y - start.y) * dy) / length;
  const at = Math.min(1, Math.max(0, along));
  return Math.hypot(x - start.x - at * dx, y - start.y - at * dy);
}

function centreOfMass(pixels) {
  let [mass, x, y] = [0, 0, 0];
  pixels.forEach((ink, i) => {
    mass += ink;
    x += ink * (i % side);
    y += ink * Math.floor(i / side);
  });
  return { x: x / mass, y: y / mass };
}
