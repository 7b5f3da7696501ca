// The imports of a TypeScript file, as the compiler's parser sees them.
import { readFileSync } from "node:fs";
import ts from "typescript";

/**
 * Every module that `file` names: static and dynamic imports, re-exports, `require`, `import("…")` types, module
 * augmentations and `/// <reference types>`. An import is type-only if nothing of it is left in the JavaScript.
 * @returns {{ specifier: string, line: number, typeOnly: boolean }[]}
 */
export function importsOf(file) {
  const source = ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.Latest, true);
  const found = [];
  const add = (literal, typeOnly) => {
    if (literal === undefined || !ts.isStringLiteralLike(literal)) return;
    const { line } = source.getLineAndCharacterOfPosition(literal.getStart(source));
    found.push({ specifier: literal.text, line: line + 1, typeOnly });
  };
  const visit = (node) => {
    if (ts.isImportDeclaration(node)) add(node.moduleSpecifier, node.importClause?.isTypeOnly ?? false);
    else if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, node.isTypeOnly);
    else if (ts.isImportEqualsDeclaration(node) && ts.isExternalModuleReference(node.moduleReference))
      add(node.moduleReference.expression, node.isTypeOnly);
    else if (ts.isImportTypeNode(node))
      add(ts.isLiteralTypeNode(node.argument) ? node.argument.literal : undefined, true);
    else if (ts.isModuleDeclaration(node)) add(node.name, true);
    else if (ts.isCallExpression(node) && loadsModule(node.expression)) add(node.arguments[0], false);
    ts.forEachChild(node, visit);
  };
  visit(source);
  for (const { fileName, pos } of source.typeReferenceDirectives)
    found.push({ specifier: fileName, line: source.getLineAndCharacterOfPosition(pos).line + 1, typeOnly: true });
  return found;
}

const loadsModule = (callee) =>
  callee.kind === ts.SyntaxKind.ImportKeyword || (ts.isIdentifier(callee) && callee.text === "require");
