// The functions that a package exports, with what their docs say, as the compiler sees them.
import { posix } from "node:path";
import ts from "typescript";
import { root } from "./generated.mjs";

/** @typedef {{ name: string, call: string, doc: string, tags: { name: string, text: string }[], folder: string }} PublicFunction */

/**
 * Every function that `entry` exports to users, by name; those of a namespace begin with its name.
 * @param {string} entry a file below the root
 * @returns {PublicFunction[]}
 */
export function publicFunctions(entry) {
  const { config } = ts.readConfigFile(`${root}tsconfig.base.json`, ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent({ ...config, files: [entry] }, ts.sys, root);
  const program = ts.createProgram([`${root}${entry}`], options);
  const checker = program.getTypeChecker();
  const module = checker.getSymbolAtLocation(program.getSourceFile(`${root}${entry}`));
  return checker
    .getExportsOfModule(module)
    .flatMap((symbol) => describe(checker, symbol))
    .filter(({ tags }) => !tags.some(({ name }) => name === "internal"))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function describe(checker, symbol) {
  const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
  if (target.flags & ts.SymbolFlags.ValueModule) {
    const { name: folder } = symbol;
    const inside = checker.getExportsOfModule(target).flatMap((inner) => describe(checker, inner));
    return inside.map((f) => ({ ...f, name: `${folder}.${f.name}`, call: `${folder}.${f.call}`, folder }));
  }
  const declarations = (target.declarations ?? []).filter(ts.isFunctionDeclaration);
  if (declarations.length === 0) return [];
  const path = posix.relative(root, declarations[0].getSourceFile().fileName);
  return [
    {
      name: symbol.name,
      call: `${symbol.name}(${declarations.at(-1).parameters.map(parameterText).join(", ")})`,
      doc: ts.displayPartsToString(target.getDocumentationComment(checker)),
      tags: target.getJsDocTags(checker).map(({ name, text }) => ({ name, text: ts.displayPartsToString(text) })),
      folder: posix.basename(posix.dirname(path)),
    },
  ];
}

function parameterText({ dotDotDotToken, name, questionToken, initializer }) {
  return `${dotDotDotToken ? "..." : ""}${name.getText()}${questionToken || initializer ? "?" : ""}`;
}
