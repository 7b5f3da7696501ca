// Gradients of gathers stay rows until somebody wants the whole.
import * as tf from "@millrace/autodiff";
import { ReferenceBackend } from "@millrace/core/backend";

tf.registerReferenceBackend();
tf.registerBackend("loops", () => new ReferenceBackend({ name: "loops", fusion: true }), { priority: -2 });

const table = () =>
  tf.tensor(
    Float64Array.from({ length: 12 }, (_, i) => Math.sin(i)),
    [4, 3],
  );

/** Two gathers, one of them of a matrix of indices with a row twice. */
const loss = (x: tf.Tensor): tf.Tensor =>
  tf.add(tf.sum(tf.square(tf.gather(x, [2, 0]))), tf.sum(tf.pow(tf.gather(x, [[1], [2]]), 3)));
/** The same by products with one-hot rows. */
const dense = (x: tf.Tensor): tf.Tensor => {
  const pick = (rows: number[]) => tf.matMul(tf.cast(tf.oneHot(rows, 4), "float64"), x);
  return tf.add(tf.sum(tf.square(pick([2, 0]))), tf.sum(tf.pow(pick([1, 2]), 3)));
};

const expectClose = (a: tf.Tensor, b: tf.Tensor): void => {
  expect(a.shape).toEqual(b.shape);
  const [x, y] = [a.dataSync(), b.dataSync()];
  for (let i = 0; i < x.length; i++) expect(Number(x[i])).toBeCloseTo(Number(y[i]), 10);
};

function gradient(f: (x: tf.Tensor) => tf.Tensor, x: tf.Tensor): tf.Tensor {
  const tape = new tf.GradientTape();
  const y = tape.run(() => {
    tape.watch(x);
    return f(x);
  });
  return tape.gradient(y, x);
}

describe.each(["reference:0", "loops:0"])("on %s", (device) => {
  const on = <T>(f: () => T): T => tf.device(device, f);

  test("they are the rows of all gathers", () =>
    on(() => {
      const g = gradient(loss, table());
      if (!tf.isIndexedSlices(g)) throw new Error("it is dense");
      expect(g.shape).toEqual([4, 3]);
      expect([...g.indices.dataSync()].map(Number).sort()).toEqual([0, 1, 2, 2]);
      expect(g.values.shape).toEqual([4, 3]);
      expectClose(g.toDense(), gradient(dense, table()));
      expect(String(g)).toContain("IndexedSlices float64[4,3]");
    }));

  test("any op, read or function makes the whole of them", () =>
    on(() => {
      const want = gradient(dense, table());
      const g = () => gradient(loss, table());
      expectClose(g(), want);
      expectClose(tf.mul(g(), 1), want);
      expectClose(tf.fn((x: tf.Tensor) => tf.mul(x, 1))(g()), want);
      const made = g();
      const f = tf.fn((x: tf.Tensor) => tf.mul(made, x));
      expectClose(f(tf.scalar(1, "float64")), want);
      expectClose(f(tf.scalar(1, "float64")), want);
      const v = tf.variable(tf.zeros([4, 3], "float64"));
      v.assign(g());
      expectClose(v, want);
      expectClose(g().clone(), want);
    }));

  test("in a function, through one, and returned from one", () =>
    on(() => {
      const want = gradient(dense, table());
      expectClose(tf.fn((x: tf.Tensor) => gradient(loss, x))(table()), want);
      expectClose(gradient(tf.fn(loss), table()), want);
      const inside = tf.fn((x: tf.Tensor) => {
        const g = gradient(loss, x);
        return tf.isIndexedSlices(g) ? [g.values, g.indices] : [];
      })(table());
      expectClose(tf.indexedSlices(inside[0]!, inside[1]!, [4, 3]), want);
    }));

  test("with a dense part, in jacobians, and in derivatives of derivatives they are dense", () =>
    on(() => {
      const both = (f: typeof loss) => (x: tf.Tensor) => tf.add(f(x), tf.sum(tf.exp(x)));
      const found = gradient(both(loss), table());
      expect(tf.isIndexedSlices(found)).toBe(false);
      expectClose(found, gradient(both(dense), table()));
      const second = (f: typeof loss) => gradient((x) => tf.sum(tf.square(gradient(f, x))), table());
      expectClose(second(loss), second(dense));
      const rows = (f: typeof loss) => {
        const x = table();
        const tape = new tf.GradientTape();
        const y = tape.run(() => {
          tape.watch(x);
          return tf.mul(tf.gather(x, [3, 3]), f(x));
        });
        return tape.jacobian(y, x);
      };
      expectClose(rows(loss), rows(dense));
    }));

  test("a variable that is read twice, and after an assignment", () =>
    on(() => {
      const read = (f: typeof loss): tf.Tensor => {
        const v = tf.variable(table());
        const tape = new tf.GradientTape();
        const y = tape.run(() => {
          const first = f(v);
          v.assign(tf.add(v, 1));
          return tf.add(first, f(v));
        });
        return tape.gradient(y, v);
      };
      const g = read(loss);
      expect(tf.isIndexedSlices(g)).toBe(true);
      expectClose(g, read(dense));
    }));

  test("a tidy keeps what it returns, and disposing gives all of it back", () =>
    on(() => {
      const x = table();
      const before = tf.memory().numTensors;
      const g = tf.tidy(() => gradient(loss, x));
      expectClose(
        g,
        tf.tidy(() => gradient(dense, x)),
      );
      g.dispose();
      expect(g.isDisposed).toBe(true);
      expect(() => g.dataSync()).toThrow(expect.objectContaining({ code: "E_DISPOSED" }));
      g.dispose();
      expect(tf.memory().numTensors).toBeLessThanOrEqual(before + 1);
    }));
});

test("what are no rows of the shape is refused", () => {
  const refused = expect.objectContaining({ code: "E_SHAPE" });
  expect(() => tf.indexedSlices([[1, 2]], [0, 1], [3, 2])).toThrow(refused);
  expect(() => tf.indexedSlices([[1, 2]], [0], [3, 3])).toThrow(refused);
  expect(() => tf.indexedSlices([1], 0, [3])).toThrow(refused);
  expect(tf.indexedSlices([1, 2], [1, 1], [3]).arraySync()).toEqual([0, 3, 0]);
});
