// Draws a program in a page of its own. `drawCall` of core puts the program's description beside this script as JSON: its
// shape is `Drawing` in packages/core/src/runtime/drawing.ts. Everything comes from that; nothing is loaded.

import { arrange, margin } from "./arrange.js";
import { bytesText, drawn, make } from "./elements.js";
import { itemsOf } from "./groups.js";
import { center, shift, showAll } from "./viewport.js";

/** Rows of a kernel until it is opened. */
const fewRows = 9;
const [rowHeight, headHeight] = [18, 20];

const drawing = JSON.parse(document.getElementById("drawing").textContent);
const byId = (id) => document.getElementById(id);
const [world, tip] = [byId("world"), byId("tip")];

const pen = document.createElement("canvas").getContext("2d");
pen.font = getComputedStyle(document.body).font;
const letter = pen.measureText("m").width;

/** Numbers everything once, so that what is open and what was found is known when all is drawn again. */
const steps = [];
const ops = new Map();
function enter(graph, path) {
  graph.items = itemsOf(graph);
  for (const item of graph.items) {
    const inside = item.steps ? [...path, item] : path;
    if (item.steps) item.open = item.steps.length === 1;
    for (const step of item.steps ?? [item]) {
      step.path = inside;
      step.number = steps.push(step) - 1;
      step.graph = graph;
      step.rects = [];
      for (const op of step.ops) {
        op.step = step;
        op.readers = [];
        ops.set(`${graph.id} ${op.id}`, op);
      }
      for (const region of step.regions) enter(region.graph, inside);
    }
  }
}
enter(drawing.root, []);

// ---- boxes -----------------------------------------------------------------------------------------------------------------

const lookup = (graph, id) => ops.get(`${graph.id} ${id}`);

function tell(step, op) {
  const lines = op
    ? [
        `${op.op}${op.attrs ? ` ${op.attrs}` : ""}`,
        `→ ${op.type}`,
        ...op.ins.map((x) => `← ${x.text}`),
        op.site ? `at ${op.site}` : "",
        op.scope ? `in ${op.scope}` : "",
        op.role ? `for ${op.role}` : "",
      ]
    : [
        step.name,
        `kernel ${step.at + 1}: ${step.ops.length === 1 ? "one op" : `${step.ops.length} ops in one pass`}`,
        ...step.reads.map((slot) => `reads ${step.graph.slots[slot].name}: ${step.graph.slots[slot].type}`),
        ...step.writes.map(
          (slot) => `writes ${step.graph.slots[slot].type}, ${bytesText(step.graph.slots[slot].bytes)}`,
        ),
      ];
  return lines.filter(Boolean).join("\n");
}

function row(text, type, className = "row") {
  const element = make("div", className);
  element.append(text);
  if (type) element.append(" ", make("span", "type", type));
  return { element, width: (text.length + (type ? type.length + 1 : 0)) * letter + 24 };
}

/** A kernel: what it reads from outside, its ops, what it gives, and regions inside. */
function drawStep(step) {
  const { slots } = step.graph;
  const element = make("div", `box ${step.kind}`);
  const head = make("div", "head", step.name);
  element.append(head);
  const rows = [];
  const outer = step.reads.filter((slot) => slots[slot].outer);
  for (const slot of outer.slice(0, 3)) rows.push(row(`← ${slots[slot].name}`, slots[slot].type, "row outer"));
  if (outer.length > 3) rows.push(row(`← and ${outer.length - 3} more`, "", "row outer"));
  const shown = step.open ? step.ops : step.ops.slice(0, fewRows);
  for (const op of shown) {
    const made = row(`${op.role ? "∇ " : ""}${op.op}`, op.type);
    op.element = made.element;
    made.element.onmouseenter = () => light(step, op);
    rows.push(made);
  }
  if (step.ops.length > fewRows) {
    const left = step.ops.length - fewRows;
    const made = row(step.open ? "fewer" : `and ${left} more ops`, "", "row more");
    made.element.onclick = () => toggle(step);
    rows.push(made);
  }
  for (const slot of step.writes.filter((s) => slots[s].result !== null))
    rows.push(row(`→ ${slots[slot].result}`, slots[slot].type, "row outer"));
  element.append(...rows.map((made) => made.element));
  let width = Math.max(step.name.length * letter * 1.05 + 28, ...rows.map((made) => made.width));
  let height = headHeight + rows.length * rowHeight + 6;
  let right = margin;
  let deepest = 0;
  for (const { name, graph } of step.regions) {
    const inner = drawGraph(graph);
    const box = make("div", "region");
    const label = make("div", "name", name);
    label.style.minWidth = `${name.length * letter}px`;
    inner.element.style.top = "0";
    box.append(label, inner.element);
    const w = Math.max(inner.width, name.length * letter + 16);
    Object.assign(box.style, {
      left: `${right}px`,
      top: `${height}px`,
      width: `${w}px`,
      height: `${inner.height + rowHeight}px`,
    });
    element.append(box);
    right += w + margin;
    deepest = Math.max(deepest, inner.height + rowHeight);
  }
  if (step.regions.length > 0) {
    width = Math.max(width, right + 6);
    height += deepest + margin;
  }
  head.onmouseenter = () => light(step);
  element.onmouseleave = dim;
  step.element = element;
  return { element, width, height };
}

function drawGroup(group) {
  const element = make("div", "box group");
  const count = group.steps.reduce((sum, step) => sum + step.ops.length, 0);
  const title = `${group.open ? "▾" : "▸"} ${group.name}`;
  const head = make("div", "head", title);
  head.onclick = () => toggle(group);
  element.append(head);
  let size = { width: 0, height: 0 };
  if (group.open) {
    const inner = drawItems(group.steps);
    inner.element.style.top = "0";
    element.append(inner.element);
    size = inner;
  } else {
    const about = row(`${group.steps.length} kernels, ${count} ops`, "", "row outer");
    const names = [...new Set(group.steps.map((step) => step.name.split(" ")[0]))];
    const list = row(names.slice(0, 5).join(" ") + (names.length > 5 ? " …" : ""), "", "row outer");
    element.append(about.element, list.element);
    size = { width: Math.max(about.width, list.width), height: 2 * rowHeight };
  }
  group.element = element;
  for (const step of group.steps) if (!group.open) step.element = element;
  return {
    element,
    width: Math.max(size.width, title.length * letter * 1.05 + 28),
    height: headHeight + size.height + 6,
  };
}

// ---- graphs -------------------------------------------------------

const stepsOf = (item) => item.steps ?? [item];

function drawItems(items) {
  const nodes = items.map((item) => ({
    item,
    ...(item.steps ? drawGroup(item) : drawStep(item)),
    from: new Map(),
    to: [],
  }));
  const makers = new Map();
  for (const node of nodes)
    for (const step of stepsOf(node.item)) for (const slot of step.writes) makers.set(slot, node);
  for (const node of nodes) {
    for (const step of stepsOf(node.item)) {
      for (const slot of step.reads) {
        const maker = makers.get(slot);
        if (!maker || maker === node) continue;
        node.from.set(maker, (node.from.get(maker) ?? 0) + 1);
      }
    }
    for (const maker of node.from.keys()) maker.to.push(node);
  }
  const { width, height } = arrange(nodes);
  return paint(nodes, width, height);
}

function paint(nodes, width, height) {
  const element = make("div", "graph");
  const lines = drawn("svg", {});
  element.append(lines);
  Object.assign(element.style, { width: `${width}px`, height: `${height}px` });
  for (const node of nodes) {
    Object.assign(node.element.style, {
      left: `${node.x}px`,
      top: `${node.y}px`,
      width: `${node.width}px`,
      height: `${node.height}px`,
    });
    element.append(node.element);
    let i = 0;
    for (const maker of node.from.keys()) {
      const [x1, y1] = [maker.x + maker.width / 2, maker.y + maker.height];
      const [x2, y2] = [node.x + (node.width * ++i) / (node.from.size + 1), node.y];
      const bend = Math.max(18, (y2 - y1) / 2.4);
      const path = drawn("path", { d: `M${x1},${y1} C${x1},${y1 + bend} ${x2},${y2 - bend} ${x2},${y2}` });
      lines.append(path);
      for (const step of stepsOf(node.item)) step.inward.push(path);
      for (const step of stepsOf(maker.item)) step.outward.push(path);
    }
  }
  return { element, width, height };
}

const drawGraph = (graph) => drawItems(graph.items);

// ---- hovering -----------------------------------------------------------------------------------------------------------------

let lit = [];
function mark(element, className) {
  if (!element) return;
  element.classList.add(className);
  lit.push([element, className]);
}

function dim() {
  for (const [element, className] of lit) element.classList.remove(className);
  lit = [];
  tip.hidden = true;
}

function light(step, op) {
  dim();
  for (const path of step.inward) mark(path, "from");
  for (const path of step.outward) mark(path, "to");
  if (op) {
    for (const x of op.ins) mark(lookup(step.graph, x.op)?.element, "from");
    for (const reader of op.readers) mark(reader.element, "to");
  }
  for (const rect of step.rects) mark(rect, "from");
  if (step.graph === drawing.root) moveCursor(step.at);
  show(tell(step, op));
}

function show(text) {
  tip.textContent = text;
  tip.hidden = false;
}

for (const op of ops.values())
  for (const x of op.ins) {
    const maker = lookup(op.step.graph, x.op);
    if (maker) maker.readers.push(op);
  }

addEventListener("mousemove", ({ clientX, clientY }) => {
  const [width, height] = [tip.offsetWidth, tip.offsetHeight];
  tip.style.left = `${Math.min(clientX + 16, innerWidth - width - 8)}px`;
  tip.style.top = `${clientY + 20 + height > innerHeight ? clientY - height - 12 : clientY + 20}px`;
});

// ---- drawing --------------------------------------------------------------------------------------------------------------------

let size = { width: 0, height: 0 };

function draw() {
  dim();
  for (const step of steps) {
    step.inward = [];
    step.outward = [];
  }
  for (const op of ops.values()) op.element = undefined;
  const made = drawGraph(drawing.root);
  size = made;
  world.replaceChildren(made.element);
  mend();
}

/** Opens or closes a box, which stays where it is on the screen. */
function toggle(item) {
  const before = item.element.getBoundingClientRect();
  item.open = !item.open;
  draw();
  const after = item.element.getBoundingClientRect();
  shift(before.left - after.left, before.top - after.top);
}

// ---- searching --------------------------------------------------------------------------------------------------------------------

const search = byId("search");
let found = [];
let chosen = -1;

function textOf(step) {
  const outer = [...step.reads, ...step.writes].map(
    (slot) => `${step.graph.slots[slot].name} ${step.graph.slots[slot].result ?? ""}`,
  );
  return [step.name, ...outer, ...step.ops.flatMap((op) => [op.op, op.type, op.site, op.scope, op.role])]
    .join("\n")
    .toLowerCase();
}

/** Marks what was found in what is drawn now. */
function mend() {
  const hits = new Set(found.map((step) => step.element));
  for (const element of world.querySelectorAll(".hit")) element.classList.remove("hit");
  for (const element of hits) element.querySelector(".head").classList.add("hit");
}

search.addEventListener("input", () => {
  const text = search.value.trim().toLowerCase();
  found = text ? steps.filter((step) => textOf(step).includes(text)) : [];
  chosen = -1;
  byId("hits").textContent = text ? `${found.length} kernels` : "";
  mend();
});
search.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || found.length === 0) return;
  chosen = (chosen + (event.shiftKey ? found.length - 1 : 1)) % found.length;
  byId("hits").textContent = `${chosen + 1} of ${found.length}`;
  goTo(found[chosen]);
});

function goTo(step) {
  const closed = step.path.filter((group) => !group.open);
  for (const group of closed) group.open = true;
  if (closed.length > 0) draw();
  for (const element of world.querySelectorAll(".here")) element.classList.remove("here");
  step.element.classList.add("here");
  center(step.element);
}

// ---- memory: buffers between kernels, over the kernels ----------------------------------------------------------------------------

const arena = byId("arena");
const cursor = drawn("line", { y1: 0, y2: 100, "vector-effect": "non-scaling-stroke" });

function moveCursor(at) {
  cursor.setAttribute("x1", at + 0.5);
  cursor.setAttribute("x2", at + 0.5);
}

function drawArena() {
  const { buffers, slots, steps: all } = drawing.root;
  const peak = drawing.peak || 1;
  arena.setAttribute("viewBox", `0 0 ${Math.max(1, all.length)} 100`);
  arena.setAttribute("preserveAspectRatio", "none");
  const top = Math.max(peak, ...buffers.map((b) => b.offset + b.bytes));
  for (const { slot, bytes, offset, first, last } of buffers) {
    const height = (bytes / top) * 100;
    const rect = drawn("rect", {
      x: first,
      y: 100 - (offset / top) * 100 - height,
      width: last - first + 1,
      height,
      "vector-effect": "non-scaling-stroke",
    });
    const maker = all[first];
    maker.rects.push(rect);
    rect.onmouseenter = () => {
      show(
        `${slots[slot].type}, ${bytesText(bytes)}\nmade by kernel ${first + 1}: ${maker.name}\nlast read by kernel ${last + 1}: ${all[last].name}`,
      );
    };
    rect.onmouseleave = dim;
    rect.onclick = () => goTo(maker);
    arena.append(rect);
  }
  arena.append(cursor);
}

byId("fit").onclick = () => showAll(size);
byId("open").onclick = () => {
  const groups = new Set(steps.flatMap((step) => step.path));
  const open = [...groups].some((group) => !group.open);
  for (const group of groups) group.open = open;
  draw();
  showAll(size, 0.6);
};
byId("open").hidden = steps.every((step) => step.path.length === 0);

drawArena();
draw();
showAll(size, 0.6);
