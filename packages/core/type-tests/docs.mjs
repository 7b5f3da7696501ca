// The TypeScript of docs/types.md: what its comments say of types and errors holds.

const imports = [
  `import type { Tensor } from "@millrace/core";`,
  `import * as tf from "@millrace/core";`,
  `import { is } from "../../packages/core/type-tests/expect.js";`,
  `declare const w: Tensor<[784, 10], "float32">;`,
];

/** A module of the blocks of a page. A statement followed by a comment with a sentence fails with it, as in type-tests/reject. */
export function docsModule(page) {
  const blocks = [...page.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code]) => code.trimEnd().split("\n"));
  return [
    ...imports,
    ...blocks.flatMap((lines) => lines.flatMap((line, i) => checked(line, sentenceAfter(lines, i)))),
  ].join("\n");
}

/** The sentence in the comment lines below a line. */
function sentenceAfter(lines, at) {
  const below = lines.slice(at + 1);
  const end = below.findIndex((line) => !line.startsWith("// "));
  const comment = below.slice(0, end < 0 ? undefined : end).join(" ");
  return lines[at].startsWith("//") ? undefined : /'"(.*)"'/.exec(comment)?.[1];
}

function checked(line, sentence) {
  if (sentence !== undefined) return [`//! ${sentence}`, line];
  const [, statement, type] = /^(.*); \/\/ Tensor<(.*)>$/.exec(line) ?? [];
  if (statement === undefined) return [line];
  const [, name] = /^const (\w+) =/.exec(statement) ?? [];
  return name ? [line, `is<${type}>()(${name}, true);`] : [`is<${type}>()(${statement}, true);`];
}
