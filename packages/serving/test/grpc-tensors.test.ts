// Sizes that a message declares, against what it holds.
import { readTensorProto } from "../src/grpc/tensors.js";

const proto = (...sizes: number[]): Parameters<typeof readTensorProto>[1] => ({
  dtype: 1,
  tensor_shape: { dim: sizes.map((size) => ({ size })) },
});

test.each([
  ["more than the limit", [100, 100]],
  ["rows of nothing", [2 ** 40, 0]],
  ["a product that no double holds, times 0", [...new Array<number>(40).fill(2 ** 52), 0]],
])("%s", (_, sizes) => {
  expect(() => readTensorProto("x", proto(...sizes), 1000)).toThrow(
    expect.objectContaining({ status: "RESOURCE_EXHAUSTED" }),
  );
});

test("an empty tensor of few rows is one", () => {
  expect(readTensorProto("x", proto(3, 0), 1000)).toEqual({
    dtype: "float32",
    shape: [3, 0],
    data: new Float32Array(0),
  });
});
