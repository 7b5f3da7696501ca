// Scans: eager, as one op, by hand as a loop, and unrolled: the same values and gradients.
import * as tf from "@millrace/autodiff";
import { ReferenceBackend } from "@millrace/core/backend";

tf.registerReferenceBackend();
tf.registerBackend("loops", () => new ReferenceBackend({ name: "loops", fusion: true }), { priority: -2 });

const f64 = (shape: number[], seed: number) => {
  const n = shape.reduce((p, q) => p * q, 1);
  return tf.tensor(
    Float64Array.from({ length: n }, (_, i) => Math.sin(seed + i * 1.7)),
    shape,
  );
};

const expectClose = (a: tf.Tensor, b: tf.Tensor): void => {
  expect(a.shape).toEqual(b.shape);
  const [x, y] = [a.dataSync(), b.dataSync()];
  for (let i = 0; i < x.length; i++) expect(Number(x[i])).toBeCloseTo(Number(y[i]), 10);
};

/** A recurrent network's last state: h' = tanh(x·w + h·u). */
type Network = (x: tf.Tensor, w: tf.Tensor, u: tf.Tensor) => tf.Tensor;
const start = () => tf.zeros([2, 3], "float64");
const cell = (h: tf.Tensor, row: tf.Tensor, w: tf.Tensor, u: tf.Tensor): tf.Tensor =>
  tf.tanh(tf.add(tf.matMul(row, w), tf.matMul(h, u)));

const networks: Record<string, Network> = {
  unrolled: (x, w, u) => [0, 1, 2, 3, 4].reduce((h, i) => cell(h, tf.gather(x, i), w, u), start()),
  scan: (x, w, u) =>
    tf.gather(
      tf.scan((h, row) => cell(h, row, w, u), x, start()),
      4,
    ),
  foldl: (x, w, u) => tf.foldl((h, row) => cell(h, row, w, u), x, start()),
  foldr: (x, w, u) => tf.foldr((h, row) => cell(h, row, w, u), tf.reverse(x, 0), start()),
  whileLoop: (x, w, u) =>
    tf.whileLoop(
      (i) => tf.less(i, 5),
      (i, h) => [tf.add(i, 1), cell(h!, tf.gather(x, i!), w, u)],
      [tf.scalar(0, "int32"), start()],
    )[1]!,
};

describe.each(["reference:0", "loops:0"])("a recurrent network on %s", (device) => {
  const on = <T>(f: () => T): T => tf.device(device, f);
  const args = () => on(() => [f64([5, 2, 4], 1), f64([4, 3], 2), f64([3, 3], 3)] as const);
  const loss = (network: Network) => (x: tf.Tensor, w: tf.Tensor, u: tf.Tensor) => tf.sum(tf.square(network(x, w, u)));

  test.each(Object.keys(networks))("%s: value and gradients", (name) =>
    on(() => {
      const want = tf.valueAndGrads(loss(networks.unrolled!))(args());
      const f = loss(networks[name]!);
      const ways = [f, tf.fn(f), (...xs: tf.Tensor[]) => tf.fn(f)(...(xs as [tf.Tensor, tf.Tensor, tf.Tensor]))];
      const found = ways.map((way) => tf.valueAndGrads(way as typeof f)(args()));
      const inside = tf.fn((x: tf.Tensor, w: tf.Tensor, u: tf.Tensor) => tf.valueAndGrads(f)([x, w, u]));
      for (const { value, grads } of [...found, inside(...args())]) {
        expectClose(value, want.value);
        grads.forEach((g, i) => {
          expectClose(g, want.grads[i]!);
        });
      }
    }),
  );

  test("its second derivative, its forward derivative, and a batch of it", () =>
    on(() => {
      const [x, w, u] = args();
      const of = (name: string) => tf.fn((y: tf.Tensor) => loss(networks[name]!)(x, y, u));
      const again = (name: string) => tf.grad((y) => tf.sum(tf.square(tf.grad(of(name))(y))))(w);
      expectClose(again("scan"), again("unrolled"));
      const along = (name: string) => tf.jvp(of(name), [w], [f64([4, 3], 9)]).tangent;
      expectClose(along("scan"), along("unrolled"));
      const many = f64([2, 4, 3], 7);
      const batch = (name: string) => tf.vectorizedMap((y) => of(name)(y), many);
      expectClose(batch("scan"), batch("unrolled"));
      const xs = f64([3, 5, 2, 4], 4);
      const rows = (name: string) => tf.vectorizedMap((y) => tf.fn(networks[name]!)(y, w, u), xs);
      expectClose(rows("scan"), rows("unrolled"));
    }));
});

test("states and rows are structures; one trace serves every number of rows", () => {
  const f = tf.fn(
    (a: tf.Tensor, b: tf.Tensor) =>
      tf.scan(
        ({ sum, last }, { x, y }) => ({ sum: tf.add(sum, tf.mul(x, y)), last: x ?? last }),
        { x: a, y: b },
        {
          sum: tf.scalar(0),
          last: tf.scalar(0),
        },
      ),
    { inputSignature: [{ shape: [null] }, { shape: [null] }] },
  );
  for (const n of [1, 2, 7]) {
    const x = tf.range(0, n);
    const { sum, last } = f(x, x);
    expect(sum.arraySync()).toEqual(Array.from({ length: n }, (_, i) => (i * (i + 1) * (2 * i + 1)) / 6));
    expect(last.arraySync()).toEqual(x.arraySync());
  }
  expect(f.tracingCount()).toBe(1);
});

test("in the other order; mapFn; what a step assigns", () => {
  const x = tf.tensor([1, 2, 3]);
  const sums = (y: tf.Tensor) => tf.scan((s, v) => tf.add(tf.mul(s, 10), v), y, tf.scalar(0), { reverse: true });
  const squares = (y: tf.Tensor) => tf.mapFn((v) => [tf.square(v), tf.neg(v)] as const, y);
  for (const wrap of [<F>(f: F) => f, <F>(f: F) => tf.fn(f as never) as F]) {
    expect(wrap(sums)(x).arraySync()).toEqual([321, 32, 3]);
    const [a, b] = wrap(squares)(x);
    expect([a.arraySync(), b.arraySync()]).toEqual([
      [1, 4, 9],
      [-1, -2, -3],
    ]);
    const count = tf.variable(0);
    const counting = (y: tf.Tensor) =>
      tf.foldl(
        (s, v) => {
          count.assign(tf.add(count, 1) as typeof count);
          return tf.add(s, tf.mul(v, count));
        },
        y,
        tf.scalar(0),
      );
    expect(wrap(counting)(x).itemSync()).toBe(14);
    expect(count.itemSync()).toBe(3);
  }
});

test("switchCase takes the branch of a number", () => {
  const f = (i: tf.Tensor, x: tf.Tensor) =>
    tf.switchCase(i, [() => tf.mul(x, 10), () => tf.neg(x), () => tf.square(x)]);
  for (const call of [f, tf.fn(f)]) {
    const of = (i: number) => call(tf.scalar(i, "int32"), tf.scalar(3)).itemSync();
    expect([of(0), of(1), of(2), of(7), of(-1)]).toEqual([30, -3, 9, 9, 9]);
    expect(
      tf
        .grad((x) => call(tf.scalar(2, "int32"), x))(tf.scalar(3))
        .itemSync(),
    ).toBe(6);
  }
  expect(() => tf.switchCase(tf.scalar(1), [() => 1])).toThrow(/must be int32, got float32/);
  expect(() => tf.switchCase(tf.scalar(1, "int32"), [])).toThrow(/needs a branch/);
});

test("what is refused, eager and traced alike", () => {
  const x = tf.ones([3, 2]);
  const bad: Record<string, [(y: tf.Tensor) => unknown, RegExp]> = {
    rows: [(y) => tf.scan((s) => s, [y, tf.ones([4])], tf.scalar(0)), /as many rows, got \[3,2\], \[4\]/],
    scalar: [() => tf.mapFn((v) => v, tf.scalar(1)), /a scalar has no rows/],
    shape: [(y) => tf.foldl((_s, row) => row, y, tf.scalar(0)), /float32\[\], got float32\[2\]/],
    structure: [(y) => tf.foldl((s) => [s] as never, y, tf.scalar(0)), /structure of the initial value/],
  };
  for (const [f, message] of Object.values(bad)) {
    expect(() => f(x)).toThrow(message);
    expect(() => tf.fn((y: tf.Tensor) => f(y) as tf.Tensor)(x)).toThrow(message);
  }
});
