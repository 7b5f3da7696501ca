// The transform that takes rules out of definitions, on small sources of every form that core has, and of forms it refuses.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { strippedNamesIn, strippedSources } from "../lib/strip-rules.mjs";

let src: string;
beforeEach(() => {
  src = mkdtempSync(join(tmpdir(), "strip-rules-"));
});
afterEach(() => rmSync(src, { recursive: true }));

const imported = 'import { defineComposite, defineOp } from "../ir/op.js";\n';

/** The sources after the transform, whitespace folded; a file that defines no op is not among them. */
function strip(files: Record<string, string>): Record<string, string> {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(src, "ops", path)), { recursive: true });
    writeFileSync(join(src, "ops", path), text);
  }
  const fold = (text: string): string => text.replace(/\s+/g, " ").trim();
  return Object.fromEntries([...strippedSources(src)].map(([path, text]) => [path.slice(src.length + 5), fold(text)]));
}

test("takes rules out of definitions, whatever form they have, and keeps the lines where they were", () => {
  const text = `${imported}export const aOp: Op<"a"> = defineOp<"a", A>({
  name: "a",
  infer: ([x]) => [x], // stays
  reference([x], _attrs, [out]) {
    loop(x, out);
  },
  vjp: noRule("none"),
  batch,
  "jvp": 1,
  effect: true,
});
export const after = 1;
`;
  const { "a.ts": stripped } = strip({ "a.ts": text });
  expect(stripped).toBe(
    'import { defineComposite, defineOp } from "../ir/op.js"; export const aOp: Op<"a"> = defineOp<"a", A>({ name: "a", ' +
      "infer: ([x]) => [x], // stays effect: true, }); export const after = 1;",
  );
  const lines = [...strippedSources(src).values()][0]!.split("\n");
  expect(lines.findIndex((line) => line.startsWith("export const after"))).toBe(
    text.split("\n").findIndex((line) => line.startsWith("export const after")),
  );
});

test("follows helpers, through files and through each other, to what only rules read", () => {
  const {
    "unary.ts": unary,
    "compare.ts": compare,
    "sin.ts": sin,
  } = strip({
    "unary.ts": `${imported}export function defineUnary(spec) {
      const { name, scalar, vjp: rule } = spec;
      return defineOp({ name, infer: same(name, spec.accepts), reference: scalarReference(scalar), vjp: rule, batch: spec.batch });
    }`,
    "compare.ts": `import { defineUnary as define } from "./unary.js";
    export function defineComparison(name, holds) {
      return define({ name, accepts: all, scalar: { float: holds }, vjp: () => [null] });
    }
    export const eqOp = defineComparison("eq", (x, y) => x === y);`,
    "sin.ts": `import { defineUnary } from "./unary.js";
    export const sinOp = defineUnary({ name: "sin", accepts: floats, scalar: { float: Math.sin }, vjp: cosine });`,
  });
  expect(unary).toContain("const { name, } = spec;");
  expect(unary).toContain("return defineOp({ name, infer: same(name, spec.accepts), })");
  expect(compare).toContain("return define({ name, accepts: all, })");
  expect(compare).toContain('export const eqOp = defineComparison("eq", undefined);');
  expect(sin).toContain('defineUnary({ name: "sin", accepts: floats, })');
});

test("keeps what a helper reads for more than rules, and all of what it passes on", () => {
  const { "a.ts": text } = strip({
    "a.ts": `${imported}function defineA(spec) {
      const { name, f } = spec;
      return defineComposite({ name, lower: (b, [x]) => [f(b, x)], vjp: f, batch: "lower" });
    }
    function defineB(spec) {
      return defineOp({ name: spec.name, infer: inferOf(spec), reference: spec.f });
    }
    export const aOp = defineA({ name: "a", f: (b, x) => x });
    export const bOp = defineB({ name: "b", f: (x) => x, vjp: 1 });`,
  });
  expect(text).toContain('defineA({ name: "a", f: (b, x) => x })');
  expect(text).toContain('defineB({ name: "b", f: (x) => x, vjp: 1 })');
});

test("leaves files without definitions alone, and functions that call each other", () => {
  const pair = "function even(n) { return odd(n - 1); }\nfunction odd(n) { return even(n - 1); }";
  expect(strip({ "pair.ts": pair })).toEqual({});
  expect(strip({ "rules.ts": "export function vjp(spec) { return scale({ vjp: spec.reference }); }" })).toEqual({});
});

describe("refuses", () => {
  test.each([
    [
      "a definition that is no literal",
      "const spec = { name: 1 }; defineOp(spec);",
      /must be an object literal, got spec/,
    ],
    ["a spread", "defineOp({ ...common, vjp: 1 });", /must name its properties, got \.\.\.common/],
    ["a computed name", "defineOp({ [key]: 1 });", /must name its properties, got \[key\]: 1/],
    ["another name for defineOp", "const define = defineOp; define({ vjp: 1 });", /defineOp must be called/],
    ["defineOp as an argument", "[{ vjp: 1 }].map(defineOp);", /defineOp must be called/],
    [
      "a helper that takes parameters apart in its head",
      "function define({ name, vjp }) { return defineOp({ name, vjp }); }",
      /takes plain parameters/,
    ],
    [
      "a helper that calls itself",
      "function define(n) { if (n) return defineOp({ name: define(n - 1) }); return define(0); }",
      /define defines an op by calling itself/,
    ],
  ])("%s, with its line", (_what, text, message) => {
    expect(() => strip({ "a.ts": `${imported}${text}` })).toThrow(message);
    expect(() => strip({ "a.ts": `${imported}${text}` })).toThrow(/a\.ts:[23]: /);
  });
});

test("strippedNamesIn finds every form of a stripped property, and no other use of the word", () => {
  const forms = [
    "x({ vjp: 1 })",
    "x({ jvp() {} })",
    "({ batch }) => 1",
    "op.reference()",
    "op['vjp']",
    "x({ repairs })",
  ];
  for (const form of forms) expect(strippedNamesIn(form)).toHaveLength(1);
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the code that is looked through has a template
  expect(strippedNamesIn("const batch = 'vjp'; f(batch, `jvp ${reference}`); x.batches = 1;")).toEqual([]);
});
