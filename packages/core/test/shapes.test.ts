// Functions that move elements: what comes out, and what is refused.
import * as tf from "../src/index.js";

tf.registerReferenceBackend();

/** A bare tensor: its shape is checked at run time. */
const counting = (...shape: number[]): tf.Tensor =>
  tf.tensor(
    Float32Array.from({ length: shape.reduce((n, d) => n * d, 1) }, (_, i) => i),
    shape,
  );

describe("join and take apart", () => {
  test("concat and stack promote, and take negative axes", () => {
    const [a, b] = [tf.tensor(Int32Array.of(1, 2), [1, 2]), tf.tensor([[3, 4]])];
    const joined = tf.concat([a, b], -1);
    expect([joined.dtype, joined.arraySync()]).toEqual(["float32", [[1, 2, 3, 4]]]);
    expect(tf.stack([a, b], -1).arraySync()).toEqual([
      [
        [1, 3],
        [2, 4],
      ],
    ]);
  });
  test("split undoes concat, by number, by sizes and with an open size", () => {
    const x = counting(6, 2);
    for (const parts of [3, [1, 2, 3], [1, -1, 2]] as const) {
      const list: tf.Tensor[] = tf.split(x, parts as number);
      expect(tf.concat(list).arraySync()).toEqual(x.arraySync());
    }
    expect((tf.split(x, [1, -1, 2] as number[]) as tf.Tensor[]).map((t) => t.shape)).toEqual([
      [1, 2],
      [3, 2],
      [2, 2],
    ]);
  });
  test("unstack undoes stack", () => {
    const x = counting(2, 3, 4);
    for (const axis of [0, 1, 2, -1]) {
      const list: tf.Tensor[] = tf.unstack(x, axis);
      expect(tf.stack(list, axis).arraySync()).toEqual(x.arraySync());
    }
  });
  test("tile repeats each axis", () => {
    expect(tf.tile(counting(2, 2), [2, 3]).arraySync()).toEqual([
      [0, 1, 0, 1, 0, 1],
      [2, 3, 2, 3, 2, 3],
      [0, 1, 0, 1, 0, 1],
      [2, 3, 2, 3, 2, 3],
    ]);
    expect(tf.tile(counting(2, 2), [0, 1]).shape).toEqual([0, 2]);
  });
  test.each([
    ["parts that leave a rest", () => tf.split(counting(5), 2), "split: size 5 of [5] does not divide into 2 parts"],
    [
      "sizes with another sum",
      () => tf.split(counting(5), [2, 2] as number[]),
      "split: size 5 of [5] is not the sum of [2,2]",
    ],
    [
      "a size that is negative",
      () => tf.split(counting(5), [7, -2] as number[]),
      "split: size 5 of [5] does not divide into [7,-2]",
    ],
    ["two open sizes", () => tf.split(counting(5), [-1, -1] as number[]), "split"],
    ["shapes that differ in stack", () => tf.stack([counting(2), counting(3)]), "stack: [2] and [3] differ"],
    ["no tensors", () => tf.concat([] as tf.Tensor[]), "concat: needs a list of at least one tensor"],
    ["repeats of another rank", () => tf.tile(counting(2), [1, 2] as number[]), "tile: [2] needs 1 repeats, got 2"],
    ["an axis of another size", () => tf.squeeze(counting(2, 1), 0), "squeeze: axis 0 of [2,1] has size 2, not 1"],
    ["a slice beyond the end", () => tf.slice(counting(4), [2], [3]), "slice: 2 to 5 is outside axis 0 of [4]"],
    [
      "pairs of another rank",
      () =>
        tf.pad(counting(2), [
          [1, 1],
          [0, 0],
        ] as [number, number][]),
      "pad: rank 1 needs 1 pairs, got 2",
    ],
  ])("%s are refused", (_what, run, message) => expect(run).toThrow(message));
});

describe("coordinates", () => {
  test("gatherND reads what scatterND wrote; a place outside is 0, and dropped", () => {
    const at = tf.tensor(Int32Array.of(0, 1, 2, 0, 2, 3, -1, 0), [4, 2]);
    const x = tf.scatterND(at, [10, 20, 30, 40], [3, 2]);
    expect(x.arraySync()).toEqual([
      [0, 10],
      [0, 0],
      [20, 0],
    ]);
    expect(tf.gatherND(x, at).arraySync()).toEqual([10, 20, 0, 0]);
  });
  test("fewer coordinates than axes address rows", () => {
    const at = tf.tensor(Int32Array.of(2, 0), [2, 1]);
    expect(tf.gatherND(counting(3, 2), at).arraySync()).toEqual([
      [4, 5],
      [0, 1],
    ]);
    expect(
      tf
        .tensorScatterUpdate(counting(3, 2), at, [
          [7, 7],
          [8, 8],
        ])
        .arraySync(),
    ).toEqual([
      [8, 8],
      [2, 3],
      [7, 7],
    ]);
    expect(tf.tensorScatterAdd(counting(3, 2), tf.concat([at, at]), tf.ones([4, 2])).arraySync()).toEqual([
      [2, 3],
      [2, 3],
      [6, 7],
    ]);
  });
  test("more coordinates than axes, and fractions, are refused", () => {
    expect(() => tf.gatherND(counting(3), tf.tensor(Int32Array.of(0, 0), [1, 2]))).toThrow("address more axes");
    const half: tf.Tensor = tf.tensor([0.5]);
    expect(() => tf.gather(counting(3), half)).toThrow("gather: indices must be int32, got float32");
  });
});
