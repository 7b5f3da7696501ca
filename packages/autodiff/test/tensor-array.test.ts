// tf.TensorArray: eager and in functions, through control flow, with gradients. What TensorFlow 2.21 gives is noted beside.
import * as tf from "@millrace/autodiff";
import { ReferenceBackend } from "@millrace/core/backend";

tf.registerReferenceBackend();
tf.registerBackend("loops", () => new ReferenceBackend({ name: "loops", fusion: true }), { priority: -2 });

const array = (size: number, options: tf.TensorArrayOptions = {}) => new tf.TensorArray("float32", size, options);
const code = (name: string) => expect.objectContaining({ code: name });

describe.each([
  ["eager", (f: () => tf.Tensor) => f()],
  ["in a function", (f: () => tf.Tensor) => tf.fn(f)()],
] as const)("%s", (_how, run) => {
  const of = (f: () => tf.Tensor): unknown => run(f).arraySync();

  test.each<[string, () => tf.Tensor, unknown]>([
    [
      "what was not written is zero",
      () => array(3).write(1, [1, 2]).stack(),
      [
        [0, 0],
        [1, 2],
        [0, 0],
      ],
    ],
    ["also where all was not", () => array(2, { elementShape: [2] }).read(0), [0, 0]],
    ["the last write counts", () => array(3).write(0, 1).write(0, 2).stack(), [2, 0, 0]],
    ["one that grows", () => array(0, { dynamicSize: true }).write(2, 1).stack(), [0, 0, 1]],
    ["no elements", () => array(0, { elementShape: [2] }).stack(), []],
    ["unstack and gather", () => array(3).unstack([1, 2, 3]).gather([2, 0]), [3, 1]],
    [
      "unstack and read",
      () =>
        array(2)
          .unstack([
            [1, 2],
            [3, 4],
          ])
          .read(1),
      [3, 4],
    ],
    ["scatter", () => array(3).scatter([2, 0], [5, 6]).stack(), [6, 0, 5]],
    ["split", () => array(3, { inferShape: false }).split([1, 2, 3, 4, 5, 6], [1, 2, 3]).read(1), [2, 3]],
    [
      "split in equal parts",
      () => array(3).split([1, 2, 3, 4, 5, 6], [2, 2, 2]).stack(),
      [
        [1, 2],
        [3, 4],
        [5, 6],
      ],
    ],
    ["concat", () => array(2, { inferShape: false }).write(0, [1, 2]).write(1, [3]).concat(), [1, 2, 3]],
    [
      "concat of rows",
      () =>
        array(2)
          .unstack([
            [1, 2],
            [3, 4],
          ])
          .concat(),
      [1, 2, 3, 4],
    ],
    ["size", () => array(5).size(), 5],
    ["size of rows", () => array(2).unstack([1, 2]).size(), 2],
    ["reading twice", () => tf.add(array(1).write(0, 4).read(0), array(1).write(0, 4).read(0)), 8],
    [
      "writing where it was cleared",
      () => {
        const once = array(1, { clearAfterRead: true }).write(0, 1);
        once.read(0);
        return once.write(0, 2).read(0);
      },
      2,
    ],
    ["a tensor for a number", () => array(3).write(tf.scalar(1, "int32"), 7).read(tf.scalar(1, "int32")), 7],
  ])("%s", (_name, f, want) => {
    expect(of(f)).toEqual(want);
  });

  test.each<[string, () => unknown, string]>([
    ["reading what nobody wrote, of no known shape", () => array(3).read(0), "E_ARGUMENT"],
    ["stacking that", () => array(3).stack(), "E_ARGUMENT"],
    [
      "reading what was cleared",
      () => {
        const once = array(1, { clearAfterRead: true }).write(0, 1);
        once.read(0);
        return once.read(0);
      },
      "E_ARGUMENT",
    ],
    ["writing behind the end", () => array(2).write(2, 1), "E_ARGUMENT"],
    ["writing before the start", () => array(2, { dynamicSize: true }).write(-1, 1), "E_ARGUMENT"],
    ["another shape", () => array(3).write(0, [1, 2]).write(1, [1]), "E_SHAPE"],
    ["a shape that was not announced", () => array(3, { elementShape: [2] }).write(0, 1), "E_SHAPE"],
    ["another dtype", () => array(3).write(0, tf.scalar(1, "int32")), "E_DTYPE"],
    ["more rows than elements", () => array(2).unstack([1, 2, 3]), "E_ARGUMENT"],
    ["half an element", () => array(2).write(0.5, 1), "E_ARGUMENT"],
    ["half a size", () => array(2.5), "E_ARGUMENT"],
    ["stacking what differs", () => array(2, { inferShape: false }).write(0, [1, 2]).write(1, [3]).stack(), "E_SHAPE"],
  ])("%s is refused", (_name, f, name) => {
    expect(() =>
      run(() => {
        f();
        return tf.scalar(0);
      }),
    ).toThrow(code(name));
  });
});

test("a write leaves the array as it was", () => {
  const first = array(2).write(0, 1);
  const second = first.write(0, 2);
  expect([first.read(0).itemSync(), second.read(0).itemSync()]).toEqual([1, 2]);
  expect([first.dtype, first.elementShape, array(1).elementShape, first.dynamicSize]).toEqual([
    "float32",
    [],
    null,
    false,
  ]);
});

describe.each(["reference:0", "loops:0"])("on %s", (device) => {
  const on = <T>(f: () => T): T => tf.device(device, f);

  /** tanh of running sums of rows, read from one array and written to another. */
  const running = (xs: tf.Tensor, options: tf.WhileOptions = {}): tf.Tensor => {
    const rows = array(4).unstack(xs);
    const empty = array(4, { elementShape: [2] });
    const [, , made] = tf.whileLoop(
      (i) => tf.less(i, 4),
      (i, sum, out) => {
        const next = tf.tanh(tf.add(sum, rows.read(i)));
        return [tf.add(i, 1), next, out.write(i, next)];
      },
      [tf.scalar(0, "int32"), tf.zeros([2]), empty],
      options,
    );
    return made.stack();
  };
  const byHand = (xs: tf.Tensor): tf.Tensor => {
    let sum: tf.Tensor = tf.zeros([2]);
    return tf.stack([0, 1, 2, 3].map((i) => (sum = tf.tanh(tf.add(sum, tf.gather(xs, i))))));
  };
  const xs = () =>
    tf.tensor([
      [1, 2],
      [-0.5, 0.25],
      [0.125, -1],
      [2, 0],
    ]);
  const loss = (f: (x: tf.Tensor) => tf.Tensor) => (x: tf.Tensor) => tf.sum(tf.mul(f(x), tf.square(f(x))));

  test.each([{}, { maximumIterations: 6 }])("through a loop, with gradients and theirs, with %j", (options) =>
    on(() => {
      const f = (x: tf.Tensor) => running(x, options);
      const ways = { eager: f, traced: tf.fn(f) };
      for (const way of Object.values(ways)) {
        const expectClose = (a: tf.Tensor, b: tf.Tensor): void => {
          const want = b.dataSync();
          a.dataSync().forEach((x: number, i: number) => {
            expect(x).toBeCloseTo(Number(want[i]), 4);
          });
        };
        expectClose(way(xs()), byHand(xs()));
        expectClose(tf.grad(loss(way))(xs()), tf.grad(loss(byHand))(xs()));
        const inside = (g: typeof byHand) => tf.fn((x: tf.Tensor) => tf.grad(loss(g))(x));
        expectClose(inside(f)(xs()), inside(byHand)(xs()));
        const second = (g: typeof byHand) => tf.grad((x) => tf.sum(tf.square(tf.grad(loss(g))(x))))(xs());
        expectClose(second(way), second(byHand));
      }
    }),
  );

  test("through conditionals, scans, and functions, in and out", () =>
    on(() => {
      const chosen = tf.fn((x: tf.Tensor) => {
        const start = array(2, { elementShape: [] }).write(0, x);
        return tf
          .cond(
            tf.greater(x, 0),
            () => start.write(1, tf.mul(x, 2)),
            () => start,
          )
          .stack();
      });
      expect(chosen(tf.scalar(3)).arraySync()).toEqual([3, 6]);
      expect(chosen(tf.scalar(-3)).arraySync()).toEqual([-3, 0]);
      const grow = tf.fn((a: tf.TensorArray, x: tf.Tensor) => a.write(1, x));
      const before = array(2).unstack([5, 0]);
      expect(
        grow(grow(before, tf.scalar(1)), tf.scalar(2))
          .stack()
          .arraySync(),
      ).toEqual([5, 2]);
      expect(grow.tracingCount()).toBe(1);
      expect(before.stack().arraySync()).toEqual([5, 0]);
    }));

  test("a number that is outside when the function runs is written nowhere and read as zeros", () =>
    on(() => {
      const f = tf.fn((i: tf.Tensor) => {
        const it = array(2, { elementShape: [] }).write(0, 5).write(i, 7);
        return tf.concat([it.stack(), tf.expandDims(it.read(i), 0)]);
      });
      expect(f(tf.scalar(1, "int32")).arraySync()).toEqual([5, 7, 7]);
      expect(f(tf.scalar(2, "int32")).arraySync()).toEqual([5, 0, 0]);
    }));

  test("a loop wants to know the shape of elements", () =>
    on(() => {
      const f = tf.fn(() =>
        tf
          .whileLoop(
            (i) => tf.less(i, 2),
            (i, a) => [tf.add(i, 1), a.write(i, 1)],
            [tf.scalar(0, "int32"), array(2)],
          )[1]
          .stack(),
      );
      expect(() => f()).toThrow(code("E_ARGUMENT"));
    }));
});
