// How large things may be and still have exact types: literals, chains, lists, ranks.

const list = (length, item) => Array.from({ length }, (_, i) => item(i));

/** A module of large expressions, each a line with its exact type. */
export function limits() {
  const rows = list(100, (i) => `[${list(100, (j) => i * 100 + j)}]`);
  return [
    `import * as tf from "@millrace/core";`,
    `import { is } from "../../packages/core/type-tests/expect.js";`,
    "const x = tf.zeros([2, 3]);",
    `is<[100, 100]>()(tf.tensor([${rows}]), true);`,
    `is<[3000]>()(tf.tensor([${list(3000, (i) => `${i}.5`)}]), true);`,
    `is<[20000]>()(tf.tensor([${list(20000, (i) => i)}], [20000]), true);`,
    `is<[2, 3]>()(${"tf.add(".repeat(100)}x${", 1)".repeat(100)}, true);`,
    `is<[2, 3]>()(x${".add(1)".repeat(100)}, true);`,
    `is<[200, 3]>()(tf.concat([${list(100, () => "x")}]), true);`,
    `is<[100, 2, 3]>()(tf.stack([${list(100, () => "x")}]), true);`,
    `is<[${2 ** 20}]>()(tf.flatten(tf.zeros([${list(20, () => 2)}])), true);`,
    `is<[${Number.MAX_SAFE_INTEGER}]>()(tf.flatten(tf.zeros([6361, 69431, 20394401])), true);`,
    "is<[1, 3]>()(tf.split(tf.zeros([256, 3]), 256)[255], true);",
  ].join("\n");
}
