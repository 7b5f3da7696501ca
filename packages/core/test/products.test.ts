import * as tf from "../src/index.js";

tf.registerReferenceBackend();

const caught = (run: () => unknown): tf.MillraceError => {
  try {
    run();
  } catch (error) {
    if (tf.isMillraceError(error)) return error;
    throw error;
  }
  throw new Error("nothing was refused");
};

/** A bare tensor: the compiler does not know its shape, so the rules of run time are asked. */
const zeros = (...shape: number[]): tf.Tensor => tf.zeros(shape);

describe("matMul", () => {
  const counting = (...shape: number[]): tf.Tensor =>
    tf.tensor(
      Float32Array.from({ length: shape.reduce((n, d) => n * d, 1) }, (_, i) => ((i * 7) % 11) - 5),
      shape,
    );

  /** Σ over k for two matrices. */
  function product(a: number[][], b: number[][]): number[][] {
    return a.map((row) => (b[0] ?? []).map((_, j) => row.reduce((sum, x, k) => sum + x * b[k]![j]!, 0)));
  }
  const flip = (m: number[][]): number[][] => (m[0] ?? []).map((_, j) => m.map((row) => row[j]!));

  test.each([
    [false, false],
    [true, false],
    [false, true],
    [true, true],
  ])("transposeA %s, transposeB %s", (ta, tb) => {
    const a = ta ? counting(3, 2) : counting(2, 3);
    const b = tb ? counting(4, 3) : counting(3, 4);
    const [x, y] = [a.arraySync() as number[][], b.arraySync() as number[][]];
    expect(tf.matMul(a, b, ta, tb).arraySync()).toEqual(product(ta ? flip(x) : x, tb ? flip(y) : y));
  });

  test.each([
    [
      [2, 2, 3],
      [3, 4],
    ],
    [
      [2, 3],
      [2, 3, 4],
    ],
    [
      [2, 1, 2, 3],
      [5, 3, 1],
    ],
    [
      [1, 2, 3],
      [4, 3, 2],
    ],
    [
      [0, 2, 3],
      [3, 4],
    ],
    [
      [2, 0],
      [0, 3],
    ],
  ])("batch axes broadcast: %j x %j", (s, t) => {
    const [a, b] = [counting(...s), counting(...t)];
    for (const [ta, tb] of [
      [false, false],
      [true, true],
    ] as const) {
      const [x, y] = [ta ? swapLast(a) : a, tb ? swapLast(b) : b];
      const z = tf.matMul(x, y, ta, tb);
      const batch = tf.add(zeros(...s.slice(0, -2)), zeros(...t.slice(0, -2))).shape as number[];
      expect(z.shape).toEqual([...batch, s.at(-2), t.at(-1)]);
      const count = batch.reduce((n, d) => n * d, 1);
      const stack = (m: tf.Tensor, rows: number, columns: number): number[][][] =>
        tf.reshape(tf.broadcastTo(m, [...batch, rows, columns]), [count, rows, columns]).arraySync() as number[][][];
      const [p, q] = [stack(a, s.at(-2)!, s.at(-1)!), stack(b, t.at(-2)!, t.at(-1)!)];
      expect(tf.reshape(z, [count, s.at(-2)!, t.at(-1)!]).arraySync()).toEqual(
        p.map((m, i) => fullProduct(m, q[i]!, t.at(-1)!)),
      );
    }
  });
  const swapLast = (x: tf.Tensor): tf.Tensor => {
    const axes = [...Array(x.rank).keys()];
    return tf.transpose(x, [...axes.slice(0, -2), x.rank - 1, x.rank - 2]);
  };
  const fullProduct = (a: number[][], b: number[][], columns: number): number[][] =>
    b.length > 0 ? product(a, b) : a.map(() => new Array<number>(columns).fill(0));

  test("a vector is refused, with the matrix that it could be", () => {
    const error = caught(() => tf.matMul(zeros(3), zeros(3, 4)));
    expect([error.code, error.op, error.rule, error.shapes]).toEqual(["E_SHAPE", "matMul", "matMul.C1", [[3], [3, 4]]]);
    expect(error.message).toContain("first argument needs rank 2 or more, got [3]");
    expect(error.message).toContain("expandDims(a, 0) would give [1,4]");
    expect(caught(() => tf.matMul(zeros(2, 3), zeros(3))).message).toContain("expandDims(b, 1) would give [2,1]");
  });

  test.each([
    [[2, 3], [4, 5], undefined],
    [[2, 3], [5, 3], "transposeB: true would give [2,5]"],
    [[3, 2], [3, 5], "transposeA: true would give [2,5]"],
    [[2, 3], [5, 2], "swapping a and b would give [5,3]"],
    [[7, 2, 3], [5, 3], "transposeB: true would give [7,2,5]"],
    [[2, 3], [7, 5, 3], "transposeB: true would give [7,2,5]"],
    [[2, 3], [2, 3], undefined],
  ])("inner sizes that differ: %j x %j offers %s", (s, t, repair) => {
    const error = caught(() => tf.matMul(zeros(...s), zeros(...t)));
    expect(error.rule).toBe("matMul.C2");
    expect(error.message).toContain(`inner sizes ${s.at(-1)} and ${t.at(-2)} differ: [${s}] x [${t}]`);
    const [, , offered] = /^(.*)(?:\n {2}(.* would give .*))?\n {2}at /.exec(error.message) ?? [];
    expect(offered).toBe(repair);
  });

  test("batch axes that do not broadcast are refused", () => {
    expect(caught(() => tf.matMul(zeros(2, 3, 4), zeros(5, 4, 3))).message).toContain("do not broadcast");
  });

  test("integers multiply as integers, and promote", () => {
    const x = tf.tensor(Int32Array.of(1 << 20, 3), [1, 2]);
    expect(tf.matMul(x, tf.transpose(x)).arraySync()).toEqual([[9]]);
    expect(tf.matMul(x, tf.ones([2, 1])).dtype).toBe("float32");
  });
});

describe("dot and outerProduct", () => {
  test("vectors and matrices in every pairing", () => {
    const [v, m] = [
      tf.tensor([1, 2]),
      tf.tensor([
        [1, 2],
        [3, 4],
      ]),
    ];
    expect(tf.dot(v, v).arraySync()).toBe(5);
    expect(tf.dot(m, v).arraySync()).toEqual([5, 11]);
    expect(tf.dot(v, m).arraySync()).toEqual([7, 10]);
    expect(tf.dot(m, m).arraySync()).toEqual([
      [7, 10],
      [15, 22],
    ]);
    expect(tf.outerProduct(v, tf.tensor([3, 4, 5])).arraySync()).toEqual([
      [3, 4, 5],
      [6, 8, 10],
    ]);
  });
  test("other ranks and sizes are refused", () => {
    expect(caught(() => tf.dot(zeros(1, 2, 3), zeros(3))).rule).toBe("dot.C1");
    expect(caught(() => tf.dot(zeros(3), zeros(4, 3))).rule).toBe("dot.C2");
    expect(caught(() => tf.outerProduct(zeros(3), zeros(1, 3))).rule).toBe("outerProduct.C1");
  });
});
