// Functions with gradients of their own, and functions that are computed again for theirs: eager, traced, and in regions.
import * as tf from "@millrace/autodiff";

tf.registerReferenceBackend();

type Unary = (x: tf.Tensor) => tf.Tensor;

/** The same function in every way it may be run. */
const ways: Record<string, (f: Unary) => Unary> = {
  eager: (f) => f,
  traced: (f) => (x) => tf.fn(f)(x),
  "called in a trace": (f) => {
    const inner = tf.fn(f);
    return tf.fn((x: tf.Tensor) => inner(x));
  },
  "in a branch": (f) =>
    tf.fn((x: tf.Tensor) =>
      tf.cond(
        tf.less(0, 1),
        () => f(x),
        () => x,
      ),
    ),
};

/** The gradient of `f`, taken eagerly from outside or inside of a trace. */
const gradients: Record<string, (f: Unary) => Unary> = {
  outside: (f) => tf.grad(f),
  inside: (f) => tf.fn((x: tf.Tensor) => tf.grad(f)(x)),
};

/** Squares; its gradient is ten times as large, and reads what the function computed. */
const tenfold = tf.customGradient((x: tf.Tensor) => {
  const twice = tf.mul(x, 2);
  return { value: tf.square(x), grad: (dy: tf.Tensor) => tf.mul(dy, tf.mul(twice, 10)) };
});

for (const [way, as] of Object.entries(ways)) {
  for (const [place, gradientOf] of Object.entries(gradients)) {
    test(`a gradient of one's own, ${way}, asked ${place}`, () => {
      const f = as((x) => tf.mul(tenfold(x), 3));
      const x = tf.tensor([1, -2]);
      expect(f(x).arraySync()).toEqual([3, 12]);
      expect(gradientOf(f)(x).arraySync()).toEqual([60, -120]);
      // d/dx 60 x, also by way of what the gradient reads of the function.
      expect(gradientOf((y) => gradientOf(f)(y))(x).arraySync()).toEqual([60, 60]);
      expect(tf.jvp(f, [x], [tf.tensor([1, 0.5])]).tangent.arraySync()).toEqual([60, -60]);
    });

    test(`computed again, ${way}, asked ${place}: as if it were not`, () => {
      const w = tf.variable(tf.tensor([3, 4]));
      const plain: Unary = (x) => tf.sin(tf.mul(tf.square(x), w));
      const again = as(tf.recomputeGrad(plain));
      const x = tf.tensor([0.5, -0.25]);
      expect(again(x).arraySync()).toEqual(plain(x).arraySync());
      expect(gradientOf(again)(x).arraySync()).toEqual(tf.grad(plain)(x).arraySync());
      const ofVariable = (f: Unary) => tf.variableGrads(() => tf.sum(f(x)), [w]).grads[w.name]!.arraySync();
      expect(ofVariable(again)).toEqual(ofVariable(plain));
      const second = (f: Unary) =>
        tf
          .grad((y) => tf.grad(f)(y))(x)
          .arraySync() as number[];
      second(again).forEach((v, i) => {
        expect(v).toBeCloseTo((second(plain) as number[])[i]!, 5);
      });
    });
  }
}

test("several arguments and values, null and integers", () => {
  const f = tf.customGradient((x: tf.Tensor, i: tf.Tensor, y: tf.Tensor) => ({
    value: [tf.mul(x, y), tf.add(y, tf.cast(i, "float32"))] as const,
    grad: (a: tf.Tensor, b: tf.Tensor) => [tf.add(a, b), null, tf.mul(b, 100)],
  }));
  const args = [tf.tensor([2]), tf.tensor([5], undefined, "int32"), tf.tensor([3])] as const;
  for (const call of [f, tf.fn(f)]) {
    const tape = new tf.GradientTape();
    const [p, q] = tape.run(() => {
      tape.watch([args[0], args[2]]);
      return call(...args);
    });
    expect([p.arraySync(), q.arraySync()]).toEqual([[6], [8]]);
    expect(tape.gradient([p, q], [args[0], args[2]]).map((g) => g.arraySync())).toEqual([[2], [100]]);
  }
});

test("tfjs's form, and the gradient of the identity", () => {
  const f = tf.customGrad((x: tf.Tensor, save: tf.Save) => {
    save([tf.exp(x)]);
    return { value: tf.exp(x), gradFunc: (dy, [y]) => tf.mul(dy, tf.neg(y!)) };
  });
  expect(
    tf
      .grad(f)(tf.tensor([0]))
      .arraySync(),
  ).toEqual([-1]);
  const round = tf.gradPassThrough((x) => tf.round(x));
  for (const call of [round, tf.fn(round)]) {
    expect(call(tf.tensor([0.4, 1.6])).arraySync()).toEqual([0, 2]);
    expect(
      tf
        .grad(call)(tf.tensor([0.4, 1.6]))
        .arraySync(),
    ).toEqual([1, 1]);
  }
});

test("of each element of a batch", () => {
  const x = tf.tensor([
    [1, 2],
    [3, 4],
  ]);
  const traced = tf.fn((y: tf.Tensor) => tf.vectorizedMap((row) => tenfold(row), y));
  expect(traced(x).arraySync()).toEqual([
    [1, 4],
    [9, 16],
  ]);
  expect(tf.grad(traced)(x).arraySync()).toEqual([
    [20, 40],
    [60, 80],
  ]);
});

test("a value that is the argument itself", () => {
  const clip = tf.customGradient((x: tf.Tensor) => ({ value: x, grad: (dy: tf.Tensor) => tf.clipByValue(dy, -1, 1) }));
  for (const call of [clip, tf.fn(clip)]) {
    expect(
      tf
        .grad((x) => tf.mul(call(x), 5))(tf.tensor([7]))
        .arraySync(),
    ).toEqual([1]);
  }
});

test("what is refused", () => {
  const x = tf.tensor([1, 2]);
  const some = (g: unknown) => tf.customGradient((y: tf.Tensor) => ({ value: y, grad: () => g as tf.Tensor }));
  for (const run of [(f: Unary) => tf.grad(f)(x), (f: Unary) => tf.fn(f)(x)]) {
    expect(() => run(some([x, x]))).toThrow(/there are 1 arguments and 2 gradients/);
    expect(() => run(some(tf.ones([3])))).toThrow(/gradient 0 has shape \[3\], its argument \[2\]/);
    expect(() => run(tf.customGradient((() => x) as never))).toThrow(/must return \{ value, grad \}/);
  }
  const v = tf.variable(0);
  const assigning = tf.customGradient((y: tf.Tensor) => {
    v.assign(1);
    return { value: y, grad: (dy: tf.Tensor) => dy };
  });
  expect(() => tf.fn(assigning)(x)).toThrow(/must not assign variables/);
});
