// Takes rules out of the definitions of ops, for a build that only runs graphs: the properties `stripped` of every definition,
// and what helper functions such as defineUnary take for them alone. Works on the syntax tree and refuses what it cannot see
// through; types are not asked, so the result is right because of what it leaves: a use of a name by anything that stays keeps it.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import ts from "typescript";

/** The properties of a definition that running a graph never reads. */
export const stripped = ["reference", "vjp", "jvp", "batch", "repairs"];

/** The functions that make an op of a definition, and the file that has them. */
const roots = ["defineOp", "defineComposite", "internalComposite"];
const rootFile = "ir/op.ts";

/**
 * An esbuild plugin that strips the definitions below `src`/ops.
 * @param {string} src the folder of core's sources
 */
export function stripRules(src) {
  return {
    name: "strip-rules",
    setup(build) {
      const texts = strippedSources(src);
      build.onLoad({ filter: /\.ts$/ }, ({ path }) => {
        const contents = texts.get(resolve(path));
        return contents === undefined ? undefined : { contents, loader: "ts" };
      });
    },
  };
}

/**
 * Where a script still names a stripped property: in an object, a pattern or an access. Empty after a build that went well.
 * @param {string} code
 * @returns {string[]} the text around each
 */
export function strippedNamesIn(code) {
  const file = ts.createSourceFile("bundle.js", code, ts.ScriptTarget.Latest, true, ts.ScriptKind.JS);
  const found = [];
  const visit = (at) => {
    const named = [at.name, at.propertyName, at.argumentExpression].some((name) => stripped.includes(name?.text));
    const isProperty =
      ts.isObjectLiteralElement(at) ||
      (ts.isBindingElement(at) && ts.isObjectBindingPattern(at.parent)) ||
      ts.isPropertyAccessExpression(at) ||
      ts.isElementAccessExpression(at);
    if (named && isProperty) found.push(at.getText().slice(0, 80));
    ts.forEachChild(at, visit);
  };
  visit(file);
  return found;
}

/**
 * The sources below `src`/ops that define ops, without their rules. Throws where a definition cannot be analysed.
 * @param {string} src
 * @returns {Map<string, string>} by absolute path
 */
export function strippedSources(src) {
  const files = new Map(filesBelow(resolve(src, "ops")).map((path) => [path, parse(path)]));
  return new Stripper(resolve(src, rootFile), files).run();
}

const filesBelow = (folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));

const parse = (path) => ts.createSourceFile(path, readFileSync(path, "utf8"), ts.ScriptTarget.Latest, true);

/** What a root needs of its one argument: whether a property stays. In place of such a function, true is all, false nothing. */
const rootNeeds = [(name) => !stripped.includes(name)];

/** Stands for a helper while it is read. */
const open = Symbol("open");

class Stripper {
  constructor(rootPath, files) {
    this.rootPath = rootPath;
    this.files = files;
    /** path → local name → [path, name] of what is imported */
    this.imports = new Map([...files].map(([path, file]) => [path, importsOf(path, file)]));
    /** path → name → top-level function */
    this.functions = new Map([...files].map(([path, file]) => [path, functionsOf(file)]));
    /** declaration → what a helper needs of each argument, and the ranges of names that it reads no more */
    this.helpers = new Map();
  }

  run() {
    return new Map(
      [...this.files].flatMap(([path, file]) => {
        const helpers = [...this.functions.get(path).keys()].flatMap((name) => this.helper(path, name) ?? []);
        const ranges = [...this.strippedIn(path, file), ...helpers.flatMap(({ unread }) => unread)];
        return ranges.length > 0 ? [[path, withoutRanges(file.text, ranges)]] : [];
      }),
    );
  }

  isRoot(path, name) {
    const [file, original] = this.imports.get(path).get(name) ?? [path, name];
    return file === this.rootPath && roots.includes(original);
  }

  /** What is known of a function that returns an op which it defines; undefined for any other. */
  helper(path, name) {
    const [file, original] = this.imports.get(path).get(name) ?? [path, name];
    if (file === this.rootPath) return roots.includes(original) ? { needs: rootNeeds, unread: [] } : undefined;
    const declaration = this.functions.get(file)?.get(original);
    if (declaration === undefined) return undefined;
    const known = this.helpers.get(declaration);
    if (known === open) throw refusal(declaration, `${original} defines an op by calling itself`);
    if (!this.helpers.has(declaration)) {
      this.helpers.set(declaration, undefined);
      const defines = returnedCalls(declaration).some((n) => this.helper(file, n));
      if (defines) this.helpers.set(declaration, this.readHelper(file, declaration));
    }
    return this.helpers.get(declaration);
  }

  readHelper(path, declaration) {
    this.helpers.set(declaration, open);
    const gone = this.strippedIn(path, declaration.body);
    const parameters = declaration.parameters.map((p) => readsOf(declaration.body, p, gone));
    return { needs: parameters.map(({ need }) => need), unread: parameters.flatMap(({ unread }) => unread) };
  }

  /** What goes from the definitions below a node. */
  strippedIn(path, node) {
    const ranges = [];
    const visit = (at) => {
      if (ts.isIdentifier(at) && this.isRoot(path, at.text) && !isCalled(at) && !isPropertyName(at))
        throw refusal(at, `${at.text} must be called: another use of it hides a definition`);
      if (ts.isCallExpression(at) && ts.isIdentifier(at.expression))
        this.helper(path, at.expression.text)?.needs.forEach((need, i) => {
          if (at.arguments[i]) ranges.push(...strippedArgument(at.arguments[i], need));
        });
      ts.forEachChild(at, visit);
    };
    visit(node);
    return ranges;
  }
}

/** Whether an identifier is what a call calls, or stands in an import. */
const isCalled = (node) =>
  ts.isImportSpecifier(node.parent) || (ts.isCallExpression(node.parent) && node.parent.expression === node);

/** The names of the functions whose result a function returns. */
function returnedCalls({ body }) {
  const names = [];
  const visit = (at) => {
    if (ts.isReturnStatement(at) && at.expression && ts.isCallExpression(at.expression)) {
      const { expression } = at.expression;
      if (ts.isIdentifier(expression)) names.push(expression.text);
    }
    if (!ts.isFunctionLike(at)) ts.forEachChild(at, visit);
  };
  ts.forEachChild(body, visit);
  return names;
}

/** What a function reads of one parameter when `gone` is gone from its body, and the names that it takes in vain. */
function readsOf(body, parameter, gone) {
  if (!ts.isIdentifier(parameter.name)) throw refusal(parameter, "a helper that defines an op takes plain parameters");
  const usesOf = (name, except) => {
    const uses = [];
    const visit = (at) => {
      if (at === except || gone.some((r) => at.getStart() >= r.start && at.end <= r.end)) return;
      if (ts.isIdentifier(at) && at.text === name && !isPropertyName(at)) uses.push(at);
      ts.forEachChild(at, visit);
    };
    visit(body);
    return uses;
  };
  const needed = new Set();
  const unread = [];
  for (const use of usesOf(parameter.name.text)) {
    const { parent } = use;
    if (ts.isPropertyAccessExpression(parent) && parent.expression === use) needed.add(parent.name.text);
    else if (ts.isVariableDeclaration(parent) && parent.initializer === use && isPlainPattern(parent.name)) {
      const { elements } = parent.name;
      elements.forEach(({ name, propertyName }, i) => {
        if (usesOf(name.text, parent.name).length > 0) needed.add((propertyName ?? name).text);
        else unread.push(rangeIn(elements, i));
      });
    } else return { need: true, unread: [] };
  }
  return { need: needed.size > 0 && ((name) => needed.has(name)), unread };
}

/** The range of one item of a list, with the comma after it. */
const rangeIn = (list, i) => ({ start: list[i].getStart(), end: list[i + 1]?.getFullStart() ?? list.end, by: "" });

/** The ranges of an argument that go, by what is needed of it. */
function strippedArgument(argument, need) {
  if (need === true) return [];
  if (need === false) return [{ start: argument.getStart(), end: argument.end, by: "undefined" }];
  if (!ts.isObjectLiteralExpression(argument))
    throw refusal(argument, `the definition of an op must be an object literal, got ${argument.getText()}`);
  return argument.properties.flatMap((property, i) => {
    const { name } = property;
    if (name === undefined || !(ts.isIdentifier(name) || ts.isStringLiteral(name)))
      throw refusal(property, `the definition of an op must name its properties, got ${property.getText()}`);
    if (need(name.text)) return [];
    return [rangeIn(argument.properties, i)];
  });
}

/** Whether a pattern is `{ a, b: c }`. */
const isPlainPattern = (name) =>
  ts.isObjectBindingPattern(name) &&
  name.elements.every((e) => !e.dotDotDotToken && !e.initializer && ts.isIdentifier(e.name));

/** Whether an identifier names a property rather than a variable. */
const isPropertyName = (node) =>
  (ts.isPropertyAccessExpression(node.parent) || ts.isPropertyAssignment(node.parent)) && node.parent.name === node;

function importsOf(path, file) {
  const found = new Map();
  for (const statement of file.statements) {
    if (!ts.isImportDeclaration(statement) || !statement.moduleSpecifier.text.startsWith(".")) continue;
    const from = resolve(dirname(path), statement.moduleSpecifier.text).replace(/\.js$/, ".ts");
    const names = statement.importClause?.namedBindings;
    if (names && ts.isNamedImports(names))
      for (const { name, propertyName } of names.elements) found.set(name.text, [from, (propertyName ?? name).text]);
  }
  return found;
}

const functionsOf = (file) =>
  new Map(file.statements.filter((s) => ts.isFunctionDeclaration(s) && s.body).map((f) => [f.name.text, f]));

/** A text without ranges; its lines keep their numbers, so that source maps stay right. */
function withoutRanges(text, removals) {
  const outer = removals.filter((r) => !removals.some((o) => o !== r && o.start <= r.start && o.end >= r.end));
  let at = 0;
  let result = "";
  for (const { start, end, by } of outer.sort((a, b) => a.start - b.start)) {
    const lines = text.slice(start, end).replace(/[^\n]/g, "");
    result += text.slice(at, start) + by + lines;
    at = end;
  }
  return result + text.slice(at);
}

function refusal(node, message) {
  const file = node.getSourceFile();
  const { line } = file.getLineAndCharacterOfPosition(node.getStart());
  return new Error(`${file.fileName}:${line + 1}: ${message}`);
}
