import * as tf from "@millrace/autodiff";
import { ReferenceBackend } from "@millrace/core/backend";
import { applyOp, defineOp } from "@millrace/core/extend";

tf.registerReferenceBackend();
tf.registerBackend("loops", () => new ReferenceBackend({ name: "loops", fusion: true }), { priority: -2 });

describe.each(["reference:0", "loops:0"])("control flow on %s", (device) => {
  const on = <T>(f: () => T): T => tf.device(device, f);

  test("cond takes one branch, and its gradient is that branch's", () =>
    on(() => {
      const f = tf.fn((x: tf.Tensor) =>
        tf.cond(
          tf.greater(tf.sum(x), 0),
          () => tf.mul(x, x),
          () => tf.neg(x),
        ),
      );
      expect(f(tf.tensor([1, 2])).arraySync()).toEqual([1, 4]);
      expect(f(tf.tensor([-1, -2])).arraySync()).toEqual([1, 2]);
      expect(
        tf
          .grad(f)(tf.tensor([1, 2]))
          .arraySync(),
      ).toEqual([2, 4]);
      expect(
        tf
          .grad(f)(tf.tensor([-1, -2]))
          .arraySync(),
      ).toEqual([-1, -1]);
    }));

  test("a branch assigns a variable", () =>
    on(() => {
      const v = tf.variable(0);
      const f = tf.fn((x: tf.Tensor) => {
        tf.cond(
          tf.greater(x, 0),
          () => void v.assign(tf.add(v, x) as typeof v),
          () => undefined,
        );
        return tf.mul(v, 2);
      });
      expect(f(tf.scalar(3)).itemSync()).toBe(6);
      expect(f(tf.scalar(-3)).itemSync()).toBe(6);
      expect(v.itemSync()).toBe(3);
    }));

  test.each([0, 10])("whileLoop computes x^(2^3), and its gradient, with maximumIterations %i", (maximumIterations) =>
    on(() => {
      const options = maximumIterations ? { maximumIterations } : {};
      const f = tf.fn((x: tf.Tensor) => {
        const [, y] = tf.whileLoop(
          (i) => tf.less(i, 3),
          (i, z) => [tf.add(i, 1), tf.mul(z!, z!)],
          [tf.scalar(0, "int32"), x],
          options,
        );
        return y!;
      });
      expect(f(tf.scalar(2)).itemSync()).toBe(256);
      expect(tf.grad(f)(tf.scalar(2)).itemSync()).toBe(8 * 2 ** 7);
      expect(
        tf
          .grad(tf.fn((x: tf.Tensor) => tf.grad(f)(x)))(tf.scalar(2))
          .itemSync(),
      ).toBe(56 * 2 ** 6);
    }),
  );

  test("a loop's gradient reaches what the body captures", () =>
    on(() => {
      const w = tf.variable(3);
      const f = tf.fn((x: tf.Tensor) => {
        const { grads } = tf.variableGrads(
          () =>
            tf.whileLoop(
              (i) => tf.less(i, 2),
              (i, z) => [tf.add(i, 1), tf.mul(z!, w)],
              [tf.scalar(0), x],
            )[1]!,
        );
        return grads[w.name]!;
      });
      expect(f(tf.scalar(5)).itemSync()).toBe(30); // d(5 w²)/dw = 10 w
    }));

  test("a body that assigns a variable carries it", () =>
    on(() => {
      const v = tf.variable(1);
      const f = tf.fn((n: tf.Tensor) => {
        tf.whileLoop(
          (i) => tf.less(i, n),
          (i) => {
            v.assign(tf.mul(v, 2) as typeof v);
            return [tf.add(i, 1)];
          },
          [tf.scalar(0)],
        );
        return tf.add(v, 0);
      });
      expect(f(tf.scalar(5)).itemSync()).toBe(32);
      expect(v.itemSync()).toBe(32);
    }));
});

test.each([{}, { maximumIterations: 5 }])("through an op from outside of core in a loop, with %j", (options) => {
  const squareOp = defineOp({
    name: "test/square",
    arity: 1,
    infer: ([x]) => [x!],
    reference([x], _attrs, [y]) {
      for (let i = 0; i < y!.data.length; i++) y!.data[i] = Number(x!.data[i]) ** 2;
    },
    vjp: (b, [g], [x]) => [b.mul([g!, b.add([x!, x!])])],
    batch: "elementwise",
  });
  const fourth = (x: tf.Tensor): tf.Tensor =>
    tf.whileLoop(
      (i) => tf.less(i, 2),
      (i, y) => [tf.add(i, 1), applyOp(squareOp, [y!])],
      [tf.scalar(0), x],
      options,
    )[1]!;
  const gradient = tf.fn(tf.grad((x) => tf.sum(fourth(x))));
  expect(gradient(tf.tensor([1, 2, 3])).arraySync()).toEqual([4, 32, 108]);
});
