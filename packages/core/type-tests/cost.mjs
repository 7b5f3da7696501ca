// How much work the compiler has with a call: type instantiations, on average over calls with random sizes.

/** Ceilings on the instantiations of one call; a product is that of four sizes of three digits. */
export const ceilings = { ordinary: 250, arithmetic: 700, product: 3000 };

/** A module that calls one op `count` times, on operands of ever new sizes. */
export function costModule({ call, operands }, count) {
  let state = 11;
  const size = (limit = 512) => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return 1 + Math.floor((state / 0x80000000) * limit);
  };
  const lines = [
    `import type { Tensor } from "@millrace/core";`,
    `import * as tf from "@millrace/core";`,
    `declare const indices: Tensor<[7], "int32">;`,
    "export { indices, tf };",
  ];
  for (let i = 0; i < count; i++) {
    const shapes = operands(size);
    const names = shapes.map((_, j) => `x${i}_${j}`);
    for (const [j, shape] of shapes.entries()) lines.push(`declare const ${names[j]}: Tensor<[${shape}], "float32">;`);
    lines.push(`export const y${i} = ${call(names, shapes, size)};`);
  }
  return lines.join("\n");
}

/** A module without a call: what the compiler does anyway. */
export const emptyModule = () => costModule({ call: () => "0", operands: () => [] }, 0);

const ordinary = (call, operands) => ({ kind: "ordinary", call, operands });
const arithmetic = (call, operands) => ({ kind: "arithmetic", call, operands });

const matrix = (size) => [[size(), size()]];
const image = (size) => [[size(), size(), size()]];

/** The calls measured, by name. */
export const costCases = {
  zeros: ordinary(
    (_, __, size) => `tf.zeros([${size()}, ${size()}, ${size()}, ${size()}])`,
    () => [],
  ),
  tensor: ordinary(
    (_, __, size) => `tf.tensor([[${size()}, ${size()}], [${size()}, ${size()}]])`,
    () => [],
  ),
  addEqual: ordinary(
    ([a, b]) => `tf.add(${a}, ${b})`,
    (size) => image(size).flatMap((s) => [s, s]),
  ),
  addBroadcast: ordinary(
    ([a, b]) => `tf.add(${a}, ${b})`,
    (size) => image(size).flatMap((s) => [s, [s[1], 1]]),
  ),
  addScalar: ordinary(([a]) => `tf.add(${a}, 1)`, image),
  addMethod: ordinary(
    ([a, b]) => `${a}.add(${b})`,
    (size) => image(size).flatMap((s) => [s, s]),
  ),
  relu: ordinary(([a]) => `tf.relu(${a})`, image),
  matMul: ordinary(
    ([a, b]) => `tf.matMul(${a}, ${b})`,
    (size) => matrix(size).flatMap((s) => [s, [s[1], size()]]),
  ),
  matMulBatched: ordinary(
    ([a, b]) => `tf.matMul(${a}, ${b})`,
    (size) => {
      const [n, h, k] = [size(), size(), size()];
      return [
        [n, h, size(), k],
        [n, h, k, size()],
      ];
    },
  ),
  transpose: ordinary(([a]) => `tf.transpose(${a}, [0, 2, 1])`, image),
  expandDims: ordinary(([a]) => `tf.expandDims(${a}, 1)`, image),
  squeeze: ordinary(
    ([a]) => `tf.squeeze(${a})`,
    (size) => [[size(), 1, size()]],
  ),
  sum: ordinary(([a]) => `tf.sum(${a}, -1, true)`, image),
  argMax: ordinary(([a]) => `tf.argMax(${a}, -1)`, image),
  softmax: ordinary(([a]) => `tf.softmax(${a})`, image),
  stack: ordinary(
    ([a, b]) => `tf.stack([${a}, ${b}])`,
    (size) => matrix(size).flatMap((s) => [s, s]),
  ),
  gather: ordinary(([a]) => `tf.gather(${a}, indices, 1)`, matrix),
  concat: arithmetic(
    ([a, b]) => `tf.concat([${a}, ${b}], 1)`,
    (size) => matrix(size).flatMap((s) => [s, [s[0], size()]]),
  ),
  reshapeProduct: {
    kind: "product",
    call: ([a]) => `tf.reshape(${a}, [-1])`,
    operands: (size) => [[size(), size(), size(), size()]],
  },
  flattenImage: arithmetic(
    ([a], [s]) => `tf.reshape(${a}, [${s[0]}, -1])`,
    (size) => [[size(), size(28), size(28), size(64)]],
  ),
  reshapeKeep: arithmetic(
    ([a], [s]) => `tf.reshape(${a}, [${s[0]}, ${s[1]}, -1])`,
    (size) => [[size(), size(), size(64), size(64)]],
  ),
  reshapeLiteral: arithmetic(
    ([a], [s]) => `tf.reshape(${a}, [${s[0]}, ${s[1] * s[2]}])`,
    (size) => [[size(), size(64), size(64)]],
  ),
  slice: arithmetic(([a], [s], size) => `tf.slice(${a}, [0, ${size(s[1]) - 1}])`, matrix),
  pad: arithmetic(([a]) => `tf.pad(${a}, [[0, 0], [1, 2]])`, matrix),
  tile: arithmetic(([a], _, size) => `tf.tile(${a}, [1, ${size(16)}])`, matrix),
  split: arithmetic(
    ([a]) => `tf.split(${a}, 2, 1)`,
    (size) => [[size(), 2 * size()]],
  ),
  conv2dSame: arithmetic(
    ([a, f]) => `tf.conv2d(${a}, ${f}, 2, "same")`,
    (size) =>
      image(size).flatMap(([n, h, c]) => [
        [n, h, size(), c],
        [3, 3, c, size()],
      ]),
  ),
  conv2dValid: arithmetic(
    ([a, f]) => `tf.conv2d(${a}, ${f})`,
    (size) =>
      image(size).flatMap(([n, h, c]) => [
        [n, 10 + h, 10 + size(), c],
        [3, 3, c, size()],
      ]),
  ),
  maxPool: arithmetic(
    ([a]) => `tf.maxPool(${a}, 2)`,
    (size) => [[size(), 10 + size(), 10 + size(), size()]],
  ),
};
