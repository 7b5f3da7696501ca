/**
 * Visits every line of elements along `axis`, in row-major order of the other axes: element i of a line is at
 * `start + i * step`.
 */
export function forEachLine(
  shape: readonly number[],
  axis: number,
  visit: (start: number, step: number, count: number) => void,
): void {
  const count = shape[axis]!;
  const step = shape.slice(axis + 1).reduce((n, d) => n * d, 1);
  const outer = shape.slice(0, axis).reduce((n, d) => n * d, 1);
  for (let block = 0; block < outer; block++) {
    for (let within = 0; within < step; within++) visit(block * count * step + within, step, count);
  }
}
