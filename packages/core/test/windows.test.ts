// Convolutions and pooling against loops written from their definition, padding as TensorFlow pads.
import * as tf from "../src/index.js";

tf.registerReferenceBackend();

type Image = number[][][][];
type Pad = "same" | "valid" | number;

const random = (() => {
  let state = 1;
  return () => {
    state = (Math.imul(state, 48271) >>> 0) % 0x7fffffff;
    return state / 0x7fffffff - 0.5;
  };
})();
const tensor = (...shape: number[]): tf.Tensor =>
  tf.tensor(Float32Array.from({ length: shape.reduce((n, d) => n * d, 1) }, random), shape);

/** Places of windows along one axis, and how much is padded in front. */
function places(
  size: number,
  window: number,
  stride: number,
  pad: Pad,
): { readonly count: number; readonly front: number } {
  if (pad === "same") {
    const count = Math.ceil(size / stride);
    return { count, front: Math.floor(Math.max((count - 1) * stride + window - size, 0) / 2) };
  }
  const each = pad === "valid" ? 0 : pad;
  return { count: Math.floor((size + 2 * each - window) / stride) + 1, front: each };
}

/** Calls `visit` for each window and each place in it that is no padding. */
function slide(
  [height, width]: [number, number],
  [kh, kw]: [number, number],
  [sh, sw]: [number, number],
  [dh, dw]: [number, number],
  pad: Pad,
  visit: (i: number, j: number, y: number, x: number, p: number, q: number) => void,
): [number, number] {
  const rows = places(height, (kh - 1) * dh + 1, sh, pad);
  const columns = places(width, (kw - 1) * dw + 1, sw, pad);
  for (let i = 0; i < rows.count; i++)
    for (let j = 0; j < columns.count; j++)
      for (let p = 0; p < kh; p++)
        for (let q = 0; q < kw; q++) {
          const [y, x] = [i * sh + p * dh - rows.front, j * sw + q * dw - columns.front];
          if (y >= 0 && y < height && x >= 0 && x < width) visit(i, j, y, x, p, q);
        }
  return [rows.count, columns.count];
}

function expectClose(got: tf.Tensor, want: readonly number[], shape: readonly number[]): void {
  expect(got.shape).toEqual(shape);
  const data = got.dataSync() as Float32Array;
  for (const [i, x] of want.entries()) {
    if (Number.isNaN(x)) expect(data[i]).toBeNaN();
    else expect(data[i]).toBeCloseTo(x, 4);
  }
}

const pads: Pad[] = ["same", "valid", 1];
const shapes = [
  { h: 5, w: 6, k: [3, 2], stride: [1, 1], dilation: [1, 1] },
  { h: 6, w: 5, k: [2, 3], stride: [2, 3], dilation: [1, 1] },
  { h: 7, w: 7, k: [3, 2], stride: [1, 1], dilation: [2, 3] },
  { h: 4, w: 4, k: [1, 1], stride: [3, 1], dilation: [1, 1] },
] as { h: number; w: number; k: [number, number]; stride: [number, number]; dilation: [number, number] }[];

describe.each(pads)("with padding %s", (pad) => {
  test.each(shapes)(
    "conv2d $h x $w, filter $k, strides $stride, dilations $dilation",
    ({ h, w, k, stride, dilation }) => {
      const [x, f] = [tensor(2, h, w, 3), tensor(...k, 3, 2)];
      const [a, b] = [x.arraySync() as Image, f.arraySync() as Image];
      const sums = new Map<string, number>();
      const [oh, ow] = slide([h, w], k, stride, dilation, pad, (i, j, y, z, p, q) => {
        for (let n = 0; n < 2; n++)
          for (let o = 0; o < 2; o++)
            for (let c = 0; c < 3; c++) {
              const key = `${n},${i},${j},${o}`;
              sums.set(key, (sums.get(key) ?? 0) + a[n]![y]![z]![c]! * b[p]![q]![c]![o]!);
            }
      });
      const want: number[] = [];
      for (let n = 0; n < 2; n++)
        for (let i = 0; i < oh; i++)
          for (let j = 0; j < ow; j++) for (let o = 0; o < 2; o++) want.push(sums.get(`${n},${i},${j},${o}`) ?? 0);
      expectClose(tf.conv2d(x, f, stride, pad, "NHWC", dilation), want, [2, oh, ow, 2]);
    },
  );

  test.each(shapes)(
    "depthwiseConv2d $h x $w, filter $k, strides $stride, dilations $dilation",
    ({ h, w, k, stride, dilation }) => {
      const [x, f] = [tensor(1, h, w, 2), tensor(...k, 2, 3)];
      const [a, b] = [x.arraySync() as Image, f.arraySync() as Image];
      const sums = new Map<string, number>();
      const [oh, ow] = slide([h, w], k, stride, dilation, pad, (i, j, y, z, p, q) => {
        for (let c = 0; c < 2; c++)
          for (let m = 0; m < 3; m++) {
            const key = `${i},${j},${c * 3 + m}`;
            sums.set(key, (sums.get(key) ?? 0) + a[0]![y]![z]![c]! * b[p]![q]![c]![m]!);
          }
      });
      const want: number[] = [];
      for (let i = 0; i < oh; i++)
        for (let j = 0; j < ow; j++) for (let o = 0; o < 6; o++) want.push(sums.get(`${i},${j},${o}`) ?? 0);
      expectClose(tf.depthwiseConv2d(x, f, stride, pad, "NHWC", dilation), want, [1, oh, ow, 6]);
    },
  );

  test.each(shapes.filter(({ dilation }) => dilation[0] === 1))(
    "pooling $h x $w, window $k, strides $stride",
    ({ h, w, k, stride }) => {
      const x = tensor(1, h, w, 2);
      const a = x.arraySync() as Image;
      const seen = new Map<string, number[]>();
      const [oh, ow] = slide([h, w], k, stride, [1, 1], pad, (i, j, y, z) => {
        for (let c = 0; c < 2; c++) {
          const key = `${i},${j},${c}`;
          seen.set(key, [...(seen.get(key) ?? []), a[0]![y]![z]![c]!]);
        }
      });
      const each = (f: (values: number[]) => number): number[] => {
        const list: number[] = [];
        for (let i = 0; i < oh; i++)
          for (let j = 0; j < ow; j++) for (let c = 0; c < 2; c++) list.push(f(seen.get(`${i},${j},${c}`) ?? []));
        return list;
      };
      // A window of padding alone has no mean.
      const [greatest, mean] = [each((v) => Math.max(...v)), each((v) => v.reduce((s, e) => s + e, 0) / v.length)];
      expectClose(tf.maxPool(x, k, stride, pad), greatest, [1, oh, ow, 2]);
      expectClose(tf.avgPool(x, k, stride, pad), mean, [1, oh, ow, 2]);
    },
  );

  test.each(shapes.filter(({ dilation }) => dilation[0] === 1))(
    "conv2dTranspose $h x $w is the transpose of conv2d: ⟨conv2d(x, f), y⟩ = ⟨x, conv2dTranspose(y, f)⟩",
    ({ h, w, k, stride }) => {
      const [x, f] = [tensor(2, h, w, 3), tensor(...k, 3, 2)];
      const forward = tf.conv2d(x, f, stride, pad);
      const y = tensor(...(forward.shape as number[]));
      const back = tf.conv2dTranspose(y, f, [2, h, w, 3], stride, pad);
      const inner = (a: tf.Tensor, b: tf.Tensor): number => tf.sum(tf.mul(a, b)).itemSync() as number;
      expect(inner(forward, y)).toBeCloseTo(inner(x, back), 3);
    },
  );
});

test("conv1d is conv2d of height 1", () => {
  const [x, f] = [tensor(2, 7, 3), tensor(3, 3, 2)];
  const wide = tf.conv2d(tf.expandDims(x, 1), tf.expandDims(f, 0), [1, 2], "same");
  expect(tf.conv1d(x, f, 2, "same").arraySync()).toEqual(tf.squeeze(wide, 1).arraySync());
});

test("separableConv2d is a depthwise, then a pointwise convolution", () => {
  const [x, f, g] = [tensor(1, 5, 5, 2), tensor(3, 3, 2, 2), tensor(1, 1, 4, 3)];
  const both = tf.conv2d(tf.depthwiseConv2d(x, f, 2, "same"), g);
  expect(tf.separableConv2d(x, f, g, 2, "same").arraySync()).toEqual(both.arraySync());
});

describe("what does not fit is refused under the caller's name", () => {
  const x = tensor(1, 4, 4, 2);
  const cases: [string, () => unknown, string][] = [
    [
      "a filter of another depth",
      () => tf.conv2d(x, tensor(2, 2, 3, 1)),
      "conv2d: input has 2 channels, filter expects 3",
    ],
    [
      "a filter that is too large",
      () => tf.conv2d(x, tensor(5, 5, 2, 1)),
      "conv2d: filter [5,5] exceeds the input [4,4]",
    ],
    [
      "an image of rank 3",
      () => tf.conv2d(tensor(4, 4, 2), tensor(2, 2, 2, 1)),
      "conv2d: input must be [n,h,w,c], got [4,4,2]",
    ],
    [
      "a window that is too large",
      () => tf.maxPool(x, [5, 1] as [number, number]),
      "maxPool: window [5,1] exceeds the input [4,4]",
    ],
    [
      "a stride of 0",
      () => tf.avgPool(x, 2, 0 as number),
      "avgPool: strides must be one whole number from 1, or 2 of them, got 0",
    ],
    [
      "another padding",
      () => tf.maxPool(x, 2, 2, "full" as Pad),
      'maxPool: pad must be "same", "valid" or a whole number, got full',
    ],
    [
      "another layout",
      () => tf.conv2d(x, tensor(2, 2, 2, 1), 1, "valid", "NCHW" as "NHWC"),
      'conv2d: dataFormat must be "NHWC", got NCHW',
    ],
  ];
  test.each(cases)("%s", (_what, run, message) => expect(run).toThrow(message));
});

test("roundings and layouts of TensorFlow.js that are not built are refused, never passed over", () => {
  const [x, line, filter] = [tf.ones([1, 5, 5, 1]), tf.ones([1, 5, 1]), tf.ones([3, 3, 1, 1])];
  // boundary: what plain JavaScript might write
  const untyped = (value: unknown): never => value as never;
  const code = (f: () => unknown): string => {
    try {
      f();
    } catch (error) {
      return tf.isMillraceError(error) ? error.code : `${error}`;
    }
    return "";
  };
  for (const mode of ["ceil", "round"]) {
    expect(code(() => tf.maxPool(x, 2, 2, "valid", untyped(mode)))).toBe("E_UNIMPLEMENTED");
    expect(code(() => tf.avgPool(x, 2, 2, "valid", untyped(mode)))).toBe("E_UNIMPLEMENTED");
    expect(code(() => tf.conv1d(line, tf.ones([3, 1, 1]), 1, "valid", "NWC", 1, untyped(mode)))).toBe(
      "E_UNIMPLEMENTED",
    );
    expect(code(() => tf.conv2d(x, filter, 1, "valid", "NHWC", 1, untyped(mode)))).toBe("E_UNIMPLEMENTED");
    expect(code(() => tf.depthwiseConv2d(x, filter, 1, "valid", "NHWC", 1, untyped(mode)))).toBe("E_UNIMPLEMENTED");
    expect(code(() => tf.conv2dTranspose(x, filter, [1, 7, 7, 1], 1, "valid", untyped(mode)))).toBe("E_UNIMPLEMENTED");
  }
  expect(code(() => tf.separableConv2d(x, filter, tf.ones([1, 1, 1, 1]), 1, "valid", 1, untyped("NCHW")))).toBe(
    "E_ARGUMENT",
  );
  expect(tf.maxPool(x, 2, 2, "valid", "floor").shape).toEqual([1, 2, 2, 1]);
});
