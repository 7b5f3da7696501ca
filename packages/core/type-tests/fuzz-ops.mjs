// Random calls of every op with the result that a plain computation on numbers expects: a shape, or a refusal.

/** A generator of reproducible random numbers in [0, 1). */
function randomFrom(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return state / 0x80000000;
  };
}

const refused = Symbol("refused");
const text = JSON.stringify;
const product = (sizes) => sizes.reduce((a, b) => a * b, 1);

/** The index that an axis means in a shape of this rank. */
function indexOf(rank, axis) {
  const index = axis < 0 ? axis + rank : axis;
  return index < 0 || index >= rank ? refused : index;
}

function broadcast(a, b) {
  const rank = Math.max(a.length, b.length);
  const out = [];
  for (let i = 0; i < rank; i++) {
    const [x, y] = [a[a.length - rank + i] ?? 1, b[b.length - rank + i] ?? 1];
    if (x !== y && x !== 1 && y !== 1) return refused;
    out.push(x === 1 ? y : x);
  }
  return out;
}

const windows = (size, kernel, stride, padding, dilation = 1) => {
  if (padding === "same") return Math.ceil(size / stride);
  const extent = (kernel - 1) * dilation + 1;
  const padded = size + 2 * (padding === "valid" ? 0 : padding);
  return padded < extent ? refused : Math.floor((padded - extent) / stride) + 1;
};

/** The ops, each as a function that makes one case: [call, expected shape or refused]. */
function makers(random) {
  const below = (n) => Math.floor(random() * n);
  const pick = (list) => list[below(list.length)];
  const chance = (p) => random() < p;
  const size = () => pick([1, 2, 3, 4, 5, 7, 8, 16, 28, 32, 64, 100]);
  const shape = (rank) => Array.from({ length: rank }, size);
  const z = (sizes) => `z(${text(sizes)})`;
  const replaced = (sizes, index, ...by) => [...sizes.slice(0, index), ...by, ...sizes.slice(index + 1)];
  const inserted = (sizes, index, by) => [...sizes.slice(0, index), by, ...sizes.slice(index)];

  return {
    add() {
      const a = shape(1 + below(4));
      let b = a.slice(below(a.length + 1)).map((x) => (chance(0.3) ? 1 : x));
      if (chance(0.3)) b = shape(1 + below(3));
      return chance(0.3)
        ? [`tf.add(${z(b)}, ${z(a)})`, broadcast(b, a)]
        : [`tf.add(${z(a)}, ${z(b)})`, broadcast(a, b)];
    },
    broadcastTo() {
      const to = shape(1 + below(4));
      let from = to.slice(below(to.length + 1)).map((x) => (chance(0.3) ? 1 : x));
      if (chance(0.3)) from = shape(1 + below(4));
      const met = broadcast(from, to);
      return [`tf.broadcastTo(${z(from)}, ${text(to)})`, text(met) === text(to) ? to : refused];
    },
    where() {
      const [c, a, b] = [shape(below(3)), shape(below(3)), shape(below(3))].map((s) =>
        s.map((x) => (chance(0.6) ? 1 : x)),
      );
      const values = broadcast(a, b);
      return [`tf.where(${z(c)}, ${z(a)}, ${z(b)})`, values === refused ? refused : broadcast(c, values)];
    },
    matMul() {
      const [m, k, n] = [size(), size(), size()];
      const k2 = chance(0.2) ? size() : k;
      const [ta, tb] = [chance(0.5), chance(0.5)];
      const aBatch = shape(below(3));
      const bBatch = chance(0.5) ? aBatch : aBatch.map(() => 1);
      const a = [...aBatch, ...(ta ? [k, m] : [m, k])];
      const b = [...bBatch, ...(tb ? [n, k2] : [k2, n])];
      const batch = broadcast(aBatch, bBatch);
      return [`tf.matMul(${z(a)}, ${z(b)}, ${ta}, ${tb})`, k !== k2 || batch === refused ? refused : [...batch, m, n]];
    },
    transpose() {
      const s = shape(1 + below(5));
      if (chance(0.2)) return [`tf.transpose(${z(s)})`, [...s].reverse()];
      let perm = s
        .map((_, i) => [random(), i])
        .sort(([a], [b]) => a - b)
        .map(([, i]) => i);
      if (chance(0.2)) perm = perm.map(() => below(s.length));
      const isPermutation = new Set(perm).size === s.length;
      return [`tf.transpose(${z(s)}, ${text(perm)})`, isPermutation ? perm.map((i) => s[i]) : refused];
    },
    reshape() {
      const s = shape(1 + below(4));
      let t;
      if (chance(0.5)) {
        t = s
          .map((x) => [random(), x])
          .sort(([a], [b]) => a - b)
          .map(([, x]) => x);
        if (t.length > 1 && chance(0.6)) t = [t[0] * t[1], ...t.slice(2)];
        if (chance(0.5)) t[below(t.length)] = -1;
      } else {
        t = shape(1 + below(3));
        if (chance(0.5)) t[below(t.length)] = -1;
      }
      const known = product(t.filter((x) => x !== -1));
      const count = product(s);
      const fits = t.includes(-1) ? count % known === 0 : count === known;
      return [`tf.reshape(${z(s)}, ${text(t)})`, fits ? t.map((x) => (x === -1 ? count / known : x)) : refused];
    },
    sum() {
      const s = shape(1 + below(4));
      const keep = chance(0.5);
      const axes = chance(0.5) ? below(10) - 5 : [below(s.length), below(s.length) - s.length];
      const indices = [axes].flat().map((axis) => indexOf(s.length, axis));
      const left = keep ? s.map((x, i) => (indices.includes(i) ? 1 : x)) : s.filter((_, i) => !indices.includes(i));
      return [`tf.sum(${z(s)}, ${text(axes)}, ${keep})`, indices.includes(refused) ? refused : left];
    },
    argMax() {
      const s = shape(1 + below(4));
      const axis = below(10) - 5;
      const index = indexOf(s.length, axis);
      return [`tf.argMax(${z(s)}, ${axis})`, index === refused ? refused : replaced(s, index)];
    },
    softmax() {
      const s = shape(1 + below(4));
      const axis = below(10) - 5;
      return [`tf.softmax(${z(s)}, ${axis})`, indexOf(s.length, axis) === refused ? refused : s];
    },
    expandDims() {
      const s = shape(below(4));
      const axis = below(10) - 5;
      const index = indexOf(s.length + 1, axis);
      return [`tf.expandDims(${z(s)}, ${axis})`, index === refused ? refused : inserted(s, index, 1)];
    },
    squeeze() {
      const s = shape(1 + below(4)).map((x) => (chance(0.5) ? 1 : x));
      if (chance(0.3)) return [`tf.squeeze(${z(s)})`, s.filter((x) => x !== 1)];
      const axis = below(8) - 4;
      const index = indexOf(s.length, axis);
      return [`tf.squeeze(${z(s)}, ${axis})`, index === refused || s[index] !== 1 ? refused : replaced(s, index)];
    },
    concat() {
      const s = shape(1 + below(3));
      const axis = below(s.length * 2) - s.length;
      const index = indexOf(s.length, axis);
      const list = [s];
      for (let more = 1 + below(4); more > 0; more--) {
        const t = replaced(s, index, size());
        if (chance(0.1)) t[below(t.length)] = size();
        list.push(t);
      }
      const agree = list.every((t) => t.every((x, i) => i === index || x === s[i]));
      const total = list.reduce((sum, t) => sum + t[index], 0);
      return [`tf.concat([${list.map(z)}], ${axis})`, agree ? replaced(s, index, total) : refused];
    },
    stack() {
      const s = shape(below(3));
      const count = 1 + below(4);
      const axis = below(6) - 3;
      const index = indexOf(s.length + 1, axis);
      const list = Array(count).fill(z(s));
      return [`tf.stack([${list}], ${axis})`, index === refused ? refused : inserted(s, index, count)];
    },
    split() {
      const s = shape(1 + below(3));
      const axis = below(6) - 3;
      const index = indexOf(s.length, axis);
      if (chance(0.5)) {
        const parts = 1 + below(4);
        const fits = index !== refused && s[index] % parts === 0;
        return [`tf.split(${z(s)}, ${parts}, ${axis})[0]`, fits ? replaced(s, index, s[index] / parts) : refused];
      }
      const first = index === refused ? 1 : below(s[index] + 1);
      const rest = index === refused ? 1 : s[index] - first + (chance(0.2) ? 1 : 0);
      const fits = index !== refused && first + rest === s[index];
      return [`tf.split(${z(s)}, [${first}, ${rest}], ${axis})[1]`, fits ? replaced(s, index, rest) : refused];
    },
    gather() {
      const [s, indices] = [shape(1 + below(3)), shape(below(3))];
      const axis = below(6) - 3;
      const index = indexOf(s.length, axis);
      const call = `tf.gather(${z(s)}, zi(${text(indices)}), ${axis})`;
      return [call, index === refused ? refused : replaced(s, index, ...indices)];
    },
    slice() {
      const s = shape(1 + below(3));
      const begin = s.map((x) => below(x + 1));
      const length = s.map((x, i) => (chance(0.4) ? -1 : below(x - begin[i] + (chance(0.1) ? 3 : 1))));
      const fits = s.every((x, i) => length[i] === -1 || begin[i] + length[i] <= x);
      const left = s.map((x, i) => (length[i] === -1 ? x - begin[i] : length[i]));
      return [`tf.slice(${z(s)}, ${text(begin)}, ${text(length)})`, fits ? left : refused];
    },
    pad() {
      const s = shape(1 + below(3));
      const pairs = s.map(() => [below(4), below(12)]);
      if (chance(0.1)) pairs.push([0, 0]);
      const fits = pairs.length === s.length;
      return [`tf.pad(${z(s)}, ${text(pairs)})`, fits ? s.map((x, i) => x + pairs[i][0] + pairs[i][1]) : refused];
    },
    tile() {
      const s = shape(1 + below(3));
      const reps = s.map(() => 1 + below(15));
      if (chance(0.1)) reps.push(1);
      return [`tf.tile(${z(s)}, ${text(reps)})`, reps.length === s.length ? s.map((x, i) => x * reps[i]) : refused];
    },
    conv2d() {
      const [h, w] = [pick([5, 7, 8, 28, 224]), pick([5, 7, 8, 28, 224])];
      const channels = size();
      const expects = chance(0.2) ? size() : channels;
      const [kh, kw, out] = [1 + below(6), 1 + below(6), size()];
      const strides = [1 + below(3), 1 + below(3)];
      const padding = pick(["same", "valid", 1]);
      const dilation = chance(0.3) ? 2 : 1;
      const oh = windows(h, kh, strides[0], padding, dilation);
      const ow = windows(w, kw, strides[1], padding, dilation);
      const call = `tf.conv2d(${z([2, h, w, channels])}, ${z([kh, kw, expects, out])}, ${text(strides)}, ${text(padding)}, "NHWC", ${dilation})`;
      return [call, channels !== expects || oh === refused || ow === refused ? refused : [2, oh, ow, out]];
    },
    maxPool() {
      const [h, w, channels] = [pick([5, 7, 8, 28, 224]), pick([5, 7, 8, 28, 224]), size()];
      const pool = [1 + below(6), 1 + below(6)];
      const stride = 1 + below(3);
      const padding = pick(["same", "valid"]);
      const oh = windows(h, pool[0], stride, padding);
      const ow = windows(w, pool[1], stride, padding);
      const call = `tf.maxPool(${z([2, h, w, channels])}, ${text(pool)}, ${stride}, "${padding}")`;
      return [call, oh === refused || ow === refused ? refused : [2, oh, ow, channels]];
    },
  };
}

/** A module of `count` cases over all ops, a case a line. */
export function fuzzOps(seed, count) {
  const ops = Object.values(makers(randomFrom(seed)));
  const lines = [
    `import type { Shape, Tensor } from "@millrace/core";`,
    `import * as tf from "@millrace/core";`,
    `import { is } from "../../packages/core/type-tests/expect.js";`,
    `declare function z<const S extends Shape>(shape: S): Tensor<{ -readonly [K in keyof S]: S[K] }, "float32">;`,
    `declare function zi<const S extends Shape>(shape: S): Tensor<{ -readonly [K in keyof S]: S[K] }, "int32">;`,
  ];
  for (let i = 0; i < count; i++) {
    const [call, expected] = ops[i % ops.length]();
    lines.push(expected === refused ? `// @ts-expect-error\n${call};` : `is<${text(expected)}>()(${call}, true);`);
  }
  return lines.join("\n");
}

/** Names of the ops that the fuzz covers. */
export const fuzzedOps = Object.keys(makers(randomFrom(1)));
