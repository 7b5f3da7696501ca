// Random sums, differences, products and quotients of number literals, up to 2^53.

/** A module of about eight checks for each of `count` pairs of numbers, a check a line. */
export function fuzzArith(seed, count) {
  let state = seed;
  const below = (n) => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return Math.floor((state / 0x80000000) * n);
  };
  const pick = () => below([10, 100, 1000, 10000, 1e6, 1e8, 1e12][below(7)]);
  const lines = [
    `import type { Add, CeilDiv, FloorDiv, Mod, Mul, Sub } from "@millrace/core/types/arith.gen";`,
    `import type { Equal } from "../../packages/core/type-tests/expect.js";`,
    "type True<T extends true> = T;",
  ];
  const check = (expression, value) =>
    lines.push(`export type T${lines.length} = True<Equal<${expression}, ${value}>>;`);
  for (let i = 0; i < count; i++) {
    const [a, b, small] = [pick(), pick(), 1 + below(12)];
    const [high, low] = [Math.max(a, b), Math.min(a, b)];
    check(`Add<${a}, ${b}>`, a + b);
    check(`Sub<${high}, ${low}>`, high - low);
    if (high !== low) check(`Sub<${low}, ${high}>`, "never");
    if (a * b < 2 ** 53) check(`Mul<${a}, ${b}>`, a * b);
    for (const divisor of b > 0 ? [small, b] : [small]) {
      check(`FloorDiv<${a}, ${divisor}>`, Math.floor(a / divisor));
      check(`Mod<${a}, ${divisor}>`, a % divisor);
      check(`CeilDiv<${a}, ${divisor}>`, Math.ceil(a / divisor));
    }
  }
  return lines.join("\n");
}
