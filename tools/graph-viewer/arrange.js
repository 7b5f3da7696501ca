// Where boxes stand: in ranks from top to bottom, each near what it reads.

/** A rank of boxes that is wider goes on below. */
const widest = 3600;
const [gapX, gapY] = [26, 46];
export const margin = 12;

/**
 * Gives boxes their places: `x` and `y` from their `width`, `height`, `from` (a Map of what they read) and `to`.
 * @returns the width and height of all
 */
export function arrange(nodes) {
  // Items are in the order in which they run, so what one reads is before it.
  for (const node of nodes) node.rank = Math.max(-1, ...[...node.from.keys()].map((maker) => maker.rank)) + 1;
  for (const node of [...nodes].reverse())
    if (node.from.size === 0 && node.to.length > 0)
      node.rank = Math.max(0, Math.min(...node.to.map((n) => n.rank)) - 1);
  const ranks = nodes.map(() => []);
  for (const node of nodes) ranks[node.rank].push(node);
  const rows = ranks.filter((rank) => rank.length > 0).flatMap(folded);
  for (const row of rows) line(row, () => 0);
  const near = (neighbours) => (node) => {
    const at = neighbours(node);
    return at.length > 0 ? at.reduce((sum, n) => sum + n.x + n.width / 2, 0) / at.length : node.x + node.width / 2;
  };
  const above = near((node) => [...node.from.keys()]);
  const below = near((node) => node.to);
  for (let sweep = 0; sweep < 3; sweep++) {
    for (const row of rows) line(row, above);
    for (const row of [...rows].reverse()) line(row, below);
  }
  for (const row of rows) line(row, above);
  const left = Math.min(0, ...nodes.map((node) => node.x));
  let [width, y] = [0, margin];
  for (const row of rows) {
    for (const node of row) {
      node.x += margin - left;
      node.y = y;
      width = Math.max(width, node.x + node.width);
    }
    y += Math.max(...row.map((node) => node.height)) + gapY;
  }
  return { width: width + margin, height: y - gapY + margin };
}

/** A rank in rows that are not too wide. */
function folded(rank) {
  const rows = [[]];
  let width = 0;
  for (const node of rank) {
    if (width > 0 && width + node.width > widest) {
      rows.push([]);
      width = 0;
    }
    rows.at(-1).push(node);
    width += node.width + gapX;
  }
  return rows;
}

/** Puts the boxes of a row side by side, each as near as can be to where `wish` has its middle. */
function line(row, wish) {
  const wishes = new Map(row.map((node) => [node, node.x === undefined ? 0 : wish(node)]));
  row.sort((a, b) => wishes.get(a) - wishes.get(b));
  let end = Number.NEGATIVE_INFINITY;
  let shift = 0;
  for (const node of row) {
    const wanted = wishes.get(node) - node.width / 2;
    node.x = Math.max(wanted, end);
    shift += wanted - node.x;
    end = node.x + node.width + gapX;
  }
  for (const node of row) node.x += shift / row.length;
}
