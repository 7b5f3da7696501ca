import * as tf from "@millrace/core";

tf.registerReferenceBackend();

describe("eager", () => {
  test("an op on two tensors", () => {
    const x = tf.add(tf.tensor([1, 2, 3]), tf.tensor([10, 20, 30]));
    expect(x.arraySync()).toEqual([11, 22, 33]);
    expect(x.shape).toEqual([3]);
    expect(x.dtype).toBe("float32");
  });
});
