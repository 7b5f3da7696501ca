// Jacobians, forward mode and vectorizedMap, against loops, finite differences and reverse mode.
import * as tf from "@millrace/autodiff";

tf.registerReferenceBackend();

const close = (a: tf.Tensor | null, b: tf.Tensor | null, digits = 5): void => {
  expect(a!.shape).toEqual(b!.shape);
  const [x, y] = [a!.dataSync(), b!.dataSync()];
  for (let i = 0; i < x.length; i++) expect(Number(x[i])).toBeCloseTo(Number(y[i]), digits);
};

const f64 = (shape: number[], seed: number) => {
  const n = shape.reduce((p, q) => p * q, 1);
  return tf.tensor(
    Float64Array.from({ length: n }, (_, i) => Math.sin(seed + i * 1.7)),
    shape,
  );
};

const functions: Record<string, (x: tf.Tensor) => tf.Tensor> = {
  square: (x) => tf.square(x),
  softmax: (x) => tf.softmax(x),
  matMul: (x) => tf.tanh(tf.matMul(x, f64([3, 4], 2))),
  gather: (x) => tf.gather(x, tf.tensor([1, 0, 1], undefined, "int32")),
  reduce: (x) => tf.mul(tf.mean(x, 1), tf.max(x)),
  where: (x) => tf.where(tf.greater(x, 0), tf.exp(x), tf.mul(x, x)),
  loop: (x) =>
    tf.whileLoop(
      (i) => tf.less(i, 3),
      (i, y) => [tf.add(i, 1), tf.sin(tf.mul(y!, 2))],
      [tf.scalar(0, "int32"), x],
    )[1]!,
};

const rowsOf = (f: (x: tf.Tensor) => tf.Tensor, x: tf.Tensor): tf.Tensor => {
  const y = f(x);
  const rows = Array.from({ length: y.size }, (_, i) => {
    const dy = tf.tensor(
      Float64Array.from({ length: y.size }, (_, k) => (k === i ? 1 : 0)),
      y.shape as number[],
    );
    return tf.grad(f)(x, dy);
  });
  return tf.reshape(tf.stack(rows), [...(y.shape as number[]), ...(x.shape as number[])]);
};

const jacobian = (f: (x: tf.Tensor) => tf.Tensor, x: tf.Tensor): tf.Tensor => {
  const tape = new tf.GradientTape();
  const y = tape.run(() => {
    tape.watch(x);
    return f(x);
  });
  return tape.jacobian(y, x);
};

for (const [name, f] of Object.entries(functions)) {
  test(`jacobian of ${name}: its rows are gradients, eager and traced`, () => {
    const x = f64([2, 3], 1);
    const want = rowsOf(f, x);
    close(jacobian(f, x), want, 10);
    close(tf.fn((y: tf.Tensor) => jacobian(f, y))(x), want, 10);
    close(tf.fn((y: tf.Tensor) => jacobian(tf.fn(f), y))(x), want, 10);
  });

  test(`jvp of ${name}: the jacobian times the tangent, eager and traced`, () => {
    const [x, t] = [f64([2, 3], 1), f64([2, 3], 5)];
    const rows = jacobian(f, x);
    const rank = rows.shape.length;
    const want = tf.sum(tf.mul(rows, t), [rank - 2, rank - 1]);
    close(tf.jvp(f, [x], [t]).tangent, want, 10);
    close(tf.fn((a: tf.Tensor, b: tf.Tensor) => tf.jvp(f, [a], [b]).tangent)(x, t), want, 10);
  });

  test(`vectorizedMap of ${name}: a loop over the batch, with its gradient, eager and traced`, () => {
    const x = f64([4, 2, 3], 1);
    const parts = Array.from({ length: 4 }, (_, i) => tf.squeeze(tf.slice(x, [i, 0, 0], [1, 2, 3]), [0]));
    const want = tf.stack(parts.map((part) => f(part)));
    close(tf.vectorizedMap(f, x), want, 10);
    close(tf.fn((y: tf.Tensor) => tf.vectorizedMap(f, y))(x), want, 10);
    const gradients = tf.stack(parts.map((part) => tf.grad(f)(part)));
    close(tf.grad((y) => tf.vectorizedMap(f, y))(x), gradients, 10);
    close(
      tf.vectorizedMap((y) => tf.grad(f)(y), x),
      gradients,
      10,
    );
  });
}

test("several sources, variables, and what is not connected", () => {
  const w = tf.variable(tf.tensor([1, 2]));
  const [x, z] = [tf.tensor([3, 4]), tf.tensor([5])];
  const run = (options: tf.JacobianOptions) => {
    const tape = new tf.GradientTape();
    const y = tape.run(() => {
      tape.watch([x, z]);
      return tf.mul(tf.mul(w, x), w);
    });
    return tape.jacobian(y, { w, x, z }, options);
  };
  const found = run({});
  expect(found.w.arraySync()).toEqual([
    [6, 0],
    [0, 16],
  ]);
  expect(found.x.arraySync()).toEqual([
    [1, 0],
    [0, 4],
  ]);
  expect(found.z).toBeNull();
  expect(run({ unconnectedGradients: "zero" }).z.arraySync()).toEqual([[0], [0]]);
});

test("batchJacobian is the diagonal of the jacobian", () => {
  const f = (x: tf.Tensor) => tf.tanh(tf.matMul(tf.square(x), f64([3, 2], 2)));
  const x = f64([4, 3], 1);
  const both = (batch: boolean) => {
    const tape = new tf.GradientTape();
    const y = tape.run(() => {
      tape.watch(x);
      return f(x);
    });
    return batch ? tape.batchJacobian(y, x)! : tape.jacobian(y, x);
  };
  const [rows, whole] = [both(true).arraySync() as number[][][], both(false).arraySync() as number[][][][]];
  expect(rows.length).toBe(4);
  const diagonal = rows.map((row, n) => row.map((line, i) => line.map((_, j) => whole[n]![i]![n]![j]!)));
  close(tf.tensor(rows), tf.tensor(diagonal), 6);
  const tape = new tf.GradientTape();
  const y = tape.run(() => {
    tape.watch(x);
    return tf.sum(x, 0);
  });
  expect(() => tape.batchJacobian(y, x)).toThrow(/same leading size, got \[3\] and \[4,3\]/);
});

test("hessian, and forward over reverse", () => {
  const f = (x: tf.Tensor) => tf.sum(tf.exp(tf.mul(x, tf.reverse(x, 0))));
  const [x, v] = [f64([3], 1), f64([3], 4)];
  const h = tf.hessian(f)(x);
  const eps = 1e-5;
  const at = (d: number) => tf.grad(f)(tf.add(x, tf.mul(v, tf.scalar(d, "float64"))));
  const difference = tf.div(tf.sub(at(eps), at(-eps)), tf.scalar(2 * eps, "float64"));
  const product = tf.sum(tf.mul(h, v), 1);
  close(product, difference, 5);
  close(tf.jvp((y) => tf.grad(f)(y), [x], [v]).tangent, product, 10);
});

test("forward mode nests in a tape, and in itself", () => {
  const f = (x: tf.Tensor) => tf.pow(x, 3);
  const x = tf.tensor([2], undefined, "float64");
  const one = tf.tensor([1], undefined, "float64");
  expect(
    tf
      .grad((y) => tf.jvp(f, [y], [one]).tangent)(x)
      .arraySync(),
  ).toEqual([12]);
  expect(tf.jvp((y) => tf.jvp(f, [y], [one]).tangent, [x], [one]).tangent.arraySync()).toEqual([12]);
});

test("what a loop's trips decide for themselves", () => {
  // Halves until it is below 1: another number of trips for each element.
  const halve = (x: tf.Tensor) =>
    tf.whileLoop(
      (y) => tf.greaterEqual(y!, 1),
      (y) => [tf.div(y!, 2)],
      [x],
    )[0]!;
  const pick = (x: tf.Tensor) =>
    tf.cond(
      tf.greater(x, 3),
      () => tf.mul(x, 10),
      () => tf.neg(x),
    );
  const x = tf.tensor([0.5, 3, 8, 100]);
  const want = [0.5, 0.75, 0.5, 100 / 128];
  // Eager code decides by the value, of which a traced function has none.
  expect(tf.vectorizedMap(halve, x).arraySync()).toEqual(want);
  expect(tf.vectorizedMap(pick, x).arraySync()).toEqual([-0.5, -3, 80, 1000]);
  expect(
    tf
      .grad((y) => tf.vectorizedMap(pick, y))(x)
      .arraySync(),
  ).toEqual([-1, -1, 10, 10]);
});

test("what is refused", () => {
  const x = tf.ones([2, 3]);
  expect(() => tf.vectorizedMap((y) => y, tf.scalar(1))).toThrow(/a scalar has no leading axis/);
  expect(() => tf.vectorizedMap(([a]) => a, [x, tf.ones([3])])).toThrow(/must be equal, got \[2,3\], \[3\]/);
  expect(() => new tf.ForwardAccumulator(x, [x, x])).toThrow(/1 primals and 2 tangents/);
  expect(() => new tf.ForwardAccumulator(x, tf.ones([2]))).toThrow(
    /primal 0 is float32\[2,3\] and its tangent float32\[2\]/,
  );
  expect(() => tf.jvp(() => tf.ones([1]), [x], [x])).toThrow(/does not depend on the primals/);
  const printing = (y: tf.Tensor) => tf.print(y);
  expect(() => tf.vectorizedMap(printing, x)).toThrow(/print has no batched form: printing has an order/);
});
