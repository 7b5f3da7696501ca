// A tensor is an object, so JavaScript takes it for true, whatever it holds; in a function that is traced it has no value at all.
import type { Context, Node, Rule, Type, TypeChecker, TypeServices } from "./eslint-types.js";

/** What is written instead. */
const instead: Readonly<Record<string, string>> = {
  "&&": "tf.logicalAnd",
  "||": "tf.logicalOr",
  "!": "tf.logicalNot",
  "?:": "tf.where or tf.cond",
  while: "tf.whileLoop",
};

/** The interfaces of tensors, and where they are declared: in a project, or in this repository. */
const names: ReadonlySet<string> = new Set(["Tensor", "Variable"]);
const packages = /[\\/](?:@millrace[\\/]core|packages[\\/]core)[\\/](?:src|dist)[\\/]/;

function isTensor(type: Type, checker: TypeChecker): boolean {
  if (type.isUnionOrIntersection()) return type.types.some((part) => isTensor(part, checker));
  const symbol = type.aliasSymbol ?? type.getSymbol();
  const declared = symbol?.declarations?.some((at) => packages.test(at.getSourceFile().fileName));
  if (symbol && names.has(symbol.name) && declared) return true;
  return type.isClassOrInterface() && checker.getBaseTypes(type).some((base) => isTensor(base, checker));
}

/** What of a union is no tensor and may be false: `Tensor | undefined` is asked for whether it is there. */
function mayBeMissing(type: Type, checker: TypeChecker): boolean {
  return type.isUnion() && type.types.some((part) => !isTensor(part, checker));
}

function typed({ sourceCode }: Context): TypeServices {
  const { parserServices } = sourceCode;
  if (parserServices?.program) return parserServices;
  throw new TypeError(
    "@millrace/no-tensor-condition needs type information: set languageOptions.parserOptions.projectService of typescript-eslint",
  );
}

export const noTensorCondition: Rule = {
  meta: {
    type: "problem",
    docs: { description: "tensors where JavaScript asks for a truth value: they are always true" },
    messages: {
      condition:
        "a tensor is always true here, whatever it holds: use {{instead}}, or read it with `await x.item()` outside of tf.function",
    },
    schema: [],
  },
  create(context) {
    const services = typed(context);
    const checker = services.program.getTypeChecker();
    const look = (node: Node | null | undefined, what: string): void => {
      if (!node) return;
      const type = services.getTypeAtLocation(node);
      if (!isTensor(type, checker) || mayBeMissing(type, checker)) return;
      context.report({ node, messageId: "condition", data: { instead: instead[what] ?? "tf.cond" } });
    };
    const test =
      (what: string) =>
      (node: Node): void =>
        look(node.test, what);
    return {
      IfStatement: test("if"),
      WhileStatement: test("while"),
      DoWhileStatement: test("while"),
      ForStatement: test("while"),
      ConditionalExpression: test("?:"),
      LogicalExpression({ operator = "??", left }) {
        if (operator !== "??") look(left, operator);
      },
      UnaryExpression({ operator, argument }) {
        if (operator === "!") look(argument, "!");
      },
      CallExpression({ callee, arguments: given }) {
        if (callee?.type === "Identifier" && callee.name === "Boolean") look(given?.[0], "!");
      },
    };
  },
};
