// Sizes as text: "batch*64+1", "floorDiv(n+1,2)". Reading goes through the functions of Dim, so what comes back is
// normalised, whatever was written.
import { addDim, type Dim, floorDivDim, maxDim, minDim, modDim, mulDim, SymDim } from "../ir/dim.js";

const functions = { floorDiv: floorDivDim, mod: modDim, max: maxDim, min: minDim };

/** A longer or deeper expression is refused: sizes that programs make have a few terms. */
const maxLength = 4096;
const maxDepth = 32;
/** Sums are multiplied out, so many of them in one product take for ever. */
const maxTerms = 64;

const token = /\s*(?:(-?\d+)|([A-Za-z_]\w*)|("(?:[^"\\]|\\.)*")|([+*(),]))/y;

/** A name that stands in an expression as it is; another is written as a JSON string. */
export const plainName: RegExp = /^(?!(?:floorDiv|mod|max|min)$)[A-Za-z_]\w*$/;

/** Reads a size. Throws a SyntaxError that says what is wrong. */
export function parseSize(text: string, symbols: ReadonlyMap<string, Dim>): Dim {
  if (text.length > maxLength) throw new SyntaxError(`is longer than ${maxLength} characters`);
  const tokens: string[] = [];
  token.lastIndex = 0;
  while (token.lastIndex < text.length) {
    const at = token.lastIndex;
    const found = token.exec(text);
    if (!found) throw new SyntaxError(`has no meaning at ${JSON.stringify(text.slice(at, at + 10))}`);
    tokens.push(found[0].trim());
  }
  const parser = new Parser(tokens, symbols);
  const size = parser.sum(0);
  parser.end();
  if (!isWhole(size)) throw new SyntaxError("has a coefficient that no double holds exactly");
  return size;
}

class Parser {
  private at = 0;
  private readonly tokens: readonly string[];
  private readonly symbols: ReadonlyMap<string, Dim>;
  constructor(tokens: readonly string[], symbols: ReadonlyMap<string, Dim>) {
    this.tokens = tokens;
    this.symbols = symbols;
  }

  sum(depth: number): Dim {
    if (depth > maxDepth) throw new SyntaxError("is nested too deeply");
    let size = this.product(depth);
    for (;;) {
      // "a-3" is written as "a+-3": a number holds its sign.
      if (!this.take("+")) return size;
      size = limited(addDim(size, this.product(depth)));
    }
  }

  end(): void {
    if (this.at < this.tokens.length) throw new SyntaxError(`has ${this.tokens[this.at]} where it should end`);
  }

  private product(depth: number): Dim {
    let size = this.factor(depth);
    while (this.take("*")) size = limited(mulDim(size, this.factor(depth)));
    return size;
  }

  private factor(depth: number): Dim {
    const word = this.tokens[this.at++];
    if (word === undefined) throw new SyntaxError("ends too early");
    if (/^-?\d/.test(word)) return Number(word);
    if (isFunction(word) && this.take("(")) {
      const a = this.sum(depth + 1);
      this.need(",");
      const b = this.sum(depth + 1);
      this.need(")");
      if ((word === "floorDiv" || word === "mod") && b === 0) throw new SyntaxError("divides by zero");
      return limited(functions[word](a, b));
    }
    const name: unknown = word.startsWith('"') ? JSON.parse(word) : word;
    const size = this.symbols.get(String(name));
    if (size === undefined) throw new SyntaxError(`names a size ${word} that the graph does not have`);
    return size;
  }

  private take(word: string): boolean {
    const found = this.tokens[this.at] === word;
    if (found) this.at++;
    return found;
  }

  private need(word: string): void {
    if (!this.take(word)) throw new SyntaxError(`lacks a ${word}`);
  }
}

const isFunction = (word: string): word is keyof typeof functions => Object.hasOwn(functions, word);

const countOf = (d: Dim): number => (typeof d === "number" ? 1 : d.terms.length);

/** Whether the product of sizes, multiplied out, has more terms than any program's. */
export function hasManyTerms(sizes: readonly Dim[]): boolean {
  return sizes.reduce<number>((n, d) => n * countOf(d), 1) > maxTerms;
}

function limited(d: Dim): Dim {
  if (hasManyTerms([d])) throw new SyntaxError(`has more than ${maxTerms} terms`);
  return d;
}

/** Whether every number in a size is a safe integer. */
export function isWhole(d: Dim): boolean {
  if (!(d instanceof SymDim)) return Number.isSafeInteger(d);
  return d.terms.every(
    ({ coefficient, atoms }) =>
      Number.isSafeInteger(coefficient) &&
      atoms.every((atom) => atom.kind === "symbol" || (isWhole(atom.a) && isWhole(atom.b))),
  );
}
