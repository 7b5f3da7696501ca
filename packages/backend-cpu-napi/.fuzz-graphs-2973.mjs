import { createRequire as requireFrom } from "node:module"; const require = requireFrom(import.meta.url);
var __defProp = Object.defineProperty;
var __export = (target, all2) => {
  for (var name in all2)
    __defProp(target, name, { get: all2[name], enumerable: true });
};

// packages/millrace/test/graph-fuzz/main.ts
import process2 from "node:process";

// packages/core/src/types/platform.ts
var platform = globalThis;

// packages/core/src/types/site.ts
var engineFrame = /[\\/]node_modules[\\/](?:@millrace[\\/]|millrace[\\/])|\(node:|at node:/;
var ownPackages = /(\/[^\s()]*?\/packages\/)core\/(?:src|dist)\//.exec(new Error().stack ?? "")?.[1];
var ownFrame = /^[a-z-]+\/(?:src|dist)\//;
function isEngineFrame(line) {
  if (engineFrame.test(line)) return true;
  const at = ownPackages === void 0 ? -1 : line.indexOf(ownPackages);
  return at >= 0 && ownFrame.test(line.slice(at + ownPackages.length));
}
function userFrames(stack, limit2 = 4) {
  const sites = [];
  for (const line of stack.split("\n")) {
    if (isEngineFrame(line)) continue;
    const found = /(?:\(|at |at async |@)((?:file:\/\/|[A-Za-z]:[\\/]|https?:\/\/|\/)[^()\s]*?):(\d+):(\d+)\)?$/.exec(
      line.trim()
    );
    if (!found) continue;
    sites.push({ file: found[1], line: Number(found[2]), column: Number(found[3]) });
    if (sites.length === limit2) break;
  }
  return sites;
}
var asking;
function whileAsking(next, f) {
  asking = next;
  try {
    return f();
  } finally {
    asking = next.outer;
  }
}
function atOneSite(f) {
  return asking?.atOnePlace ? f() : whileAsking({ outer: asking, atOnePlace: true }, f);
}
function inRole(role, sites, f) {
  const known3 = sites && sites.length > 0 ? { sites: sites.map((site) => ({ ...site, role })) } : {};
  return whileAsking({ outer: asking, role, atOnePlace: true, ...known3 }, f);
}
function captureSites(limit2 = 4) {
  return asking ? sitesOf(asking).slice(0, limit2) : sitesNow(limit2);
}
function sharedSites() {
  return asking?.atOnePlace ? sitesOf(asking) : [];
}
function sitesOf(of) {
  if (of.sites) return of.sites;
  const { outer, role, scope } = of;
  const found = outer ? sitesOf(outer) : sitesNow(4);
  const known3 = found.map((site) => ({
    ...site,
    ...role === void 0 ? {} : { role },
    ...scope === void 0 ? {} : { scope: site.scope === void 0 ? scope : `${site.scope}/${scope}` }
  }));
  if (of.atOnePlace) of.sites = known3;
  return known3;
}
function sitesNow(limit2) {
  const depth = platform.Error.stackTraceLimit ?? 10;
  Reflect.set(platform.Error, "stackTraceLimit", 64);
  const { stack } = new Error();
  Reflect.set(platform.Error, "stackTraceLimit", depth);
  return userFrames(stack ?? "", limit2);
}
function formatSite(site) {
  return `${site.file.replace(/^file:\/\//, "")}:${site.line}:${site.column}`;
}
var readLine = () => void 0;
var longestLine = 300;
function withSite(message, site) {
  if (!site) return message;
  const line = readLine(site);
  const at = `${message}
  at ${formatSite(site)}${site.scope ? `, in ${site.scope}` : ""}${site.role ? `, for ${site.role}` : ""}`;
  return line === void 0 || line.length > longestLine ? at : `${at}
    ${line}
    ${" ".repeat(Math.max(0, site.column - 1))}^`;
}

// packages/core/src/types/errors.ts
var errorCodes = {
  E_ABORTED: "A program was cancelled before it was done.",
  E_ARGUMENT: "An argument or option has a value, or a name, that the function does not take.",
  E_ASYNC_SCOPE: "A tape, tidy or device scope was given an async function, or was left open across an await.",
  E_BACKEND: "No registered backend could be started, or the one asked for cannot.",
  E_BACKEND_NOT_READY: "The backend starts asynchronously and has not been awaited.",
  E_DATA: "A source or function of a dataset failed; the cause is its own error.",
  E_DEVICE: "A device does not exist, or tensors of different devices met in one operation.",
  E_DISPOSED: "A tensor, variable or model was used after its memory was given back.",
  E_DTYPE: "The dtypes of the arguments do not fit the operation.",
  E_DUPLICATE_CORE: "Two copies of @millrace/core are loaded, or tensors of two engines met.",
  E_EXHAUSTED: "A data source gave less than was asked: it was empty, ended early, or can be read only once.",
  E_FILE: "A file could not be read or written; the cause is the platform's own error.",
  E_FORMAT: "A file or message is truncated, oversized or otherwise not what its format says.",
  E_GRADIENT: "A gradient was asked for where none is defined.",
  E_GUARD: "A size did not hold the condition under which the program was compiled.",
  E_INTERNAL: "Millrace broke a promise to itself; this is a bug to report.",
  E_MEMORY: "A device or the process has not enough memory for the operation.",
  E_NO_BACKEND: "No backend is registered, so nothing can run an operation.",
  E_REMOTE: "A server could not be reached, or refused or failed a request.",
  E_SHAPE: "The shapes of the arguments do not fit the operation.",
  E_SYNC_READ: "A value was read synchronously where only an awaited read is possible.",
  E_TRACER_LEAK: "A tensor of a function being traced was read, or used after the trace ended.",
  E_UNIMPLEMENTED: "What was asked for is not built yet.",
  E_VARIABLE: "A variable was created, assigned or named in a way that its scope does not allow.",
  E_VERIFY: "A graph or program broke a rule of its stage.",
  E_VERSION: "Two parts do not work together in these versions, or a needed part is not installed."
};
var brand = /* @__PURE__ */ Symbol.for("millrace.error");
var errorName = "MillraceError";
var detailKeys = ["op", "shapes", "dtypes", "rule", "site", "layer"];
var MillraceError = class _MillraceError extends Error {
  code;
  /** @param reason what is wrong and what to do; the message shows the user's line below it */
  constructor(code, reason, details = {}) {
    const site = details.site ?? captureSites(1)[0];
    super(withSite(reason, site), "cause" in details ? { cause: details.cause } : void 0);
    this.code = code;
    const known3 = { ...details, site };
    for (const key of detailKeys) if (known3[key] !== void 0) Object.assign(this, { [key]: known3[key] });
    Object.defineProperty(this, "reason", { value: reason });
    const header = `${errorName}: `;
    if (this.stack?.startsWith(header)) this.stack = `${errorName} [${code}]: ${this.stack.slice(header.length)}`;
  }
  /** Where the repository explains the code: `docs/errors.md#e_shape`. */
  get docs() {
    return `docs/errors.md#${this.code.toLowerCase()}`;
  }
  /** For logs and messages between workers; holds no tensor values. */
  toJSON() {
    const known3 = Object.fromEntries(detailKeys.flatMap((key) => this[key] === void 0 ? [] : [[key, this[key]]]));
    const cause = isObject(this.cause) ? { cause: { name: `${this.cause.name}`, message: `${this.cause.message}` } } : {};
    return { name: errorName, code: this.code, message: this.message, docs: this.docs, ...known3, ...cause };
  }
  static {
    Object.defineProperty(_MillraceError.prototype, "name", { value: errorName, configurable: true, writable: true });
    Object.defineProperty(_MillraceError.prototype, brand, { value: true });
  }
};
function isMillraceError(error, code) {
  if (!isObject(error)) return false;
  const found = error[brand] === true || error.name === errorName ? error.code : codeInStack(error);
  if (!isErrorCode(found) || code !== void 0 && found !== code) return false;
  if (error.code === void 0) Reflect.defineProperty(error, "code", { value: found, enumerable: true });
  return true;
}
var isObject = (value) => typeof value === "object" && value !== null;
var isErrorCode = (value) => typeof value === "string" && Object.hasOwn(errorCodes, value);
var codeInStack = ({ stack }) => typeof stack === "string" ? /^MillraceError \[(E_[A-Z_]+)\]: /.exec(stack)?.[1] : void 0;

// packages/core/src/types/version.gen.ts
var version = "0.1.0";

// packages/core/src/ir/copies.ts
var mark = /* @__PURE__ */ Symbol.for("millrace.core");
var place = globalThis;
function pathOfStack(stack) {
  const frame = /(?:\(|@|^\s*at )([^(@\n]+?)(?:[?#][^()\n]*?)?:\d+:\d+\)?$/m.exec(stack);
  return frame?.[1] ?? "";
}
var self = { path: pathOfStack(new Error().stack ?? ""), version };
var describe = (copy2) => `${copy2.version} at ${copy2.path || "an unknown path"}`;
function otherCopy(own = self) {
  const first2 = place[mark];
  return first2 && (first2.path !== own.path || first2.version !== own.version) ? first2 : void 0;
}
function claimProcess(own = self) {
  const other = otherCopy(own);
  if (other) throw duplicateCore(other, own);
  place[mark] ??= own;
}
function duplicateCore(first2, second2 = self) {
  return new MillraceError(
    "E_DUPLICATE_CORE",
    `two copies of @millrace/core are loaded: ${describe(first2)}, and ${describe(second2)}. Install one version (npm ls @millrace/core); a library takes it as a peer and does not bundle it`
  );
}

// packages/core/src/types/unwatched.ts
var originals = /* @__PURE__ */ new WeakMap();
function standsFor(standIn, original) {
  originals.set(standIn, original);
}
function unwatched(found) {
  let f = found;
  for (let original = originals.get(f); original; original = originals.get(f)) f = original;
  return f;
}

// packages/core/src/ir/apply.ts
function noBackend() {
  const other = otherCopy();
  if (other) throw duplicateCore(other);
  throw new MillraceError("E_NO_BACKEND", 'no backend is registered: import "millrace", or call registerBackend first');
}
var dispatch = {
  current: {
    apply: noBackend,
    apply1: noBackend,
    apply2: noBackend,
    hit2: noBackend,
    isPlain: noBackend,
    near: noBackend,
    scalar: noBackend,
    toTensor: noBackend
  }
};
function valOf(x) {
  return x;
}
function avalOf(x) {
  return valOf(x).aval;
}
function typed(x) {
  return x;
}

// packages/core/src/ir/dim.ts
var SymDim = class {
  terms;
  /** Canonical text; equal polynomials have equal keys. */
  key;
  constructor(terms) {
    this.terms = terms;
    this.key = termsKey(terms);
  }
  toString() {
    return this.key;
  }
  /** A size that is unknown has no number: arithmetic on it is a mistake that must not become NaN. */
  [Symbol.toPrimitive](hint) {
    if (hint === "string") return this.key;
    throw new TypeError(`the size ${this.key} is not known while tracing; use tf.shape or reshape with -1 instead`);
  }
};
function atomKey(atom) {
  return atom.kind === "symbol" ? atom.name : `${atom.kind}(${dimKey(atom.a)},${dimKey(atom.b)})`;
}
function termKey(term) {
  return term.atoms.map(atomKey).join("*");
}
function termsKey(terms) {
  const one = (t) => {
    const atoms = termKey(t);
    if (atoms === "") return `${t.coefficient}`;
    return t.coefficient === 1 ? atoms : `${t.coefficient}*${atoms}`;
  };
  return terms.map(one).join("+");
}
function dimKey(d) {
  return typeof d === "number" ? `${d}` : d.key;
}
function termsOf(d) {
  if (typeof d !== "number") return d.terms;
  return d === 0 ? [] : [{ coefficient: d, atoms: [] }];
}
function normalise(terms) {
  const byKey = /* @__PURE__ */ new Map();
  for (const term of terms) {
    const key = termKey(term);
    const seen = byKey.get(key);
    byKey.set(key, seen ? { coefficient: seen.coefficient + term.coefficient, atoms: term.atoms } : term);
  }
  const kept = [...byKey.entries()].filter(([, t]) => t.coefficient !== 0);
  if (kept.length === 0) return 0;
  if (kept.length === 1 && kept[0][0] === "") return kept[0][1].coefficient;
  kept.sort(([a], [b]) => a === "" ? 1 : b === "" ? -1 : a < b ? -1 : 1);
  return new SymDim(kept.map(([, t]) => t));
}
var fromAtom = (atom) => new SymDim([{ coefficient: 1, atoms: [atom] }]);
function symbol(name, min2 = 0, max2 = Number.MAX_SAFE_INTEGER) {
  return fromAtom({ kind: "symbol", name, min: min2, max: max2 });
}
function addDim(a, b) {
  if (typeof a === "number" && typeof b === "number") return a + b;
  return normalise([...termsOf(a), ...termsOf(b)]);
}
function mulDim(a, b) {
  if (typeof a === "number" && typeof b === "number") return a * b;
  if (a === 1) return b;
  if (b === 1) return a;
  const product5 = [];
  for (const x of termsOf(a)) {
    for (const y of termsOf(b)) {
      const atoms = [...x.atoms, ...y.atoms].sort((p, q) => atomKey(p) < atomKey(q) ? -1 : 1);
      product5.push({ coefficient: x.coefficient * y.coefficient, atoms });
    }
  }
  return normalise(product5);
}
function subDim(a, b) {
  return addDim(a, mulDim(b, -1));
}
function divideTerm(term, divisor) {
  if (term.coefficient % divisor.coefficient !== 0) return void 0;
  const rest = [...term.atoms];
  for (const atom of divisor.atoms) {
    const at = rest.findIndex((r) => atomKey(r) === atomKey(atom));
    if (at < 0) return void 0;
    rest.splice(at, 1);
  }
  return { coefficient: term.coefficient / divisor.coefficient, atoms: rest };
}
function floorDivDim(a, b) {
  if (b === 0) throw new RangeError("floorDivDim: division by zero");
  if (typeof a === "number" && typeof b === "number") return Math.floor(a / b);
  if (b === 1) return a;
  if (dimKey(a) === dimKey(b)) return 1;
  const divisor = termsOf(b);
  if (divisor.length !== 1) return a === 0 ? 0 : fromAtom({ kind: "floorDiv", a, b });
  const exact = [];
  const rest = [];
  for (const term of termsOf(a)) {
    const quotient = divideTerm(term, divisor[0]);
    if (quotient) exact.push(quotient);
    else rest.push(term);
  }
  if (rest.length === 0) return normalise(exact);
  const remainder = normalise(rest);
  const tail = typeof remainder === "number" && typeof b === "number" ? Math.floor(remainder / b) : fromAtom({ kind: "floorDiv", a: remainder, b });
  return addDim(normalise(exact), tail);
}
function modDim(a, b) {
  if (typeof a === "number" && typeof b === "number") return a - Math.floor(a / b) * b;
  const quotient = floorDivDim(a, b);
  const rest = subDim(a, mulDim(quotient, b));
  const exact = typeof quotient === "number" || !quotient.key.includes("floorDiv(");
  return exact ? rest : fromAtom({ kind: "mod", a, b });
}
function ceilDivDim(a, b) {
  return floorDivDim(addDim(a, subDim(b, 1)), b);
}
function maxDim(a, b) {
  const order = leDim(a, b);
  if (typeof order === "boolean") return order ? b : a;
  return fromAtom({ kind: "max", a, b });
}
function minDim(a, b) {
  const order = leDim(a, b);
  if (typeof order === "boolean") return order ? a : b;
  return fromAtom({ kind: "min", a, b });
}
function productDim(dims) {
  return dims.reduce(mulDim, 1);
}
function boundsOf(d) {
  if (typeof d === "number") return [d, d];
  let low = 0;
  let high = 0;
  for (const term of d.terms) {
    let [lo, hi] = [term.coefficient, term.coefficient];
    for (const atom of term.atoms) [lo, hi] = product([lo, hi], atomBounds(atom));
    low += lo;
    high += hi;
  }
  return [low, high];
}
function product([a, b], [c, d]) {
  const all2 = [a * c, a * d, b * c, b * d].map((x) => Number.isNaN(x) ? 0 : x);
  return [Math.min(...all2), Math.max(...all2)];
}
function atomBounds(atom) {
  if (atom.kind === "symbol") return [atom.min, atom.max];
  const [a, b] = [boundsOf(atom.a), boundsOf(atom.b)];
  if (atom.kind === "max") return [Math.max(a[0], b[0]), Math.max(a[1], b[1])];
  if (atom.kind === "min") return [Math.min(a[0], b[0]), Math.min(a[1], b[1])];
  if (b[0] <= 0) return [-Infinity, Infinity];
  if (atom.kind === "mod") return [0, b[1] - 1];
  const corners = [a[0] / b[0], a[0] / b[1], a[1] / b[0], a[1] / b[1]].map(Math.floor);
  return [Math.min(...corners), Math.max(...corners)];
}
function eqDim(a, b) {
  if (typeof a === "number" && typeof b === "number") return a === b;
  if (dimKey(a) === dimKey(b)) return true;
  const [low, high] = boundsOf(subDim(a, b));
  if (low === 0 && high === 0) return true;
  return low > 0 || high < 0 ? false : { kind: "eq", a, b };
}
function leDim(a, b) {
  if (typeof a === "number" && typeof b === "number") return a <= b;
  const [low, high] = boundsOf(subDim(b, a));
  if (low >= 0) return true;
  if (high < 0) return false;
  return { kind: "le", a, b };
}
function allTrue(truths2) {
  if (truths2.includes(false)) return false;
  return truths2.find((t) => t !== true) ?? true;
}
function evaluateDim(d, sizes) {
  if (typeof d === "number") return d;
  let sum3 = 0;
  for (const term of d.terms) sum3 += term.atoms.reduce((p, atom) => p * evaluateAtom(atom, sizes), term.coefficient);
  return sum3;
}
function evaluateAtom(atom, sizes) {
  if (atom.kind === "symbol") {
    const value = sizes.get(atom.name);
    if (value === void 0) throw new RangeError(`the size ${atom.name} has no value`);
    return value;
  }
  const [a, b] = [evaluateDim(atom.a, sizes), evaluateDim(atom.b, sizes)];
  if (atom.kind === "max") return Math.max(a, b);
  if (atom.kind === "min") return Math.min(a, b);
  return atom.kind === "floorDiv" ? Math.floor(a / b) : a - Math.floor(a / b) * b;
}
function symbolsOf(d, into = /* @__PURE__ */ new Set()) {
  if (typeof d === "number") return into;
  for (const term of d.terms) {
    for (const atom of term.atoms) {
      if (atom.kind === "symbol") into.add(atom.name);
      else {
        symbolsOf(atom.a, into);
        symbolsOf(atom.b, into);
      }
    }
  }
  return into;
}
function substituteDim(d, by) {
  if (typeof d === "number") return d;
  const one = (atom) => {
    if (atom.kind === "symbol") return by.get(atom.name) ?? fromAtom(atom);
    const [a, b] = [substituteDim(atom.a, by), substituteDim(atom.b, by)];
    if (atom.kind === "max") return maxDim(a, b);
    if (atom.kind === "min") return minDim(a, b);
    return atom.kind === "floorDiv" ? floorDivDim(a, b) : modDim(a, b);
  };
  return d.terms.map((t) => t.atoms.reduce((p, atom) => mulDim(p, one(atom)), t.coefficient)).reduce(addDim, 0);
}

// packages/core/src/ir/remember.ts
function remember(memory, key, make) {
  const known3 = memory.get(key);
  if (known3 !== void 0) return known3;
  const made2 = make();
  memory.set(key, made2);
  return made2;
}

// packages/core/src/ir/attrs.ts
var noAttrs = Object.freeze({});
var literalIds = /* @__PURE__ */ new WeakMap();
var nextLiteral = 0;
function literalKey(data) {
  if (data.length <= 64)
    return `${data.constructor.name}(${Array.from(data).map(numberKey).join(",")})`;
  return `#${remember(literalIds, data, () => nextLiteral++)}`;
}
var numberKey = (x) => Object.is(x, -0) ? "-0" : `${x}`;
function attrKey(attr) {
  if (typeof attr === "number") return numberKey(attr);
  if (typeof attr === "bigint") return `${attr}n`;
  if (typeof attr === "string") return JSON.stringify(attr);
  if (typeof attr === "boolean") return `${attr}`;
  if (attr instanceof SymDim) return attr.key;
  if (isAttrList(attr)) return `[${attr.map(attrKey).join(",")}]`;
  return literalKey(attr);
}
var attrsKeys = /* @__PURE__ */ new WeakMap();
function attrsKey(attrs) {
  return remember(attrsKeys, attrs, () => textOf(attrs));
}
function textOf(attrs) {
  const names = Object.keys(attrs);
  if (names.length === 0) return "";
  return `{${names.sort().map((n) => `${n}: ${attrKey(attrs[n])}`).join(", ")}}`;
}
function sameAttr(a, b) {
  if (Object.is(a, b)) return true;
  if (a === void 0 || b === void 0 || typeof a !== "object" || typeof b !== "object") return false;
  if (isAttrList(a)) return isAttrList(b) && a.length === b.length && a.every((x, i) => sameAttr(x, b[i]));
  return !isAttrList(b) && attrKey(a) === attrKey(b);
}
function sameAttrs(a, b) {
  if (a === b) return true;
  let count2 = 0;
  for (const name in a) {
    if (!sameAttr(a[name], b[name])) return false;
    count2++;
  }
  for (const _ in b) count2--;
  return count2 === 0;
}
function isAttrList(attr) {
  return Array.isArray(attr);
}
function mapAttr(attr, change) {
  if (typeof attr === "number" || attr instanceof SymDim) return change(attr);
  return isAttrList(attr) ? attr.map((a) => mapAttr(a, change)) : attr;
}
function hasSizes(attrs) {
  const isSize = (attr) => attr instanceof SymDim || isAttrList(attr) && attr.some(isSize);
  return Object.values(attrs).some(isSize);
}

// packages/core/src/ir/cases.ts
// @__NO_SIDE_EFFECTS__
function cases(op, make) {
  let made2;
  const table = () => made2 ??= make();
  return {
    op,
    get samples() {
      return table().samples;
    },
    get edges() {
      return table().edges;
    },
    get reject() {
      return table().reject;
    },
    get gradients() {
      return table().gradients;
    },
    get repairs() {
      return table().repairs;
    }
  };
}
// @__NO_SIDE_EFFECTS__
function elementwiseSamples(arity, attrs, domain) {
  const shapes2 = [[], [0], [1], [15], [17], [2, 3], [1025], [1, 2, 1, 2, 1, 3]];
  return shapes2.map((shape) => {
    const sample2 = { ins: Array.from({ length: arity }, () => shape), attrs };
    return domain ? { ...sample2, domain } : sample2;
  });
}
// @__NO_SIDE_EFFECTS__
function axes(rank) {
  return Array.from({ length: rank }, (_, i) => i);
}
// @__NO_SIDE_EFFECTS__
function both(make) {
  return [make(false), make(true)];
}

// packages/core/src/ir/aval.ts
function avalsOf(values) {
  return values.map((x) => x.aval);
}
function sizeOf(aval) {
  return productDim(aval.shape);
}
function formatShape(shape) {
  return `[${shape.map(dimKey).join(",")}]`;
}
function formatAval(aval) {
  return `${aval.dtype}${formatShape(aval.shape)}`;
}
function sameShape(a, b) {
  return a === b || a.length === b.length && allTrue(a.map((d, i) => eqDim(d, b[i])));
}
function isStatic(shape) {
  return shape.every((d) => typeof d === "number");
}

// packages/core/src/ir/op.ts
// @__NO_SIDE_EFFECTS__
function noRule(reason) {
  return { reason };
}
function isNoRule(rule) {
  return typeof rule === "object" && rule !== null && "reason" in rule;
}
var registry = /* @__PURE__ */ new Map();
var nextId = 0;
function defineOp(spec) {
  return register(spec);
}
function defineComposite(spec) {
  const kind = "composite";
  return register({ ...spec, kind });
}
function internalComposite(spec) {
  const kind = "composite";
  return { ...spec, kind, id: nextId++ };
}
function register(spec) {
  const op = { ...spec, id: nextId++ };
  registry.set(spec.name, op);
  return op;
}
function allOps() {
  return registry;
}
function isElementwise(op) {
  return op.kind === "unary" || op.kind === "binary" || op.kind === "compare" || op.kind === "select" || op.kind === "cast";
}
var RuleError = class extends MillraceError {
  constructor(code, label, message) {
    const op = label.split(".")[0];
    super(code, `${op}: ${message}`, { op, rule: label });
  }
};
var pendingGuards;
function check(label, holds, message, code = "E_SHAPE") {
  if (holds === true) return;
  if (holds === false) throw new RuleError(code, label, message());
  pendingGuards?.push(holds);
}
function checkDType(label, holds, message) {
  check(label, holds, message, "E_DTYPE");
}
function checkAttr(label, holds, message) {
  check(label, holds, message, "E_ARGUMENT");
}
function inferOp(op, ins, attrs, regions, guards) {
  const [least, most] = typeof op.arity === "number" ? [op.arity, op.arity] : op.arity;
  const outer = pendingGuards;
  pendingGuards = guards;
  try {
    check(
      `${op.name}.arity`,
      ins.length >= least && ins.length <= most,
      () => `${op.name} takes ${least === most ? least : `${least} to ${most}`} operands, got ${ins.length}`,
      "E_ARGUMENT"
    );
    return op.infer(ins, attrs, regions);
  } finally {
    pendingGuards = outer;
  }
}

// packages/core/src/types/dtype.ts
var promotionOrder = ["bool", "uint8", "int32", "int64", "float32", "float64"];
var dtypes = {
  bool: { id: 0, bytes: 1, isFloat: false, isInteger: false, isSigned: false, arrayType: "Uint8Array" },
  uint8: { id: 1, bytes: 1, isFloat: false, isInteger: true, isSigned: false, arrayType: "Uint8Array" },
  int32: { id: 2, bytes: 4, isFloat: false, isInteger: true, isSigned: true, arrayType: "Int32Array" },
  int64: { id: 3, bytes: 8, isFloat: false, isInteger: true, isSigned: true, arrayType: "BigInt64Array" },
  float32: { id: 4, bytes: 4, isFloat: true, isInteger: false, isSigned: true, arrayType: "Float32Array" },
  float64: { id: 5, bytes: 8, isFloat: true, isInteger: false, isSigned: true, arrayType: "Float64Array" }
};
var promotionRank = new Map(promotionOrder.map((dtype, rank) => [dtype, rank]));
function promote(a, b) {
  const higher = (promotionRank.get(a) ?? -1) >= (promotionRank.get(b) ?? -1) ? a : b;
  return higher;
}
function isDType(value) {
  return typeof value === "string" && Object.hasOwn(dtypes, value);
}

// packages/core/src/ops/elementwise.ts
var floats = { words: "a float", has: (d) => dtypes[d].isFloat };
var numeric = { words: "a number", has: (d) => dtypes[d].isFloat || dtypes[d].isInteger };
var bits = { words: "bool or an integer", has: (d) => dtypes[d].isInteger || d === "bool" };
var anyDType = { words: "any", has: () => true };
function inferSame(name, accepts, result) {
  return (ins) => {
    const first2 = ins[0];
    checkDType(`${name}.C1`, accepts.has(first2.dtype), () => `needs ${accepts.words}, got ${first2.dtype}`);
    for (const other of ins) {
      checkDType(
        `${name}.C2`,
        other.dtype === first2.dtype,
        () => `needs one dtype, got ${first2.dtype} and ${other.dtype}`
      );
      check(
        `${name}.C3`,
        sameShape(first2.shape, other.shape),
        () => `needs equal shapes, got ${formatShape(first2.shape)} and ${formatShape(other.shape)}`
      );
    }
    return [{ dtype: result ?? first2.dtype, shape: first2.shape }];
  };
}
function scalarReference(scalar2) {
  return (ins, _attrs, [out]) => {
    const { dtype } = ins[0];
    const f = inDomain(scalar2, dtype);
    if (!f || !out) throw new TypeError(`no reference for ${dtype}`);
    applyScalar(f, ins, out);
  };
}
function inDomain(scalar2, dtype) {
  if (dtype === "int64") return scalar2.int64;
  if (dtypes[dtype].isFloat) return scalar2.float;
  return (dtype === "bool" ? scalar2.bool : void 0) ?? scalar2.small ?? scalar2.float;
}
function applyScalar(f, ins, out) {
  const [a, b] = [ins[0].data, ins[1]?.data];
  const into = out.data;
  for (let i = 0; i < into.length; i++) {
    const y = b ? f(a[i], b[i]) : f(a[i]);
    into[i] = typeof y === "boolean" ? Number(y) : y;
  }
}
var greaterOf = (x, y) => x > y ? x : y;
var lesserOf = (x, y) => x < y ? x : y;
function defineUnary(spec) {
  const { name, accepts, result, scalar: scalar2, vjp } = spec;
  return defineOp({
    name,
    version: 1,
    kind: "unary",
    arity: 1,
    infer: inferSame(name, accepts, result),
    reference: scalarReference(scalar2),
    vjp,
    batch: "elementwise"
  });
}
function defineBinary(spec) {
  const { name, accepts, result, scalar: scalar2, vjp } = spec;
  const kind = result === void 0 ? "binary" : "compare";
  return defineOp({
    name,
    version: 1,
    kind,
    arity: 2,
    infer: inferSame(name, accepts, result),
    reference: scalarReference(scalar2),
    vjp,
    batch: "elementwise"
  });
}
function defineElementwise(spec) {
  const { name, arity, accepts, lower: lower2, vjp } = spec;
  return defineComposite({
    name,
    version: 1,
    arity,
    infer: inferSame(name, accepts),
    lower: lower2,
    vjp,
    batch: "elementwise"
  });
}

// packages/core/src/ops/refuse.ts
function refusal(label, message, ins, code = "E_SHAPE") {
  const op = label.split(".")[0];
  return new MillraceError(code, `${op}: ${message}`, {
    op,
    rule: label,
    shapes: ins.map(({ shape }) => shape.map((d) => typeof d === "number" ? d : dimKey(d))),
    dtypes: ins.map(({ dtype }) => dtype)
  });
}
function notBuilt(name, parameter, given, only) {
  if (given === void 0 || given === null || given === only) return;
  throw refusal(`${name}.${parameter}`, `${parameter} "${String(given)}" is not built yet`, [], "E_UNIMPLEMENTED");
}

// packages/core/src/ir/host.ts
function countOf(shape) {
  return shape.reduce((n, d) => n * d, 1);
}
function stridesOf(shape) {
  const strides = new Array(shape.length);
  let step2 = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = step2;
    step2 *= shape[i];
  }
  return strides;
}
var arrayTypes = { Uint8Array, Int32Array, BigInt64Array, Float32Array, Float64Array };
function allocate(dtype, count2) {
  return new arrayTypes[dtypes[dtype].arrayType](count2);
}
function viewAs(dtype, bytes) {
  const { arrayType, bytes: width2 } = dtypes[dtype];
  const aligned = bytes.byteOffset % width2 === 0 ? bytes : bytes.slice();
  return new arrayTypes[arrayType](aligned.buffer, aligned.byteOffset, aligned.byteLength / width2);
}
function bytesOf(data) {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
function hostArray(dtype, shape) {
  return { dtype, shape, data: allocate(dtype, countOf(shape)) };
}
function toElement(dtype, value) {
  const info = dtypes[dtype];
  if (dtype === "bool") return Number(value) !== 0 ? 1 : 0;
  if (info.bytes === 8 && info.isInteger) {
    if (typeof value === "bigint") return BigInt.asIntN(64, value);
    return saturate(Number(value), dtype);
  }
  if (info.isFloat) return Number(value);
  if (typeof value === "bigint")
    return Number(info.isSigned ? BigInt.asIntN(info.bytes * 8, value) : BigInt.asUintN(info.bytes * 8, value));
  return saturate(Number(value), dtype);
}
function integerRange(dtype) {
  const { bytes, isSigned } = dtypes[dtype];
  const bits2 = BigInt(bytes * 8);
  return isSigned ? [-(1n << bits2 - 1n), (1n << bits2 - 1n) - 1n] : [0n, (1n << bits2) - 1n];
}
function saturate(value, dtype) {
  const [low, high] = integerRange(dtype);
  const wide2 = dtypes[dtype].bytes === 8;
  if (Number.isNaN(value)) return wide2 ? 0n : 0;
  if (value <= Number(low)) return wide2 ? low : Number(low);
  if (value >= Number(high)) return wide2 ? high : Number(high);
  return wide2 ? BigInt(Math.trunc(value)) : Math.trunc(value);
}
function forEachIndex(shape, visit) {
  const index = new Array(shape.length).fill(0);
  const count2 = countOf(shape);
  for (let flat = 0; flat < count2; flat++) {
    visit(index, flat);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index[axis] += 1;
      if (index[axis] < shape[axis]) break;
      index[axis] = 0;
    }
  }
}

// packages/core/src/ops/rules.ts
var isFloat = (x) => dtypes[x.aval.dtype].isFloat;
function scalarOf(b, dtype, value) {
  const data = allocate(dtype, 1);
  data[0] = toElement(dtype, value);
  return b.constant([], { dtype, shape: [], data });
}
function fillLike(b, like, value) {
  return stretch(b, scalarOf(b, like.aval.dtype, value), like.aval.shape, []);
}
function zerosOf(b, { dtype, shape }) {
  return stretch(b, scalarOf(b, dtype, 0), shape, []);
}
function stretch(b, x, shape, dims) {
  const same = x.aval.shape.length === shape.length && x.aval.shape.every((d, i) => dimKey(d) === dimKey(shape[i]));
  return same ? x : b.broadcastInDim([x], { shape, dims });
}
function axesOf(rank) {
  return Array.from({ length: rank }, (_, i) => i);
}
function unreduce(b, reduced, axes2, shape) {
  return stretch(
    b,
    reduced,
    shape,
    axesOf(shape.length).filter((i) => !axes2.includes(i))
  );
}
function inversePerm(perm) {
  const inverse = new Array(perm.length);
  perm.forEach((from2, to2) => {
    inverse[from2] = to2;
  });
  return inverse;
}
function scale(b, x, factor) {
  return b.mul([x, fillLike(b, x, factor)]);
}
function shift(b, x, by) {
  return b.add([x, fillLike(b, x, by)]);
}
function positive(b, x) {
  return b.gt([x, fillLike(b, x, 0)]);
}
function zeroLike(b, x) {
  return fillLike(b, x, 0);
}

// packages/core/src/ops/broadcasting.ts
function broadcastShapes(a, b) {
  const rank = Math.max(a.length, b.length);
  const shape = [];
  for (let i = 0; i < rank; i++) {
    const x = a[a.length - rank + i] ?? 1;
    const y = b[b.length - rank + i] ?? 1;
    if (x === 1) shape.push(y);
    else if (y === 1) shape.push(x);
    else if (eqDim(x, y) === false) return void 0;
    else shape.push(typeof x === "number" ? x : y);
  }
  return shape;
}
function noBroadcast(name, a, b) {
  const [x, y] = [formatShape(a.shape), formatShape(b.shape)];
  return refusal(`${name}.broadcast`, `${x} and ${y} do not broadcast`, [a, b]);
}
var known = /* @__PURE__ */ new Map();
function broadcasting(op) {
  return remember(known, op, () => define(op));
}
function define(op) {
  return internalComposite({
    name: op.name,
    version: op.version,
    arity: 2,
    infer([x, y]) {
      const shape = broadcastShapes(x.shape, y.shape);
      if (!shape) throw noBroadcast(op.name, x, y);
      const wide2 = { dtype: x.dtype, shape };
      return op.infer([wide2, { dtype: y.dtype, shape }], {}, []);
    },
    lower(b, [x, y]) {
      const shape = broadcastShapes(x.aval.shape, y.aval.shape);
      const wide2 = [x, y].map((v) => {
        const { length } = v.aval.shape;
        return stretch(
          b,
          v,
          shape,
          axesOf(length).map((i) => i + shape.length - length)
        );
      });
      return b.apply(op, wide2, {}, []);
    },
    vjp: noRule("it is never recorded"),
    batch: noRule("it is never recorded")
  });
}

// packages/core/src/ops/public.ts
function isTensor(value) {
  return typeof value === "object" && value !== null && "dtype" in value && "shape" in value;
}
function toTensor(x, dtype) {
  return isTensor(x) ? x : dispatch.current.toTensor(x, dtype);
}
function apply1(op, x, attrs = noAttrs) {
  return dispatch.current.apply1(op, x, attrs);
}
function apply(op, ins, attrs = noAttrs) {
  return dispatch.current.apply(op, ins, attrs)[0];
}
function floatDType(dtype) {
  return dtypes[dtype].isFloat ? dtype : "float32";
}
function toFloat(x) {
  const t = toTensor(x);
  return castTo(t, floatDType(t.dtype));
}
var castOp;
var broadcastOp;
function provideConversions(ops) {
  castOp = ops.cast ?? castOp;
  broadcastOp = ops.broadcastInDim ?? broadcastOp;
}
function castTo(x, dtype) {
  return x.dtype === dtype ? x : apply1(castOp, x, { dtype });
}
function sameSizes(a, b) {
  return a.length === b.length && a.every((d, i) => d === b[i] || dimKey(d) === dimKey(b[i]));
}
function stretchTo(x, shape) {
  const from2 = avalOf(x).shape;
  if (sameSizes(from2, shape)) return x;
  const lead = shape.length - from2.length;
  return apply1(broadcastOp, x, { shape, dims: axesOf(from2.length).map((i) => i + lead) });
}
function promoted(name, a, b) {
  const x = isTensor(a) ? a : isTensor(b) ? operand(a, literalDType(name, a, b.dtype), b) : operand(a, void 0);
  const y = isTensor(b) ? b : operand(b, literalDType(name, b, x.dtype), x);
  const dtype = promote(x.dtype, y.dtype);
  return [castTo(x, dtype), castTo(y, dtype)];
}
function operand(x, dtype, beside) {
  return typeof x === "number" ? dispatch.current.scalar(x, dtype ?? "float32", beside) : dispatch.current.toTensor(x, dtype, void 0, beside);
}
function literalDType(name, value, dtype) {
  if (typeof value === "number") {
    if (dtype === "bool") return "float32";
    if (dtypes[dtype].isInteger && !Number.isInteger(value)) {
      throw refusal(`${name}.dtype`, `${value} is no ${dtype}; cast the tensor to float32 first`, [], "E_DTYPE");
    }
    return dtype;
  }
  return typeof value === "bigint" && dtypes[dtype].isInteger ? dtype : void 0;
}
function requireBool(name, x) {
  if (x.dtype === "bool") return x;
  throw refusal(`${name}.dtype`, `needs bool, got ${x.dtype}; compare with 0 first`, [avalOf(x)], "E_DTYPE");
}
function binary(op, a, b) {
  const known3 = dispatch.current.hit2(op, a, b);
  if (known3 !== void 0) return known3;
  const [x, y] = promoted(op.name, a, b);
  return broadcastAnd2(op, x, y);
}
function binaryFloat(op, a, b) {
  const [x, y] = promoted(op.name, a, b);
  return broadcastAnd2(op, toFloat(x), toFloat(y));
}
function broadcastAnd2(op, x, y) {
  const [p, q] = [avalOf(x), avalOf(y)];
  if (p === q) return dispatch.current.apply2(op, x, y);
  const shape = broadcastShapes(p.shape, q.shape);
  if (!shape) throw noBroadcast(op.name, p, q);
  const equal2 = sameSizes(p.shape, shape) && sameSizes(q.shape, shape);
  if (!equal2 && dispatch.current.isPlain()) return dispatch.current.apply2(broadcasting(op), x, y);
  return dispatch.current.apply2(op, stretchTo(x, shape), stretchTo(y, shape));
}
function axisOf(name, axis, rank) {
  const index = axis < 0 ? axis + rank : axis;
  if (Number.isInteger(axis) && index >= 0 && index < rank) return index;
  throw refusal(`${name}.axis`, `axis ${axis} is out of range for rank ${rank}`, [], "E_ARGUMENT");
}
function axesFrom(name, axis, rank) {
  if (axis === void 0 || axis === null) return axesOf(rank);
  const list = typeof axis === "number" ? [axis] : axis;
  if (!Array.isArray(list))
    throw refusal(`${name}.axis`, `axis is a number or a list, got ${typeof axis}`, [], "E_ARGUMENT");
  return [...new Set(list.map((a) => axisOf(name, a, rank)))].sort((a, b) => a - b);
}

// packages/core/src/ops/binary/arithmetic.ts
var addOp = defineBinary({
  name: "add",
  accepts: numeric,
  scalar: { float: (x, y) => x + y, int64: (x, y) => x + y },
  vjp: (_b, [g]) => [g, g]
});
function add(a, b) {
  return typed(binary(addOp, a, b));
}
var addCases = cases(addOp, () => ({
  samples: elementwiseSamples(2, noAttrs),
  edges: [
    {
      ins: [
        [Infinity, Infinity, NaN, -0],
        [1, -Infinity, 1, -0]
      ],
      attrs: noAttrs,
      want: [Infinity, NaN, NaN, -0]
    },
    { ins: [[2147483647], [1]], dtypes: ["int32", "int32"], attrs: noAttrs, want: [-2147483648] },
    { ins: [[255], [2]], dtypes: ["uint8", "uint8"], attrs: noAttrs, want: [1] }
  ],
  reject: [
    { ins: [[2], [3]], attrs: noAttrs, code: "add.C3" },
    { ins: [[2], [2]], dtypes: ["float32", "int32"], attrs: noAttrs, code: "add.C2" },
    { ins: [[2], [2]], dtypes: ["bool", "bool"], attrs: noAttrs, code: "add.C1" }
  ]
}));
var subOp = defineBinary({
  name: "sub",
  accepts: numeric,
  scalar: { float: (x, y) => x - y, int64: (x, y) => x - y },
  vjp: (b, [g]) => [g, b.neg([g])]
});
function sub(a, b) {
  return typed(binary(subOp, a, b));
}
var subCases = cases(subOp, () => ({
  samples: elementwiseSamples(2, noAttrs),
  edges: [
    {
      ins: [
        [Infinity, 0, -0, NaN],
        [Infinity, 0, 0, 1]
      ],
      attrs: noAttrs,
      want: [NaN, 0, -0, NaN]
    }
  ],
  reject: [{ ins: [[2], [2, 1]], attrs: noAttrs, code: "sub.C3" }]
}));
var mulOp = defineBinary({
  name: "mul",
  accepts: numeric,
  scalar: { float: (x, y) => x * y, small: (x, y) => Math.imul(x, y), int64: (x, y) => x * y },
  vjp: (b, [g], [x, y]) => [b.mul([g, y]), b.mul([g, x])]
});
function mul(a, b) {
  return typed(binary(mulOp, a, b));
}
var mulCases = cases(mulOp, () => ({
  samples: elementwiseSamples(2, noAttrs),
  edges: [
    {
      ins: [
        [Infinity, 0, -0, NaN],
        [0, -1, 1, 0]
      ],
      attrs: noAttrs,
      want: [NaN, -0, -0, NaN]
    },
    { ins: [[65537], [65537]], dtypes: ["int32", "int32"], attrs: noAttrs, want: [131073] }
  ],
  reject: [{ ins: [[2], [3]], attrs: noAttrs, code: "mul.C3" }]
}));
var truncatingDivision = (x, y) => y === 0 ? 0 : Math.trunc(x / y);
var divOp = defineBinary({
  name: "div",
  accepts: numeric,
  scalar: {
    float: (x, y) => x / y,
    small: (x, y) => truncatingDivision(x, y),
    int64: (x, y) => y === 0n ? 0n : x / y
  },
  vjp: (b, [g], [, y], [z]) => {
    const gx = b.div([g, y]);
    return [gx, b.neg([b.mul([gx, z])])];
  }
});
function div(a, b) {
  return typed(binaryFloat(divOp, a, b));
}
var divCases = cases(divOp, () => ({
  samples: elementwiseSamples(2, noAttrs, [0.5, 3]),
  edges: [
    {
      ins: [
        [1, -1, 0, Infinity],
        [0, 0, 0, Infinity]
      ],
      attrs: noAttrs,
      want: [Infinity, -Infinity, NaN, NaN]
    },
    {
      ins: [
        [7, -7, 7],
        [2, 2, 0]
      ],
      dtypes: ["int32", "int32"],
      attrs: noAttrs,
      want: [3, -3, 0]
    }
  ],
  reject: [{ ins: [[2], [3]], attrs: noAttrs, code: "div.C3" }]
}));

// packages/core/src/ops/random/philox.ts
function mulHigh(a, b) {
  const [aLow, aHigh, bLow, bHigh] = [a & 65535, a >>> 16, b & 65535, b >>> 16];
  const middle = aHigh * bLow + (aLow * bLow >>> 16);
  const carried = aLow * bHigh + (middle & 65535);
  return aHigh * bHigh + Math.floor(middle / 65536) + (carried >>> 16) | 0;
}
var [multiplier0, multiplier1] = [3528531795, 3449720151];
var [weyl0, weyl1] = [2654435769, 3144134277];
function philox(counter, key) {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round2 = 0; round2 < 10; round2++) {
    const [high0, low0] = [mulHigh(multiplier0, c0), Math.imul(multiplier0, c0)];
    const [high1, low1] = [mulHigh(multiplier1, c2), Math.imul(multiplier1, c2)];
    [c0, c1, c2, c3] = [high1 ^ c1 ^ k0, low1, high0 ^ c3 ^ k1, low0];
    [k0, k1] = [k0 + weyl0 | 0, k1 + weyl1 | 0];
  }
  return [c0, c1, c2, c3];
}

// packages/core/src/ops/random/state.ts
var draw = Int32Array.of(0, 0, 0, 1);
var seedByChance = () => Math.floor(unwatched(Math.random)() * 2 ** 53);
function hostState() {
  let words = keyOf(seedByChance(), true);
  return {
    take() {
      const now2 = toTensor(words);
      words = words.map((word, i) => word + draw[i]);
      return now2;
    },
    reset(next) {
      words = next;
    }
  };
}
function variableState(make) {
  let variable2;
  let first2 = keyOf(seedByChance(), true);
  return {
    take() {
      variable2 ??= make(first2);
      const now2 = variable2.read();
      variable2.assign(add(now2, draw));
      return now2;
    },
    reset(words) {
      first2 = words;
      variable2?.assign(words);
    }
  };
}
var randomState = { current: hostState() };
function nextState(name, seed) {
  return seed === void 0 ? randomState.current.take() : toTensor(keyOf(checkSeed(name, seed), false));
}
function checkSeed(name, seed) {
  if (Number.isSafeInteger(seed) && seed >= 0) return seed;
  throw new MillraceError("E_ARGUMENT", `${name}: seed must be a whole number from 0 to 2^53 - 1, got ${seed}`, {
    op: name
  });
}
function keyOf(seed, isGenerator) {
  const high = Math.floor(seed / 2 ** 32);
  return Int32Array.of(seed, isGenerator ? high | 2147483648 : high, 0, 0);
}

// packages/core/src/ops/create/constant.ts
var constantOp = defineOp({
  name: "constant",
  version: 1,
  kind: "constant",
  arity: 0,
  infer(_ins, { dtype, shape, data }) {
    checkAttr(
      "constant.C1",
      data.length === countOf(shape),
      () => `${formatShape(shape)} needs ${countOf(shape)} elements, got ${data.length}`
    );
    return [{ dtype, shape }];
  },
  reference(_ins, { data }, [out]) {
    for (let i = 0; i < data.length; i++) out.data[i] = data[i];
  },
  vjp: () => [],
  batch: (b, _ins, _batched, attrs, [out]) => [
    stretch(
      b,
      b.constant([], attrs),
      out.shape,
      attrs.shape.map((_, i) => i + 1)
    )
  ]
});
var constantCases = cases(constantOp, () => ({
  samples: [],
  edges: [{ ins: [], attrs: { dtype: "int32", shape: [2], data: Int32Array.of(3, -4) }, want: [3, -4] }],
  reject: [{ ins: [], attrs: { dtype: "int32", shape: [3], data: Int32Array.of(3, -4) }, code: "constant.C1" }]
}));
var dimensionOp = defineOp({
  name: "dimension",
  version: 1,
  kind: "constant",
  arity: 0,
  sizeAttrs: ["size"],
  infer: (_ins, { dtype }) => [{ dtype, shape: [] }],
  reference(_ins, { size, dtype }, [out]) {
    out.data[0] = dtype === "int64" ? BigInt(Number(size)) : Number(size);
  },
  vjp: () => [],
  batch: (b, _ins, _batched, attrs, [out]) => [stretch(b, b.dimension([], attrs), out.shape, [])]
});
var dimensionCases = cases(dimensionOp, () => ({
  samples: [],
  edges: [{ ins: [], attrs: { size: 7, dtype: "float32" }, want: 7 }]
}));

// packages/core/src/passes/fold.ts
var largestFold = 256;
var fold = (builder, op, ins, attrs, regions) => {
  if (!op.reference || op.effect || regions.length > 0 || ins.length === 0 || op.kind === "random") return void 0;
  const operands = ins.map(constantOf);
  if (!operands.every((x) => x !== void 0)) return void 0;
  return hasSizes(attrs) ? void 0 : evaluate(builder, op, ins, operands, attrs);
};
function evaluate(builder, op, ins, operands, attrs) {
  const avals = op.infer(
    ins.map((v) => v.aval),
    attrs,
    []
  );
  const grows = avals.some(
    (a, i) => !isStatic(a.shape) || countOf(a.shape) > Math.min(largestFold, Math.max(1, operands[i]?.data.length ?? 1))
  );
  if (grows) return void 0;
  const outs = avals.map((a) => hostArray(a.dtype, a.shape.map(Number)));
  op.reference(operands, attrs, outs);
  return outs.flatMap(
    (o) => builder.apply(constantOp, [], { dtype: o.dtype, shape: o.shape, data: o.data })
  );
}
function constantOf(value) {
  if (value.node?.op !== constantOp) return void 0;
  return value.node.attrs;
}

// packages/core/src/passes/algebra.ts
var algebra = (builder, op, ins, attrs) => {
  const [x, y] = ins;
  const rule = rules[op.name];
  const simple = rule && x ? rule(x, y, attrs, builder, op) : void 0;
  return simple && [simple];
};
var unlessChanged = (x, shape) => sameAttr(x.aval.shape, shape) ? x : void 0;
var numbers = (attr) => Array.isArray(attr) ? attr.map(Number) : [];
var unlessReduced = (x, _y, { axes: axes2 }) => numbers(axes2).length === 0 ? x : void 0;
var rules = {
  neg: (x) => x.node?.op.name === "neg" ? x.node.inputs[0] : void 0,
  mul: (x, y) => isFilledWith(y, 1) ? x : isFilledWith(x, 1) ? y : void 0,
  div: (x, y) => isFilledWith(y, 1) ? x : void 0,
  sub: (x, y) => isFilledWith(y, 0) ? x : void 0,
  cast: (x, _y, { dtype }) => x.aval.dtype === dtype ? x : void 0,
  identity: (x) => x,
  reduceSum: unlessReduced,
  reduceProd: unlessReduced,
  reduceMax: unlessReduced,
  reduceMin: unlessReduced,
  reduceAnd: unlessReduced,
  reduceOr: unlessReduced,
  stopGradient: (x) => x,
  broadcastInDim: (x, _y, { shape }) => unlessChanged(x, shape),
  reshape: (x, _y, attrs, builder, op) => {
    const same = unlessChanged(x, attrs.shape);
    if (same || x.node?.op.name !== "reshape") return same;
    const inner = x.node.inputs[0];
    return unlessChanged(inner, attrs.shape) ?? builder.apply(op, [inner], attrs)[0];
  },
  transpose: (x, _y, { perm }, builder, op) => {
    const order = numbers(perm);
    if (order.every((p, i) => p === i)) return x;
    if (x.node?.op.name !== "transpose") return void 0;
    const before3 = numbers(x.node.attrs.perm);
    const composed = order.map((p) => before3[p]);
    const inner = x.node.inputs[0];
    return composed.every((p, i) => p === i) ? inner : builder.apply(op, [inner], { perm: composed })[0];
  }
};
function isFilledWith(x, value) {
  if (!x) return false;
  if (x.node?.op.name === "broadcastInDim") return isFilledWith(x.node.inputs[0], value);
  const data = constantOf(x)?.data;
  return data !== void 0 && data.length > 0 && data.every((d) => Object.is(Number(d), value));
}

// packages/core/src/ir/print.ts
function printGraph(graph, indent = "") {
  const names = /* @__PURE__ */ new Map();
  const nodeNumbers = /* @__PURE__ */ new Map();
  const define2 = (value) => {
    const name = `%${names.size}`;
    names.set(value.node ? `${nodeNumbers.get(value.node)}:${value.index}` : value, name);
    return name;
  };
  const nameOf4 = (value) => names.get(value.node ? `${nodeNumbers.get(value.node)}:${value.index}` : value) ?? "%?";
  const params = graph.params.map((p) => `${define2(p)}: ${formatAval(p.aval)}`).join(", ");
  const lines = [`${indent}graph ${graph.stage} (${params}) {`];
  graph.nodes.forEach((node, number) => {
    nodeNumbers.set(node, number);
    const inputs = node.inputs.map(nameOf4).join(", ");
    const outs = node.outs.map((aval, index) => {
      const name = `%${names.size}`;
      names.set(`${number}:${index}`, name);
      return `${name}: ${formatAval(aval)}`;
    });
    const attrs = attrsKey(node.attrs);
    lines.push(`${indent}  ${outs.join(", ")} = ${node.op.name}(${inputs})${attrs && ` ${attrs}`}`);
    for (const region2 of node.regions) lines.push(printGraph(region2, `${indent}    `));
  });
  for (const g of graph.guards)
    lines.push(`${indent}  guard ${dimKey(g.a)} ${g.kind === "eq" ? "=" : "<="} ${dimKey(g.b)}`);
  lines.push(`${indent}  return ${graph.results.map(nameOf4).join(", ")}`, `${indent}}`);
  return lines.join("\n");
}

// packages/core/src/ir/graph.ts
var Value = class {
  /** The node that makes it; null for a parameter. */
  node;
  index;
  aval;
  constructor(node, index, aval) {
    this.node = node;
    this.index = index;
    this.aval = aval;
  }
};
var FrozenGraph = class {
  stage;
  params;
  nodes;
  results;
  guards;
  constructor(parts2) {
    this.stage = parts2.stage;
    this.params = Object.freeze([...parts2.params]);
    this.nodes = Object.freeze([...parts2.nodes]);
    this.results = Object.freeze([...parts2.results]);
    this.guards = Object.freeze([...parts2.guards]);
    for (const node of this.nodes) Object.freeze(node);
    Object.freeze(this);
  }
  toString() {
    return printGraph(this);
  }
  /** For console.log in Node. */
  [/* @__PURE__ */ Symbol.for("nodejs.util.inspect.custom")]() {
    return this.toString();
  }
};
var maxSites = 4;
var GraphBuilder = class {
  params = [];
  nodes = [];
  consed = /* @__PURE__ */ new Map();
  numbers = /* @__PURE__ */ new Map();
  guards = [];
  /** The sites of nodes that are applied without any: those of the node that a pass replaces by them. */
  sites = [];
  /** Whether a value belongs to this graph. */
  owns(value) {
    return this.numbers.has(value);
  }
  param(aval) {
    const value = new Value(null, this.params.length, aval);
    this.params.push(value);
    this.numbers.set(value, this.numbers.size);
    return value;
  }
  guard(guard2) {
    this.guards.push(guard2);
  }
  /** Applies an op to values of this graph. Throws a RuleError where a rule of the op is broken. */
  apply(op, inputs, attrs = noAttrs, regions = [], sites = []) {
    return this.add(op, inputs, attrs, regions, sites.length > 0 ? sites : this.sites);
  }
  /** A node of another graph on values of this one; what it makes is inferred anew only where they are of other avals. */
  adopt(node, inputs, regions = node.regions) {
    const same = regions === node.regions && inputs.every((v, i) => v.aval === node.inputs[i].aval);
    return this.add(node.op, inputs, node.attrs, regions, node.sites, same ? node.outs : void 0);
  }
  add(op, inputs, attrs, regions, sites, known3) {
    const key = consKey(
      op,
      inputs.map((v) => this.number(v)),
      attrs,
      regions
    );
    const seen = key === void 0 ? void 0 : this.consed.get(key);
    if (seen) {
      const more = sites === this.sites ? [] : sites;
      if (more.length > 0) seen.node.sites = [...seen.node.sites, ...more].slice(0, maxSites);
      return seen.values;
    }
    const avals = () => inputs.map((v) => v.aval);
    const outs = known3 ?? inferOp(op, avals(), attrs, regions, this.guards);
    const node = {
      op,
      inputs: [...inputs],
      attrs,
      regions,
      outs,
      effect: (op.effect ?? false) || regions.some(hasEffect),
      sites: [...sites]
    };
    this.nodes.push(node);
    const values = outs.map((aval, i) => new Value(node, i, aval));
    for (const value of values) this.numbers.set(value, this.numbers.size);
    if (key !== void 0) this.consed.set(key, { node, values });
    return values;
  }
  /** Freezes what has been built. `params` gives the parameters another order. */
  finish(results, stage = "traced", params = this.params) {
    for (const value of [...results, ...params]) this.number(value);
    return new FrozenGraph({ stage, params, nodes: this.nodes, results, guards: this.guards });
  }
  number(value) {
    const number = this.numbers.get(value);
    if (number === void 0) throw new TypeError("a value of another graph was used: capture it as a parameter first");
    return number;
  }
};
function consKey(op, inputs, attrs, regions) {
  if (op.effect || regions.length > 0 || op.name === "optimizationBarrier") return void 0;
  return `${op.name}(${inputs.join(",")})${attrsKey(attrs)}`;
}
function hasEffect(graph) {
  return graph.nodes.some((node) => node.effect);
}
function paramAvals(graph) {
  return graph.params.map((v) => v.aval);
}
function resultAvals(graph) {
  return graph.results.map((v) => v.aval);
}
function evaluateGraph(graph, args, apply2) {
  const params = /* @__PURE__ */ new Map();
  graph.params.forEach((p, i) => {
    params.set(p, args[i]);
  });
  const outputs = /* @__PURE__ */ new Map();
  const read = (v) => {
    const found = v.node ? outputs.get(v.node)?.[v.index] : params.get(v);
    if (found === void 0) throw new TypeError("evaluateGraph: a value is used before it is made");
    return found;
  };
  for (const node of graph.nodes)
    outputs.set(node, apply2(node.op, node.inputs.map(read), node.attrs, node.regions, node.sites));
  return graph.results.map(read);
}
function buildGraph(avals, build2) {
  const builder = new GraphBuilder();
  const params = avals.map((a) => builder.param(a));
  return builder.finish(build2(builder, params));
}

// packages/core/src/passes/dce.ts
var dce = { name: "dce", from: "lowered", to: "lowered", run: dropDead };
function dropDead(graph) {
  const live = /* @__PURE__ */ new Set();
  const mark2 = (value) => {
    if (value.node) live.add(value.node);
  };
  graph.results.forEach(mark2);
  for (let i = graph.nodes.length - 1; i >= 0; i--) {
    const node = graph.nodes[i];
    if (node.effect) live.add(node);
    if (live.has(node)) node.inputs.forEach(mark2);
  }
  if (graph.nodes.every((node) => live.has(node) && node.regions.length === 0)) return graph;
  const builder = new GraphBuilder();
  const map = new Map(graph.params.map((p) => [p, builder.param(p.aval)]));
  for (const guard2 of graph.guards) builder.guard(guard2);
  const made2 = /* @__PURE__ */ new Map();
  const read = (v) => v.node ? made2.get(v.node)[v.index] : map.get(v);
  for (const node of graph.nodes) {
    if (!live.has(node)) continue;
    const regions = node.regions.length === 0 ? node.regions : node.regions.map(dropDead);
    made2.set(node, builder.adopt(node, node.inputs.map(read), regions));
  }
  return builder.finish(graph.results.map(read), graph.stage);
}

// packages/core/src/ops/families.gen.ts
var families_gen_exports = {};
__export(families_gen_exports, {
  absOp: () => absOp,
  addOp: () => addOp,
  andOp: () => andOp,
  argMaxOp: () => argMaxOp,
  argMinOp: () => argMinOp,
  assertOp: () => assertOp,
  atan2Op: () => atan2Op,
  attentionGradOp: () => attentionGradOp,
  attentionOp: () => attentionOp,
  bitcastOp: () => bitcastOp,
  broadcastInDimOp: () => broadcastInDimOp,
  callOp: () => callOp,
  castOp: () => castOp2,
  ceilOp: () => ceilOp,
  concatOp: () => concatOp,
  condOp: () => condOp,
  constantOp: () => constantOp,
  convFilterGradOp: () => convFilterGradOp,
  convGeneralOp: () => convGeneralOp,
  convInputGradOp: () => convInputGradOp,
  cosOp: () => cosOp,
  cumprodOp: () => cumprodOp,
  cumsumOp: () => cumsumOp,
  customGradientOp: () => customGradientOp,
  dimensionOp: () => dimensionOp,
  divNoNanOp: () => divNoNanOp,
  divOp: () => divOp,
  dotGeneralOp: () => dotGeneralOp,
  dynamicSliceOp: () => dynamicSliceOp,
  dynamicUpdateSliceOp: () => dynamicUpdateSliceOp,
  eluOp: () => eluOp,
  eqOp: () => eqOp,
  erfOp: () => erfOp,
  euclideanNormOp: () => euclideanNormOp,
  expOp: () => expOp,
  expm1Op: () => expm1Op,
  floorDivOp: () => floorDivOp,
  floorModOp: () => floorModOp,
  floorOp: () => floorOp,
  gatherOp: () => gatherOp,
  geOp: () => geOp,
  geluGradOp: () => geluGradOp,
  geluOp: () => geluOp,
  gtOp: () => gtOp,
  identityOp: () => identityOp,
  iotaOp: () => iotaOp,
  isFiniteOp: () => isFiniteOp,
  layerNormGradOp: () => layerNormGradOp,
  layerNormOp: () => layerNormOp,
  leOp: () => leOp,
  leakyReluOp: () => leakyReluOp,
  log1pOp: () => log1pOp,
  logOp: () => logOp,
  logSigmoidOp: () => logSigmoidOp,
  logSoftmaxGradOp: () => logSoftmaxGradOp,
  logSoftmaxOp: () => logSoftmaxOp,
  logSumExpOp: () => logSumExpOp,
  logisticOp: () => logisticOp,
  lstmGradOp: () => lstmGradOp,
  lstmOp: () => lstmOp,
  ltOp: () => ltOp,
  maxOp: () => maxOp,
  meanOp: () => meanOp,
  minOp: () => minOp,
  mulOp: () => mulOp,
  neOp: () => neOp,
  negOp: () => negOp,
  notOp: () => notOp,
  optimizationBarrierOp: () => optimizationBarrierOp,
  orOp: () => orOp,
  padOp: () => padOp,
  powOp: () => powOp,
  preluOp: () => preluOp,
  printOp: () => printOp,
  recomputeOp: () => recomputeOp,
  reduceAndOp: () => reduceAndOp,
  reduceMaxOp: () => reduceMaxOp,
  reduceMinOp: () => reduceMinOp,
  reduceOrOp: () => reduceOrOp,
  reduceProdOp: () => reduceProdOp,
  reduceSumOp: () => reduceSumOp,
  reduceWindowMaxOp: () => reduceWindowMaxOp,
  reduceWindowMinOp: () => reduceWindowMinOp,
  reduceWindowSumOp: () => reduceWindowSumOp,
  relu6Op: () => relu6Op,
  reluOp: () => reluOp,
  remOp: () => remOp,
  reshapeOp: () => reshapeOp,
  reverseOp: () => reverseOp,
  rngBitsOp: () => rngBitsOp,
  roundOp: () => roundOp,
  rsqrtOp: () => rsqrtOp,
  scanOp: () => scanOp,
  scatterAddOp: () => scatterAddOp,
  scatterSetOp: () => scatterSetOp,
  selectAndScatterAddOp: () => selectAndScatterAddOp,
  selectOp: () => selectOp,
  seluOp: () => seluOp,
  signOp: () => signOp,
  siluOp: () => siluOp,
  sinOp: () => sinOp,
  sliceOp: () => sliceOp,
  softmaxGradOp: () => softmaxGradOp,
  softmaxOp: () => softmaxOp,
  softplusOp: () => softplusOp,
  sqrtOp: () => sqrtOp,
  stepOp: () => stepOp,
  stopGradientOp: () => stopGradientOp,
  subOp: () => subOp,
  tanOp: () => tanOp,
  tanhOp: () => tanhOp,
  transposeOp: () => transposeOp,
  unitNormalOp: () => unitNormalOp,
  unitTruncatedNormalOp: () => unitTruncatedNormalOp,
  unitUniformOp: () => unitUniformOp,
  whileLoopOp: () => whileLoopOp,
  xorOp: () => xorOp
});

// packages/core/src/ops/activation/rectified.ts
var reluOp = defineElementwise({
  name: "relu",
  arity: 1,
  accepts: numeric,
  lower: (b, [x]) => [b.max([x, zeroLike(b, x)])],
  vjp: (b, [g], _ins, [y]) => [b.select([positive(b, y), g, zeroLike(b, g)])]
});
function relu(x) {
  return typed(apply1(reluOp, toTensor(x)));
}
var reluCases = cases(reluOp, () => ({
  samples: elementwiseSamples(1, noAttrs),
  edges: [
    { ins: [[-Infinity, -1, -0, 0, Infinity, NaN]], attrs: noAttrs, want: [0, 0, 0, 0, Infinity, NaN] },
    { ins: [[-5, 5]], dtypes: ["int32"], attrs: noAttrs, want: [0, 5] }
  ],
  gradients: [{ ins: [[-1, 0, -0, 2]], attrs: noAttrs, want: [[0, 0, 0, 1]] }],
  reject: [{ ins: [[2]], dtypes: ["bool"], attrs: noAttrs, code: "relu.C1" }]
}));
var relu6Op = defineElementwise({
  name: "relu6",
  arity: 1,
  accepts: numeric,
  lower: (b, [x]) => [b.min([b.max([x, zeroLike(b, x)]), fillLike(b, x, 6)])],
  vjp(b, [g], _ins, [y]) {
    const inside2 = b.and([positive(b, y), b.lt([y, fillLike(b, y, 6)])]);
    return [b.select([inside2, g, zeroLike(b, g)])];
  }
});
function relu6(x) {
  return typed(apply1(relu6Op, toTensor(x)));
}
var relu6Cases = cases(relu6Op, () => ({
  samples: elementwiseSamples(1, noAttrs, [-3, 9]),
  edges: [{ ins: [[-Infinity, -1, -0, 6, Infinity, NaN]], attrs: noAttrs, want: [0, 0, 0, 6, 6, NaN] }],
  gradients: [{ ins: [[-1, 0, 3, 6, 7]], attrs: noAttrs, want: [[0, 0, 1, 0, 0]] }]
}));
var leakyReluOp = defineElementwise({
  name: "leakyRelu",
  arity: 1,
  accepts: floats,
  lower: (b, [x], { alpha }) => [b.select([positive(b, x), x, scale(b, x, alpha)])],
  vjp: (b, [g], [x], _outs, { alpha }) => [b.select([positive(b, x), g, scale(b, g, alpha)])]
});
function leakyRelu(x, alpha = 0.2) {
  return typed(apply1(leakyReluOp, toFloat(x), { alpha }));
}
var leakyReluCases = cases(leakyReluOp, () => ({
  samples: [0.2, -1.5].flatMap((alpha) => elementwiseSamples(1, { alpha })),
  edges: [
    { ins: [[-Infinity, -2, -0, Infinity, NaN]], attrs: { alpha: 0.5 }, want: [-Infinity, -1, -0, Infinity, NaN] }
  ],
  gradients: [{ ins: [[-1, 0, 3]], attrs: { alpha: 0.5 }, want: [[0.5, 0.5, 1]] }]
}));
var preluOp = defineElementwise({
  name: "prelu",
  arity: 2,
  accepts: floats,
  lower: (b, [x, alpha]) => [b.select([positive(b, x), x, b.mul([x, alpha])])],
  vjp(b, [g], [x, alpha]) {
    const isPositive = positive(b, x);
    const zero = zeroLike(b, g);
    return [b.select([isPositive, g, b.mul([g, alpha])]), b.select([isPositive, zero, b.mul([g, x])])];
  }
});
function prelu(x, alpha) {
  return typed(binaryFloat(preluOp, x, alpha));
}
var preluCases = cases(preluOp, () => ({
  samples: elementwiseSamples(2, noAttrs),
  edges: [
    {
      ins: [
        [-2, 3, NaN, Infinity],
        [0.5, NaN, 1, 0]
      ],
      attrs: noAttrs,
      want: [-1, 3, NaN, Infinity]
    }
  ],
  reject: [{ ins: [[2], [3]], attrs: noAttrs, code: "prelu.C3" }]
}));
var stepOp = defineElementwise({
  name: "step",
  arity: 1,
  accepts: floats,
  lower(b, [x], { alpha }) {
    const stepped2 = b.select([positive(b, x), fillLike(b, x, 1), fillLike(b, x, alpha)]);
    return [b.select([b.eq([x, x]), stepped2, x])];
  },
  vjp: (b, [g]) => [zeroLike(b, g)]
});
function step(x, alpha = 0) {
  return typed(apply1(stepOp, toFloat(x), { alpha }));
}
var stepCases = cases(stepOp, () => ({
  samples: [0, -0.5].flatMap((alpha) => elementwiseSamples(1, { alpha })),
  edges: [{ ins: [[-Infinity, -0, 1e-30, Infinity, NaN]], attrs: { alpha: 0.25 }, want: [0.25, 0.25, 1, 1, NaN] }]
}));

// packages/core/src/ops/activation/smooth.ts
var negativePart = (b, x) => b.min([x, zeroLike(b, x)]);
var positivePart = (b, x) => b.max([x, zeroLike(b, x)]);
var eluOp = defineElementwise({
  name: "elu",
  arity: 1,
  accepts: floats,
  lower: (b, [x]) => [b.select([positive(b, x), x, b.expm1([x])])],
  vjp: (b, [g], [x]) => [b.select([positive(b, x), g, b.mul([g, b.exp([negativePart(b, x)])])])]
});
function elu(x) {
  return typed(apply1(eluOp, toFloat(x)));
}
var eluCases = cases(eluOp, () => ({
  samples: elementwiseSamples(1, noAttrs),
  edges: [
    { ins: [[-Infinity, -200, 0, -0, 200, Infinity, NaN]], attrs: noAttrs, want: [-1, -1, 0, -0, 200, Infinity, NaN] }
  ],
  gradients: [{ ins: [[-1e3, 0, 1e3, Infinity]], attrs: noAttrs, want: [[0, 1, 1, 1]] }],
  reject: [{ ins: [[2]], dtypes: ["int32"], attrs: noAttrs, code: "elu.C1" }]
}));
var [seluAlpha, seluScale] = [1.6732632423543772, 1.0507009873554805];
var seluOp = defineElementwise({
  name: "selu",
  arity: 1,
  accepts: floats,
  lower(b, [x]) {
    const below = scale(b, b.expm1([x]), seluScale * seluAlpha);
    return [b.select([positive(b, x), scale(b, x, seluScale), below])];
  },
  vjp(b, [g], [x]) {
    const below = scale(b, b.exp([negativePart(b, x)]), seluScale * seluAlpha);
    return [b.mul([g, b.select([positive(b, x), fillLike(b, x, seluScale), below])])];
  }
});
function selu(x) {
  return typed(apply1(seluOp, toFloat(x)));
}
var seluCases = cases(seluOp, () => ({
  samples: elementwiseSamples(1, noAttrs),
  edges: [
    {
      ins: [[-Infinity, 0, -0, Infinity, NaN]],
      attrs: noAttrs,
      want: [-seluAlpha * seluScale, 0, -0, Infinity, NaN]
    }
  ],
  gradients: [{ ins: [[-1e3, 1e3, Infinity]], attrs: noAttrs, want: [[0, seluScale, seluScale]] }]
}));
var silenced = -1e30;
var siluOp = defineElementwise({
  name: "silu",
  arity: 1,
  accepts: floats,
  lower: (b, [x]) => [b.mul([b.max([x, fillLike(b, x, silenced)]), b.logistic([x])])],
  vjp(b, [g], [x]) {
    const bounded = b.max([b.min([x, fillLike(b, x, -silenced)]), fillLike(b, x, silenced)]);
    const slope = b.mul([b.logistic([x]), shift(b, b.mul([bounded, b.logistic([b.neg([x])])]), 1)]);
    return [b.mul([g, slope])];
  }
});
function silu(x) {
  return typed(apply1(siluOp, toFloat(x)));
}
var siluCases = cases(siluOp, () => ({
  samples: elementwiseSamples(1, noAttrs),
  edges: [{ ins: [[-Infinity, 0, 200, Infinity, NaN]], attrs: noAttrs, want: [-0, 0, 200, Infinity, NaN] }],
  gradients: [{ ins: [[-Infinity, 0, Infinity]], attrs: noAttrs, want: [[0, 0.5, 1]] }]
}));
var softplusOp = defineElementwise({
  name: "softplus",
  arity: 1,
  accepts: floats,
  lower: (b, [x]) => [b.add([positivePart(b, x), b.log1p([b.exp([b.neg([b.abs([x])])])])])],
  vjp: (b, [g], [x]) => [b.mul([g, b.logistic([x])])]
});
function softplus(x) {
  return typed(apply1(softplusOp, toFloat(x)));
}
var softplusCases = cases(softplusOp, () => ({
  samples: elementwiseSamples(1, noAttrs),
  edges: [
    { ins: [[-Infinity, -200, 0, 100, Infinity, NaN]], attrs: noAttrs, want: [0, 0, Math.LN2, 100, Infinity, NaN] },
    { ins: [[-50, 1e3]], dtypes: ["float64"], attrs: noAttrs, want: [19287498479639178e-38, 1e3] }
  ],
  gradients: [{ ins: [[-Infinity, 0, 1e3]], attrs: noAttrs, want: [[0, 0.5, 1]] }]
}));
var logSigmoidOp = defineElementwise({
  name: "logSigmoid",
  arity: 1,
  accepts: floats,
  lower: (b, [x]) => [b.sub([negativePart(b, x), b.log1p([b.exp([b.neg([b.abs([x])])])])])],
  vjp: (b, [g], [x]) => [b.mul([g, b.logistic([b.neg([x])])])]
});
function logSigmoid(x) {
  return typed(apply1(logSigmoidOp, toFloat(x)));
}
var logSigmoidCases = cases(logSigmoidOp, () => ({
  samples: elementwiseSamples(1, noAttrs),
  edges: [{ ins: [[-Infinity, -100, 0, 200, NaN]], attrs: noAttrs, want: [-Infinity, -100, -Math.LN2, 0, NaN] }],
  gradients: [{ ins: [[-1e3, 0, Infinity]], attrs: noAttrs, want: [[1, 0.5, 0]] }]
}));

// packages/core/src/ops/binary/angle.ts
var atan2Op = defineBinary({
  name: "atan2",
  accepts: floats,
  scalar: { float: Math.atan2 },
  vjp(b, [g], [y, x]) {
    const scaled = b.div([g, b.add([b.mul([x, x]), b.mul([y, y])])]);
    return [b.mul([scaled, x]), b.neg([b.mul([scaled, y])])];
  }
});
function atan2(a, b) {
  return typed(binaryFloat(atan2Op, a, b));
}
var atan2Cases = cases(atan2Op, () => ({
  samples: elementwiseSamples(2, noAttrs, [
    [-2, 2],
    [0.2, 2]
  ]),
  edges: [
    {
      ins: [
        [0, -0, 0, -0, Infinity, 1, NaN],
        [1, 1, -1, -1, Infinity, -Infinity, 1]
      ],
      attrs: noAttrs,
      want: [0, -0, Math.PI, -Math.PI, Math.PI / 4, Math.PI, NaN]
    }
  ],
  reject: [{ ins: [[2], [2]], dtypes: ["int32", "int32"], attrs: noAttrs, code: "atan2.C1" }]
}));

// packages/core/src/ops/binary/division.ts
var remOp = defineBinary({
  name: "rem",
  accepts: numeric,
  scalar: {
    float: (x, y) => x % y,
    small: (x, y) => y === 0 ? 0 : x % y,
    int64: (x, y) => y === 0n ? 0n : x % y
  },
  // z = x − n·y with n = trunc(x / y), which does not change with x or y.
  vjp: (b, [g], [x, y], [z]) => [g, b.neg([b.mul([g, b.div([b.sub([x, z]), y])])])]
});
var remCases = cases(remOp, () => ({
  samples: elementwiseSamples(2, noAttrs, [
    [-7, 7],
    [0.6, 2]
  ]),
  edges: [
    {
      ins: [
        [5, -5, 5, -0, 1, Infinity, 2, NaN],
        [3, 3, -3, 1, 0, 1, Infinity, 1]
      ],
      attrs: noAttrs,
      want: [2, -2, 2, -0, NaN, NaN, 2, NaN]
    },
    {
      ins: [
        [7, -7, 7, -2147483648],
        [3, 3, 0, -1]
      ],
      dtypes: ["int32", "int32"],
      attrs: noAttrs,
      want: [1, -1, 0, 0]
    },
    {
      ins: [
        [-7, 7],
        [4, 0]
      ],
      dtypes: ["int64", "int64"],
      attrs: noAttrs,
      want: [-3, 0]
    }
  ],
  reject: [{ ins: [[2], [3]], attrs: noAttrs, code: "rem.C3" }]
}));
function isShort(b, remainder, divisor) {
  const zero = zeroLike(b, divisor);
  const opposite = b.xor([b.lt([remainder, zero]), b.lt([divisor, zero])]);
  return b.and([b.ne([remainder, zero]), opposite]);
}
var floorModOp = defineElementwise({
  name: "floorMod",
  arity: 2,
  accepts: numeric,
  lower(b, [x, y]) {
    const remainder = b.rem([x, y]);
    return [b.select([isShort(b, remainder, y), b.add([remainder, y]), remainder])];
  },
  vjp: (b, [g], [x, y], [z]) => [g, b.neg([b.mul([g, b.div([b.sub([x, z]), y])])])]
});
function mod(a, b) {
  return typed(binary(floorModOp, a, b));
}
var floorModCases = cases(floorModOp, () => ({
  samples: elementwiseSamples(2, noAttrs, [
    [-7, 7],
    [0.6, 2]
  ]),
  edges: [
    {
      ins: [
        [5, -5, 5, -5, 6, 1, Infinity],
        [3, 3, -3, -3, 3, 0, 1]
      ],
      attrs: noAttrs,
      want: [2, 1, -1, -2, 0, NaN, NaN]
    },
    {
      ins: [
        [7, -7, 7, -7],
        [3, 3, -3, 0]
      ],
      dtypes: ["int32", "int32"],
      attrs: noAttrs,
      want: [1, 2, -2, 0]
    },
    {
      ins: [
        [-7, -7],
        [4, 7]
      ],
      dtypes: ["int64", "int64"],
      attrs: noAttrs,
      want: [1, 0]
    },
    { ins: [[7], [4]], dtypes: ["uint8", "uint8"], attrs: noAttrs, want: [3] }
  ]
}));
var floorDivOp = defineElementwise({
  name: "floorDiv",
  arity: 2,
  accepts: numeric,
  lower(b, [x, y]) {
    if (dtypes[x.aval.dtype].isFloat) return [b.floor([b.div([x, y])])];
    const [quotient, remainder] = [b.div([x, y]), b.rem([x, y])];
    return [b.select([isShort(b, remainder, y), b.sub([quotient, fillLike(b, y, 1)]), quotient])];
  },
  vjp: (b, [g]) => [zeroLike(b, g), zeroLike(b, g)]
});
function floorDiv(a, b) {
  return typed(binary(floorDivOp, a, b));
}
var floorDivCases = cases(floorDivOp, () => ({
  samples: elementwiseSamples(2, noAttrs, [
    [-7, 7],
    [0.6, 2]
  ]),
  edges: [
    {
      ins: [
        [5, -5, 5, 0, 1, -1],
        [3, 3, -3, 0, 0, Infinity]
      ],
      attrs: noAttrs,
      want: [1, -2, -2, NaN, Infinity, -0]
    },
    {
      ins: [
        [7, -7, 7, -6, 7],
        [2, 2, -2, 3, 0]
      ],
      dtypes: ["int32", "int32"],
      attrs: noAttrs,
      want: [3, -4, -4, -2, 0]
    },
    { ins: [[7], [4]], dtypes: ["uint8", "uint8"], attrs: noAttrs, want: [1] }
  ]
}));
var divNoNanOp = defineElementwise({
  name: "divNoNan",
  arity: 2,
  accepts: floats,
  lower(b, [x, y]) {
    const zero = zeroLike(b, y);
    return [b.select([b.eq([y, zero]), zero, b.div([x, y])])];
  },
  vjp(b, [g], [, y], [z]) {
    const gx = b.divNoNan([g, y]);
    return [gx, b.neg([b.mul([gx, z])])];
  }
});
function divNoNan(a, b) {
  return typed(binaryFloat(divNoNanOp, a, b));
}
var divNoNanCases = cases(divNoNanOp, () => ({
  samples: elementwiseSamples(2, noAttrs, [
    [-3, 3],
    [0.5, 3]
  ]),
  edges: [
    {
      ins: [
        [1, 0, NaN, Infinity, 3],
        [0, 0, 0, -0, 2]
      ],
      attrs: noAttrs,
      want: [0, 0, 0, 0, 1.5]
    }
  ],
  reject: [{ ins: [[2], [2]], dtypes: ["int32", "int32"], attrs: noAttrs, code: "divNoNan.C1" }]
}));

// packages/core/src/ops/binary/extrema.ts
function toTaken(takesFirst) {
  return (b, [g], [x, y]) => {
    const first2 = b[takesFirst]([x, y]);
    const zero = zeroLike(b, g);
    return [b.select([first2, g, zero]), b.select([first2, zero, g])];
  };
}
var maxOp = defineBinary({
  name: "max",
  accepts: numeric,
  scalar: { float: Math.max, int64: greaterOf },
  vjp: toTaken("ge")
});
function maximum(a, b) {
  return typed(binary(maxOp, a, b));
}
var maxCases = cases(maxOp, () => ({
  samples: elementwiseSamples(2, noAttrs),
  edges: [
    {
      ins: [
        [NaN, 1, -0, 0, -Infinity],
        [1, NaN, 0, -0, Infinity]
      ],
      attrs: noAttrs,
      want: [NaN, NaN, 0, 0, Infinity]
    },
    { ins: [[2n ** 62n], [2n ** 62n + 1n]], dtypes: ["int64", "int64"], attrs: noAttrs, want: [2n ** 62n + 1n] }
  ],
  reject: [{ ins: [[2], [3]], attrs: noAttrs, code: "max.C3" }]
}));
var minOp = defineBinary({
  name: "min",
  accepts: numeric,
  scalar: { float: Math.min, int64: lesserOf },
  vjp: toTaken("le")
});
function minimum(a, b) {
  return typed(binary(minOp, a, b));
}
var minCases = cases(minOp, () => ({
  samples: elementwiseSamples(2, noAttrs),
  edges: [
    {
      ins: [
        [NaN, 1, -0, 0, -Infinity],
        [1, NaN, 0, -0, Infinity]
      ],
      attrs: noAttrs,
      want: [NaN, NaN, -0, -0, -Infinity]
    },
    { ins: [[2n ** 62n], [2n ** 62n + 1n]], dtypes: ["int64", "int64"], attrs: noAttrs, want: [2n ** 62n] }
  ],
  reject: [{ ins: [[2], [3]], attrs: noAttrs, code: "min.C3" }]
}));

// packages/core/src/ops/binary/logical.ts
function logical(name, op, a, b) {
  return binary(op, requireBool(name, toTensor(a)), requireBool(name, toTensor(b)));
}
var andOp = defineBinary({
  name: "and",
  accepts: bits,
  scalar: { small: (x, y) => x & y, int64: (x, y) => x & y },
  vjp: () => [null, null]
});
function logicalAnd(a, b) {
  return typed(logical("logicalAnd", andOp, a, b));
}
var andCases = cases(andOp, () => ({
  samples: elementwiseSamples(2, noAttrs),
  edges: [
    {
      ins: [
        [1, 1, 0, 0],
        [1, 0, 1, 0]
      ],
      dtypes: ["bool", "bool"],
      attrs: noAttrs,
      want: [1, 0, 0, 0]
    },
    {
      ins: [
        [12, -1],
        [10, 0]
      ],
      dtypes: ["int32", "int32"],
      attrs: noAttrs,
      want: [8, 0]
    },
    { ins: [[5], [3]], dtypes: ["int64", "int64"], attrs: noAttrs, want: [1] }
  ],
  reject: [
    { ins: [[2], [2]], attrs: noAttrs, code: "and.C1" },
    { ins: [[2], [2]], dtypes: ["bool", "int32"], attrs: noAttrs, code: "and.C2" }
  ]
}));
var orOp = defineBinary({
  name: "or",
  accepts: bits,
  scalar: { small: (x, y) => x | y, int64: (x, y) => x | y },
  vjp: () => [null, null]
});
function logicalOr(a, b) {
  return typed(logical("logicalOr", orOp, a, b));
}
var orCases = cases(orOp, () => ({
  samples: elementwiseSamples(2, noAttrs),
  edges: [
    {
      ins: [
        [1, 1, 0, 0],
        [1, 0, 1, 0]
      ],
      dtypes: ["bool", "bool"],
      attrs: noAttrs,
      want: [1, 1, 1, 0]
    },
    {
      ins: [
        [12, -1],
        [10, 0]
      ],
      dtypes: ["int32", "int32"],
      attrs: noAttrs,
      want: [14, -1]
    },
    { ins: [[5], [3]], dtypes: ["int64", "int64"], attrs: noAttrs, want: [7] }
  ],
  reject: [
    { ins: [[2], [2]], attrs: noAttrs, code: "or.C1" },
    { ins: [[2], [2]], dtypes: ["bool", "int32"], attrs: noAttrs, code: "or.C2" }
  ]
}));
var xorOp = defineBinary({
  name: "xor",
  accepts: bits,
  scalar: { small: (x, y) => x ^ y, int64: (x, y) => x ^ y },
  vjp: () => [null, null]
});
function logicalXor(a, b) {
  return typed(logical("logicalXor", xorOp, a, b));
}
var xorCases = cases(xorOp, () => ({
  samples: elementwiseSamples(2, noAttrs),
  edges: [
    {
      ins: [
        [1, 1, 0, 0],
        [1, 0, 1, 0]
      ],
      dtypes: ["bool", "bool"],
      attrs: noAttrs,
      want: [0, 1, 1, 0]
    },
    {
      ins: [
        [12, -1],
        [10, 0]
      ],
      dtypes: ["int32", "int32"],
      attrs: noAttrs,
      want: [6, -1]
    },
    { ins: [[5], [3]], dtypes: ["int64", "int64"], attrs: noAttrs, want: [6] }
  ],
  reject: [
    { ins: [[2], [2]], attrs: noAttrs, code: "xor.C1" },
    { ins: [[2], [2]], dtypes: ["bool", "int32"], attrs: noAttrs, code: "xor.C2" }
  ]
}));

// packages/core/src/ops/binary/power.ts
function floatPower(x, y) {
  if (x === 1 || x === -1 && Math.abs(y) === Infinity) return 1;
  return x ** y;
}
function smallPower(x, y) {
  if (y < 0) return Math.abs(x) === 1 ? smallPower(x, -y) : 0;
  let result = 1;
  for (let square2 = x, rest = y; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result = Math.imul(result, square2);
    square2 = Math.imul(square2, square2);
  }
  return result;
}
function widePower(x, y) {
  if (y < 0n) return x === 1n || x === -1n ? widePower(x, -y) : 0n;
  let result = 1n;
  for (let square2 = x, rest = y; rest > 0n; rest /= 2n) {
    if (rest % 2n === 1n) result = BigInt.asIntN(64, result * square2);
    square2 = BigInt.asIntN(64, square2 * square2);
  }
  return result;
}
var powOp = defineBinary({
  name: "pow",
  accepts: numeric,
  scalar: { float: floatPower, small: smallPower, int64: widePower },
  vjp(b, [g], [x, y], [z]) {
    const constant = b.eq([y, zeroLike(b, y)]);
    const exponent = b.select([constant, fillLike(b, y, 1), y]);
    const slope = b.mul([y, b.pow([x, shift(b, exponent, -1)])]);
    const base = b.select([positive(b, x), x, fillLike(b, x, 1)]);
    return [b.mul([g, slope]), b.mul([g, b.mul([z, b.log([base])])])];
  }
});
function pow(a, b) {
  return typed(binary(powOp, a, b));
}
var powCases = cases(powOp, () => ({
  samples: elementwiseSamples(2, noAttrs, [
    [0.3, 3],
    [-2, 2]
  ]),
  edges: [
    {
      ins: [
        [0, -0, 0, NaN, 1, -1, -8, Infinity, 2],
        [0, -1, -2, 0, NaN, Infinity, 1 / 3, -1, -Infinity]
      ],
      attrs: noAttrs,
      want: [1, -Infinity, Infinity, 1, 1, 1, NaN, 0, 0]
    },
    {
      ins: [
        [3, -2, 0, 2, -1, -1, 3, 1],
        [5, 3, 0, -1, -3, -4, 21, -9]
      ],
      dtypes: ["int32", "int32"],
      attrs: noAttrs,
      want: [243, -8, 1, 0, -1, 1, 1870418611, 1]
    },
    { ins: [[3], [41]], dtypes: ["int64", "int64"], attrs: noAttrs, want: [BigInt.asIntN(64, 3n ** 41n)] },
    { ins: [[3], [6]], dtypes: ["uint8", "uint8"], attrs: noAttrs, want: [217] }
  ],
  reject: [{ ins: [[2], [3]], attrs: noAttrs, code: "pow.C3" }]
}));
function square(x) {
  const t = toTensor(x);
  return typed(binary(mulOp, t, t));
}
function reciprocal(x) {
  return typed(binary(divOp, 1, toFloat(x)));
}
function squaredDifference(a, b) {
  const difference = binary(subOp, a, b);
  return typed(binary(mulOp, difference, difference));
}

// packages/core/src/ops/compare/order.ts
function defineComparison(name, accepts, holds) {
  return defineBinary({
    name,
    accepts,
    result: "bool",
    scalar: { float: holds, int64: holds },
    vjp: () => [null, null]
  });
}
var samples = elementwiseSamples(2, noAttrs);
var edge = (want) => ({
  ins: [
    [1, 2, 0, NaN, 1, NaN, Infinity],
    [2, 2, -0, 1, NaN, NaN, 1]
  ],
  attrs: noAttrs,
  want
});
var wideEdge = (want) => ({
  ins: [
    [2n ** 62n, 2n ** 62n + 1n, -5n],
    [2n ** 62n + 1n, 2n ** 62n, -5n]
  ],
  dtypes: ["int64", "int64"],
  attrs: noAttrs,
  want
});
var eqOp = defineComparison("eq", anyDType, (x, y) => x === y);
function equal(a, b) {
  return typed(binary(eqOp, a, b));
}
var eqCases = cases(eqOp, () => ({
  samples,
  edges: [edge([0, 1, 1, 0, 0, 0, 0]), wideEdge([0, 0, 1])],
  reject: [
    { ins: [[2], [3]], attrs: noAttrs, code: "eq.C3" },
    { ins: [[2], [2]], dtypes: ["float32", "int32"], attrs: noAttrs, code: "eq.C2" }
  ]
}));
var neOp = defineComparison("ne", anyDType, (x, y) => x !== y);
function notEqual(a, b) {
  return typed(binary(neOp, a, b));
}
var neCases = cases(neOp, () => ({
  samples,
  edges: [edge([1, 0, 0, 1, 1, 1, 1]), wideEdge([1, 1, 0])],
  reject: [
    { ins: [[2], [3]], attrs: noAttrs, code: "ne.C3" },
    { ins: [[2], [2]], dtypes: ["float32", "int32"], attrs: noAttrs, code: "ne.C2" }
  ]
}));
var ltOp = defineComparison("lt", numeric, (x, y) => x < y);
function less(a, b) {
  return typed(binary(ltOp, a, b));
}
var ltCases = cases(ltOp, () => ({
  samples,
  edges: [edge([1, 0, 0, 0, 0, 0, 0]), wideEdge([1, 0, 0])],
  reject: [
    { ins: [[2], [3]], attrs: noAttrs, code: "lt.C3" },
    { ins: [[2], [2]], dtypes: ["float32", "int32"], attrs: noAttrs, code: "lt.C2" },
    { ins: [[2], [2]], dtypes: ["bool", "bool"], attrs: noAttrs, code: "lt.C1" }
  ]
}));
var leOp = defineComparison("le", numeric, (x, y) => x <= y);
function lessEqual(a, b) {
  return typed(binary(leOp, a, b));
}
var leCases = cases(leOp, () => ({
  samples,
  edges: [edge([1, 1, 1, 0, 0, 0, 0]), wideEdge([1, 0, 1])],
  reject: [
    { ins: [[2], [3]], attrs: noAttrs, code: "le.C3" },
    { ins: [[2], [2]], dtypes: ["float32", "int32"], attrs: noAttrs, code: "le.C2" },
    { ins: [[2], [2]], dtypes: ["bool", "bool"], attrs: noAttrs, code: "le.C1" }
  ]
}));
var gtOp = defineComparison("gt", numeric, (x, y) => x > y);
function greater(a, b) {
  return typed(binary(gtOp, a, b));
}
var gtCases = cases(gtOp, () => ({
  samples,
  edges: [edge([0, 0, 0, 0, 0, 0, 1]), wideEdge([0, 1, 0])],
  reject: [
    { ins: [[2], [3]], attrs: noAttrs, code: "gt.C3" },
    { ins: [[2], [2]], dtypes: ["float32", "int32"], attrs: noAttrs, code: "gt.C2" },
    { ins: [[2], [2]], dtypes: ["bool", "bool"], attrs: noAttrs, code: "gt.C1" }
  ]
}));
var geOp = defineComparison("ge", numeric, (x, y) => x >= y);
function greaterEqual(a, b) {
  return typed(binary(geOp, a, b));
}
var geCases = cases(geOp, () => ({
  samples,
  edges: [edge([0, 1, 1, 0, 0, 0, 1]), wideEdge([0, 1, 1])],
  reject: [
    { ins: [[2], [3]], attrs: noAttrs, code: "ge.C3" },
    { ins: [[2], [2]], dtypes: ["float32", "int32"], attrs: noAttrs, code: "ge.C2" },
    { ins: [[2], [2]], dtypes: ["bool", "bool"], attrs: noAttrs, code: "ge.C1" }
  ]
}));

// packages/core/src/ops/compare/select.ts
var selectOp = defineOp({
  name: "select",
  version: 1,
  kind: "select",
  arity: 3,
  infer([predicate, onTrue, onFalse]) {
    const [p, x, y] = [predicate, onTrue, onFalse];
    checkDType("select.C1", p.dtype === "bool", () => `needs a bool predicate, got ${p.dtype}`);
    checkDType("select.C2", x.dtype === y.dtype, () => `needs values of one dtype, got ${x.dtype} and ${y.dtype}`);
    for (const other of [x, y]) {
      check(
        "select.C3",
        sameShape(p.shape, other.shape),
        () => `needs equal shapes, got ${formatShape(p.shape)} and ${formatShape(other.shape)}`
      );
    }
    return [x];
  },
  reference([p, x, y], _attrs, [out]) {
    for (let i = 0; i < out.data.length; i++) out.data[i] = (p.data[i] ? x : y).data[i];
  },
  vjp(b, [g], [p]) {
    const zero = zeroLike(b, g);
    return [null, b.select([p, g, zero]), b.select([p, zero, g])];
  },
  batch: "elementwise"
});
var selectCases = cases(selectOp, () => ({
  samples: elementwiseSamples(3, noAttrs).map((sample2) => ({ ...sample2, dtypes: ["bool", "*", "*"] })),
  edges: [
    {
      ins: [
        [1, 0, 1],
        [1, NaN, -0],
        [NaN, 2, NaN]
      ],
      dtypes: ["bool", "float32", "float32"],
      attrs: noAttrs,
      want: [1, 2, -0]
    },
    {
      ins: [
        [1, 0],
        [1, 2],
        [3, 4]
      ],
      dtypes: ["bool", "int64", "int64"],
      attrs: noAttrs,
      want: [1, 4]
    }
  ],
  reject: [
    { ins: [[2], [2], [2]], attrs: noAttrs, code: "select.C1" },
    { ins: [[2], [2], [2]], dtypes: ["bool", "float32", "int32"], attrs: noAttrs, code: "select.C2" },
    { ins: [[2], [2], [3]], dtypes: ["bool", "int32", "int32"], attrs: noAttrs, code: "select.C3" }
  ]
}));
function where(condition, a, b) {
  const p = requireBool("where", toTensor(condition));
  const [x, y] = promoted("where", a, b);
  const [of, ofX, ofY] = [avalOf(p), avalOf(x), avalOf(y)];
  const values = broadcastShapes(ofX.shape, ofY.shape);
  if (!values) throw noBroadcast("where", ofX, ofY);
  const shape = broadcastShapes(of.shape, values);
  if (!shape) throw noBroadcast("where", of, { dtype: x.dtype, shape: values });
  return typed(
    apply(
      selectOp,
      [p, x, y].map((t) => stretchTo(t, shape))
    )
  );
}
function clipByValue(x, clipValueMin, clipValueMax) {
  if (!(clipValueMin <= clipValueMax)) {
    const message = `clipByValue: the lower bound ${clipValueMin} is above the upper bound ${clipValueMax}`;
    throw new MillraceError("E_ARGUMENT", message, { op: "clipByValue" });
  }
  return typed(binary(minOp, binary(maxOp, toTensor(x), clipValueMin), clipValueMax));
}

// packages/core/src/ops/contract/dot-reference.ts
function freeAxes(rank, batch, contract2) {
  return axesOf(rank).filter((axis) => !batch.includes(axis) && !contract2.includes(axis));
}
function offsets({ shape }, axes2) {
  const steps2 = stridesOf(shape);
  let list = [0];
  for (const axis of axes2) {
    list = list.flatMap((at) => Array.from({ length: shape[axis] }, (_, i) => at + i * steps2[axis]));
  }
  return list;
}
function contract(a, b, attrs, out) {
  const { lhsBatch, rhsBatch, lhsContract, rhsContract } = attrs;
  const [batchA, batchB] = [offsets(a, lhsBatch), offsets(b, rhsBatch)];
  const rows = offsets(a, freeAxes(a.shape.length, lhsBatch, lhsContract));
  const columns = offsets(b, freeAxes(b.shape.length, rhsBatch, rhsContract));
  const [innerA, innerB] = [offsets(a, lhsContract), offsets(b, rhsContract)];
  const dot2 = dotIn(a, b);
  let at = 0;
  for (let n = 0; n < batchA.length; n++) {
    for (const row of rows) {
      for (const column of columns) out.data[at++] = dot2(innerA, batchA[n] + row, innerB, batchB[n] + column);
    }
  }
}
function dotIn({ dtype, data: a }, { data: b }) {
  if (dtype === "int64") {
    return (ia, pa, ib, pb) => ia.reduce((sum3, i, k) => sum3 + BigInt(a[pa + i]) * BigInt(b[pb + ib[k]]), 0n);
  }
  if (dtype === "float32" || dtype === "float64") {
    return (ia, pa, ib, pb) => {
      let sum3 = 0;
      for (let k = 0; k < ia.length; k++) sum3 += Number(a[pa + ia[k]]) * Number(b[pb + ib[k]]);
      return sum3;
    };
  }
  return (ia, pa, ib, pb) => ia.reduce((sum3, i, k) => sum3 + Math.imul(Number(a[pa + i]), Number(b[pb + ib[k]])) | 0, 0);
}
function multiplyAddIn(dtype) {
  if (dtype === "int64") return { zero: 0n, multiplyAdd: (sum3, x, y) => BigInt(sum3) + BigInt(x) * BigInt(y) };
  if (dtypes[dtype].isFloat) return { zero: 0, multiplyAdd: (sum3, x, y) => Number(sum3) + Number(x) * Number(y) };
  return { zero: 0, multiplyAdd: (sum3, x, y) => Number(sum3) + Math.imul(Number(x), Number(y)) | 0 };
}

// packages/core/src/ops/contract/dot-repairs.ts
function dotRepairs([a, b], attrs) {
  const [s, t] = [a.shape, b.shape];
  const [i, j] = [attrs.lhsContract[0], attrs.rhsContract[0]];
  if (attrs.lhsContract.length !== 1 || attrs.rhsContract.length !== 1 || i === void 0 || j === void 0) return [];
  const withShapes = (change, x, y, changed) => ({
    change,
    ins: [
      { dtype: a.dtype, shape: x },
      { dtype: b.dtype, shape: y }
    ],
    attrs: { ...attrs, ...changed }
  });
  if (s.length === t.length && s.length >= 2) {
    const other = (axis) => 2 * s.length - 3 - axis;
    return [
      withShapes(`transposeA: ${i === s.length - 1}`, s, t, { lhsContract: [other(i)] }),
      withShapes(`transposeB: ${j === t.length - 2}`, s, t, { rhsContract: [other(j)] }),
      withShapes("swapping a and b", t, s, {})
    ];
  }
  const batch = axesOf(Math.max(s.length, t.length) - 2);
  const row = [...s.slice(0, -1), 1, ...s.slice(-1)];
  const column = [...t, 1];
  const whole = { lhsBatch: batch, rhsBatch: batch };
  if (s.length === 1 && t.length === 2) return [withShapes("expandDims(a, 0)", row, t, { lhsContract: [1] })];
  if (s.length === 2 && t.length === 1) return [withShapes("expandDims(b, 1)", s, column, { rhsContract: [0] })];
  if (t.length === s.length + 1) {
    return [
      withShapes("expandDims(a, -2)", row, t, { ...whole, lhsContract: [s.length], rhsContract: [t.length - 2] })
    ];
  }
  if (s.length === t.length + 1) {
    return [
      withShapes("expandDims(b, -1)", s, column, {
        ...whole,
        lhsContract: [s.length - 1],
        rhsContract: [t.length - 1]
      })
    ];
  }
  return [];
}

// packages/core/src/ops/contract/dot-general.ts
function isAxisList(axes2, rank) {
  return new Set(axes2).size === axes2.length && axes2.every((a) => Number.isInteger(a) && a >= 0 && a < rank);
}
var dotGeneralOp = defineOp({
  name: "dotGeneral",
  version: 1,
  kind: "contract",
  arity: 2,
  infer([a, b], { lhsBatch, rhsBatch, lhsContract, rhsContract }) {
    const [s, t] = [a.shape, b.shape];
    checkDType("dotGeneral.C1", numeric.has(a.dtype), () => `needs ${numeric.words}, got ${a.dtype}`);
    checkDType("dotGeneral.C2", a.dtype === b.dtype, () => `needs one dtype, got ${a.dtype} and ${b.dtype}`);
    const legal = isAxisList([...lhsBatch, ...lhsContract], s.length) && isAxisList([...rhsBatch, ...rhsContract], t.length);
    const paired2 = lhsBatch.length === rhsBatch.length && lhsContract.length === rhsContract.length;
    checkAttr(
      "dotGeneral.C3",
      legal && paired2,
      () => `axes [${lhsBatch}], [${lhsContract}] of ${formatShape(s)} and [${rhsBatch}], [${rhsContract}] of ${formatShape(t)} do not pair up`
    );
    const meet = (label, what, i, j) => check(
      label,
      eqDim(s[i], t[j]),
      () => `${what} sizes ${s[i]} and ${t[j]} differ: ${formatShape(s)} x ${formatShape(t)}`
    );
    for (const [n, i] of lhsBatch.entries()) meet("dotGeneral.C4", "batch", i, rhsBatch[n]);
    for (const [n, i] of lhsContract.entries()) meet("dotGeneral.C5", "inner", i, rhsContract[n]);
    const batch = lhsBatch.map((i, n) => typeof s[i] === "number" ? s[i] : t[rhsBatch[n]]);
    const rows = freeAxes(s.length, lhsBatch, lhsContract).map((i) => s[i]);
    const columns = freeAxes(t.length, rhsBatch, rhsContract).map((j) => t[j]);
    return [{ dtype: a.dtype, shape: [...batch, ...rows, ...columns] }];
  },
  reference([a, b], attrs, [out]) {
    contract(a, b, attrs, out);
  },
  vjp(b, [g], [x, y], _outs, { lhsBatch, rhsBatch, lhsContract, rhsContract }, _regions, [ofX, ofY] = [true, true]) {
    const [rankX, rankY] = [x.aval.shape.length, y.aval.shape.length];
    const [freeX, freeY] = [freeAxes(rankX, lhsBatch, lhsContract), freeAxes(rankY, rhsBatch, rhsContract)];
    const batch = axesOf(lhsBatch.length);
    const rows = freeX.map((_, i) => batch.length + i);
    const columns = freeY.map((_, i) => batch.length + freeX.length + i);
    const [gFromX, gFromY] = [
      { val: g, batch, contract: columns, names: freeX },
      { val: g, batch, contract: rows, names: freeY }
    ];
    const yFactor = { val: y, batch: rhsBatch, contract: freeY, names: pairedWith(rhsContract, lhsContract) };
    const xFactor = { val: x, batch: lhsBatch, contract: freeX, names: pairedWith(lhsContract, rhsContract) };
    return [
      ofX ? productInto(b, lhsBatch, gFromX, yFactor) : null,
      ofY ? productInto(b, rhsBatch, xFactor, gFromY) : null
    ];
  },
  batch(b, [x, y], batched, attrs) {
    const { lhsBatch, rhsBatch, lhsContract, rhsContract } = attrs;
    const up = (axes2, by) => axes2.map((a) => by ? a + 1 : a);
    const moved = {
      lhsBatch: up(lhsBatch, batched[0]),
      rhsBatch: up(rhsBatch, batched[1]),
      lhsContract: up(lhsContract, batched[0]),
      rhsContract: up(rhsContract, batched[1])
    };
    if (batched[0] && batched[1]) {
      return [b.dotGeneral([x, y], { ...moved, lhsBatch: [0, ...moved.lhsBatch], rhsBatch: [0, ...moved.rhsBatch] })];
    }
    const z = b.dotGeneral([x, y], moved);
    const at = batched[0] ? lhsBatch.length : x.aval.shape.length - lhsContract.length;
    return [at === 0 ? z : b.transpose([z], { perm: [at, ...axesOf(z.aval.shape.length).filter((i) => i !== at)] })];
  },
  repairs: dotRepairs
});
function pairedWith(axes2, partners) {
  return axes2.map((a, i) => [a, partners[i]]).sort((p, q) => p[0] - q[0]).map(([, partner]) => partner);
}
function productInto(b, batchNames, x, y) {
  const order = (p2, q2) => inversePerm([...batchNames, ...p2.names, ...q2.names]);
  const isPlain = (perm2) => perm2.every((p2, i) => p2 === i);
  const [p, q] = isPlain(order(y, x)) && !isPlain(order(x, y)) ? [y, x] : [x, y];
  const attrs = { lhsBatch: p.batch, rhsBatch: q.batch, lhsContract: p.contract, rhsContract: q.contract };
  const product5 = b.dotGeneral([p.val, q.val], attrs);
  const perm = order(p, q);
  return isPlain(perm) ? product5 : b.transpose([product5], { perm });
}
var pairs = (lhsBatch, rhsBatch, lhsContract, rhsContract) => ({
  lhsBatch,
  rhsBatch,
  lhsContract,
  rhsContract
});
var dotGeneralCases = cases(dotGeneralOp, () => ({
  samples: [
    {
      ins: [
        [2, 3],
        [3, 4]
      ],
      attrs: pairs([], [], [1], [0])
    },
    {
      ins: [
        [2, 3],
        [4, 3]
      ],
      attrs: pairs([], [], [1], [1])
    },
    {
      ins: [
        [3, 2],
        [3, 4]
      ],
      attrs: pairs([], [], [0], [0])
    },
    {
      ins: [
        [3, 2],
        [4, 3]
      ],
      attrs: pairs([], [], [0], [1])
    },
    { ins: [[5], [5]], attrs: pairs([], [], [0], [0]) },
    { ins: [[3], [4]], attrs: pairs([], [], [], []) },
    { ins: [[], [2]], attrs: pairs([], [], [], []) },
    { ins: [[3], [3]], attrs: pairs([0], [0], [], []) },
    {
      ins: [
        [2, 3, 4],
        [2, 4, 5]
      ],
      attrs: pairs([0], [0], [2], [1])
    },
    {
      ins: [
        [2, 3, 4],
        [4, 2, 5]
      ],
      attrs: pairs([0], [1], [2], [0])
    },
    {
      ins: [
        [3, 4, 2],
        [2, 5, 4]
      ],
      attrs: pairs([2], [0], [1], [2])
    },
    {
      ins: [
        [2, 3, 4],
        [4, 3, 5]
      ],
      attrs: pairs([], [], [1, 2], [1, 0])
    },
    {
      ins: [
        [4, 2, 3],
        [5, 3, 4]
      ],
      attrs: pairs([], [], [2, 0], [1, 2])
    },
    {
      ins: [
        [2, 3, 2, 4],
        [3, 4, 2, 5]
      ],
      attrs: pairs([0, 1], [2, 0], [3], [1])
    },
    {
      ins: [
        [2, 0],
        [0, 3]
      ],
      attrs: pairs([], [], [1], [0])
    },
    {
      ins: [
        [0, 2],
        [2, 3]
      ],
      attrs: pairs([], [], [1], [0])
    },
    {
      ins: [
        [1, 17],
        [17, 15]
      ],
      attrs: pairs([], [], [1], [0])
    }
  ],
  edges: [
    { ins: [[[1, 0]], [[NaN], [2]]], attrs: pairs([], [], [1], [0]), want: [[NaN]] },
    { ins: [[[1, 0]], [[2], [Infinity]]], attrs: pairs([], [], [1], [0]), want: [[NaN]] },
    {
      ins: [
        [65537, 1],
        [65537, 1]
      ],
      dtypes: ["int32", "int32"],
      attrs: pairs([], [], [0], [0]),
      want: 131074
    },
    {
      ins: [
        [16, 1],
        [16, 3]
      ],
      dtypes: ["uint8", "uint8"],
      attrs: pairs([], [], [0], [0]),
      want: 3
    },
    {
      ins: [
        [2 ** 40, 1],
        [2 ** 40, 5]
      ],
      dtypes: ["int64", "int64"],
      attrs: pairs([], [], [0], [0]),
      want: 5
    }
  ],
  reject: [
    { ins: [[2], [2]], dtypes: ["bool", "bool"], attrs: pairs([], [], [0], [0]), code: "dotGeneral.C1" },
    { ins: [[2], [2]], dtypes: ["float32", "int32"], attrs: pairs([], [], [0], [0]), code: "dotGeneral.C2" },
    {
      ins: [
        [2, 3],
        [3, 4]
      ],
      attrs: pairs([], [], [2], [0]),
      code: "dotGeneral.C3"
    },
    {
      ins: [
        [2, 3],
        [3, 4]
      ],
      attrs: pairs([], [], [1, 1], [0, 0]),
      code: "dotGeneral.C3"
    },
    {
      ins: [
        [2, 3],
        [3, 4]
      ],
      attrs: pairs([], [], [1], []),
      code: "dotGeneral.C3"
    },
    {
      ins: [
        [2, 3],
        [3, 3]
      ],
      attrs: pairs([0], [0], [1], [1]),
      code: "dotGeneral.C4"
    },
    {
      ins: [
        [2, 3],
        [4, 5]
      ],
      attrs: pairs([], [], [1], [0]),
      code: "dotGeneral.C5"
    }
  ],
  repairs: [
    {
      ins: [
        [2, 3],
        [5, 3]
      ],
      attrs: pairs([], [], [1], [0]),
      want: "transposeB: true would give [2,5]"
    },
    {
      ins: [
        [3, 2],
        [3, 5]
      ],
      attrs: pairs([], [], [1], [0]),
      want: "transposeA: true would give [2,5]"
    },
    {
      ins: [
        [2, 3],
        [3, 5]
      ],
      attrs: pairs([], [], [1], [1]),
      want: "transposeB: false would give [2,5]"
    },
    {
      ins: [
        [2, 3],
        [5, 2]
      ],
      attrs: pairs([], [], [1], [0]),
      want: "swapping a and b would give [5,3]"
    },
    {
      ins: [
        [7, 2, 3],
        [7, 5, 3]
      ],
      attrs: pairs([0], [0], [2], [1]),
      want: "transposeB: true would give [7,2,5]"
    },
    {
      ins: [
        [7, 2, 3],
        [7, 3]
      ],
      attrs: pairs([], [], [2], [0]),
      want: "expandDims(b, -1) would give [7,2,1]"
    },
    {
      ins: [
        [7, 3],
        [7, 3, 4]
      ],
      attrs: pairs([], [], [1], [1]),
      want: "expandDims(a, -2) would give [7,1,4]"
    },
    { ins: [[3], [3, 4]], attrs: pairs([], [], [0], [0]), want: "expandDims(a, 0) would give [1,4]" },
    { ins: [[2, 3], [3]], attrs: pairs([], [], [1], [0]), want: "expandDims(b, 1) would give [2,1]" },
    {
      ins: [
        [2, 3],
        [2, 3]
      ],
      attrs: pairs([], [], [1], [0]),
      want: void 0
    },
    {
      ins: [
        [2, 3],
        [4, 5]
      ],
      attrs: pairs([], [], [1], [0]),
      want: void 0
    }
  ]
}));

// packages/core/src/ir/inline.ts
function symbolName(d) {
  if (typeof d === "number" || d.terms.length !== 1) return void 0;
  const { coefficient, atoms } = d.terms[0];
  const [atom] = atoms;
  return coefficient === 1 && atoms.length === 1 && atom?.kind === "symbol" ? atom.name : void 0;
}
function matchSymbols(params, args) {
  const found = /* @__PURE__ */ new Map();
  params.forEach((p, i) => {
    p.shape.forEach((d, axis) => {
      const name = symbolName(d);
      if (name !== void 0 && !found.has(name)) found.set(name, args[i].shape[axis]);
    });
  });
  return found;
}
function substituteAval(aval, by) {
  return by.size === 0 ? aval : { dtype: aval.dtype, shape: aval.shape.map((d) => substituteDim(d, by)) };
}
function substituteAttrs(attrs, by) {
  const change = (d) => typeof d === "number" ? d : substituteDim(d, by);
  return Object.fromEntries(Object.entries(attrs).map(([name, value]) => [name, mapAttr(value, change)]));
}
function inlineGraph(graph, args, apply2) {
  const by = matchSymbols(
    paramAvals(graph),
    args.map((a) => a.aval)
  );
  if (by.size === 0) return evaluateGraph(graph, args, apply2);
  return evaluateGraph(graph, args, (op, ins, attrs, regions) => apply2(op, ins, substituteAttrs(attrs, by), regions));
}
function symbolValues(graph, args, symbols) {
  const found = matchSymbols(paramAvals(graph), args);
  return symbols.map((name) => {
    const d = found.get(name);
    if (d === void 0) throw new RangeError(`the size ${name} is no size of a parameter`);
    return evaluateDim(d, /* @__PURE__ */ new Map());
  });
}

// packages/core/src/ir/transform.ts
var transforms = {
  current: {
    vjp() {
      throw new MillraceError("E_GRADIENT", "the gradient of control flow needs @millrace/autodiff: import it first");
    }
  }
};

// packages/core/src/ops/control/call.ts
function floatCotangents(b, gs, outs) {
  return outs.flatMap((y, i) => isFloat(y) ? [gs[i] ?? fillLike(b, y, 0)] : []);
}
function scatterCotangents(ins, floats2) {
  let next = 0;
  return ins.map((x) => isFloat(x) ? floats2[next++] : null);
}
function checkRegion(label, region2, ins) {
  const params = paramAvals(region2);
  check(
    label,
    params.length === ins.length,
    () => `the region takes ${params.length} operands, got ${ins.length}`,
    "E_ARGUMENT"
  );
  const by = matchSymbols(params, ins);
  params.forEach((p, i) => {
    const want = substituteAval(p, by);
    const got = ins[i];
    checkDType(
      label,
      want.dtype === got.dtype,
      () => `operand ${i} must be ${formatAval(want)}, got ${formatAval(got)}`
    );
    check(
      label,
      sameShape(want.shape, got.shape),
      () => `operand ${i} must be ${formatAval(want)}, got ${formatAval(got)}`
    );
  });
  return resultAvals(region2).map((a) => substituteAval(a, by));
}
var callOp = defineComposite({
  name: "call",
  version: 1,
  arity: [0, Number.POSITIVE_INFINITY],
  many: true,
  infer: (ins, _attrs, [f]) => checkRegion("call.C1", f, ins),
  lower: (b, ins, _attrs, [f]) => inlineGraph(f, ins, b.apply),
  vjp(b, gs, ins, outs, _attrs, [f]) {
    const cotangents = floatCotangents(b, gs, outs);
    return scatterCotangents(ins, b.call([...ins, ...cotangents], noAttrs, [transforms.current.vjp(f)]));
  },
  batch: "lower"
});
var callCases = cases(callOp, () => ({ samples: [] }));

// packages/core/src/ir/make-ops.ts
function makeOps(apply2) {
  opsInCommon ??= methodsOfOps();
  return Object.create(opsInCommon, { apply: { value: apply2 } });
}
var opsInCommon;
function methodsOfOps() {
  const methods2 = {};
  for (const op of allOps().values()) {
    Object.defineProperty(methods2, op.name, {
      get() {
        const value = (ins, attrs = {}, regions = []) => {
          const outs = this.apply(op, ins, attrs, regions);
          return op.many ? outs : outs[0];
        };
        Object.defineProperty(this, op.name, { value });
        return value;
      }
    });
  }
  return methods2;
}
function buildingOps(builder) {
  return makeOps((op, ins, attrs, regions) => builder.apply(op, ins, attrs, regions, sharedSites()));
}
function buildRegion(avals, build2) {
  return buildGraph(avals, (builder, params) => build2(buildingOps(builder), params));
}

// packages/core/src/ops/index/rows.ts
function indexedShape(name, x, indices, axis) {
  const { shape } = x;
  const isIndex = indices.dtype === "int32" || indices.dtype === "int64";
  checkDType(`${name}.C1`, isIndex, () => `needs int32 or int64 indices, got ${indices.dtype}`);
  const inRange = Number.isInteger(axis) && axis >= 0 && axis < shape.length;
  checkAttr(`${name}.C2`, inRange, () => `axis ${axis} is out of range for ${formatShape(shape)}`);
  return [...shape.slice(0, axis), ...indices.shape, ...shape.slice(axis + 1)];
}
function toIndices(name, indices, x) {
  const t = isTensor(indices) ? indices : dispatch.current.toTensor(wholeNumbers(name, indices), "int32", void 0, x);
  const dtype = t.dtype;
  checkDType(`${name}.C1`, dtypes[dtype].isInteger, () => `indices must be int32, got ${dtype}`);
  return dtype === "uint8" ? castTo(t, "int32") : t;
}
function wholeNumbers(name, value) {
  if (typeof value === "number")
    checkDType(`${name}.C1`, Number.isInteger(value), () => `indices must be whole numbers, got ${value}`);
  else if (Array.isArray(value) || ArrayBuffer.isView(value))
    for (const one of value) wholeNumbers(name, one);
  return value;
}
function forEachRow(x, indices, axis, visit) {
  const size = x.shape[axis];
  const length = countOf(x.shape.slice(axis + 1));
  const outer = countOf(x.shape.slice(0, axis));
  const count2 = indices.data.length;
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < count2; i++) {
      const index = Number(indices.data[i]);
      const inside2 = index >= 0 && index < size;
      visit(inside2 ? (o * size + index) * length : -1, (o * count2 + i) * length, length);
    }
  }
}
function dimensionOf(b, size, dtype) {
  return typeof size === "number" ? scalarOf(b, dtype, size) : b.dimension([], { size, dtype });
}
function withBatch(b, x, isBatched, size) {
  const { shape } = x.aval;
  return isBatched ? x : stretch(
    b,
    x,
    [size, ...shape],
    axesOf(shape.length).map((axis) => axis + 1)
  );
}
function axesFirst(rank, first2) {
  return [...first2, ...axesOf(rank).filter((axis) => !first2.includes(axis))];
}
function toRows(b, x, axis) {
  const perm = axesFirst(x.aval.shape.length, [0, axis + 1]);
  const moved = transposed(b, x, perm);
  const { shape } = moved.aval;
  return {
    val: b.reshape([moved], { shape: [mulDim(shape[0], shape[1]), ...shape.slice(2)] }),
    restore: (y) => transposed(b, b.reshape([y], { shape }), inversePerm(perm))
  };
}
function picksFirst(rank, axis, indexRank) {
  return axesFirst(rank, [0, ...axesOf(indexRank - 1).map((i) => i + axis + 1)]);
}
function rowIndices(b, indices, size) {
  const { dtype, shape } = indices.aval;
  const fill = (value) => stretch(b, value, shape, []);
  const n = fill(dimensionOf(b, size, dtype));
  const inside2 = b.and([b.ge([indices, fill(scalarOf(b, dtype, 0))]), b.lt([indices, n])]);
  const batch = b.iota([], { shape, axis: 0, dtype });
  return b.select([inside2, b.add([b.mul([batch, n]), indices]), fill(scalarOf(b, dtype, -1))]);
}
function transposed(b, x, perm) {
  return perm.every((p, i) => p === i) ? x : b.transpose([x], { perm });
}

// packages/core/src/ops/batched.ts
function laneOf(whole, batched) {
  const { dtype, shape } = whole.aval;
  return { whole, batched, aval: batched ? { dtype, shape: shape.slice(1) } : whole.aval };
}
function withAxis(b, { whole, batched }, size) {
  return withBatch(b, whole, batched, size);
}
function batchedApply(apply2, size) {
  const b = makeOps(apply2);
  const applyToLanes = (op, ins, attrs, regions) => {
    const wholes = ins.map((x) => x.whole);
    if (!ins.some((x) => x.batched)) return apply2(op, wholes, attrs, regions).map((y) => laneOf(y, false));
    const rule = op.batch;
    if (isNoRule(rule)) {
      const why = `${op.name} has no batched form: ${rule.reason}`;
      throw new MillraceError("E_UNIMPLEMENTED", `vectorizedMap: ${why}`, { op: op.name });
    }
    if (rule === "lower") return op.lower(lanes, ins, attrs, regions);
    if (rule === "elementwise") {
      const stretched = ins.map((x) => withAxis(b, x, size));
      return apply2(op, stretched, attrs, regions).map((y) => laneOf(y, true));
    }
    const batched = ins.map((x) => x.batched);
    const outs = batchedAvals(op, ins, attrs, regions, size);
    const made2 = rule(b, wholes, batched, attrs, outs, regions);
    return made2.map((y) => laneOf(y, true));
  };
  const lanes = makeOps(applyToLanes);
  return applyToLanes;
}
function batchedAvals(op, ins, attrs, regions, size) {
  const guards = [];
  const avals = ins.map((x) => x.aval);
  return inferOp(op, avals, attrs, regions, guards).map(({ dtype, shape }) => ({ dtype, shape: [size, ...shape] }));
}
function batchGraph(graph, batched, size, wanted = []) {
  const withLead = ({ dtype, shape }) => ({ dtype, shape: [size, ...shape] });
  const avals = graph.params.map((p, i) => batched[i] ? withLead(p.aval) : p.aval);
  let found = [];
  const made2 = buildGraph(avals, (builder, params) => {
    for (const guard2 of graph.guards) builder.guard(guard2);
    const b = buildingOps(builder);
    const lanes = params.map((p, i) => laneOf(p, batched[i]));
    const results = inlineGraph(graph, lanes, batchedApply(b.apply, size));
    found = results.map((x, i) => x.batched || wanted[i] === true);
    return results.map((x, i) => found[i] ? withAxis(b, x, size) : x.whole);
  });
  return { graph: made2, batched: found };
}
function batchedCarry(body, batched, carried, size) {
  const after = batchGraph(body, batched, size).batched;
  const mask = batched.map((lead, i) => lead || i < carried && after[i] === true);
  return mask.every((lead, i) => lead === batched[i]) ? mask : batchedCarry(body, mask, carried, size);
}

// packages/core/src/ops/control/cond.ts
var condOp = defineOp({
  name: "cond",
  version: 1,
  kind: "control",
  arity: [1, Number.POSITIVE_INFINITY],
  many: true,
  infer([pred, ...operands], _attrs, [onTrue, onFalse]) {
    checkDType("cond.C1", pred.dtype === "bool", () => `the condition must be bool, got ${pred.dtype}`);
    check("cond.C2", pred.shape.length === 0, () => `the condition must be a scalar, got ${formatAval(pred)}`);
    const outs = checkRegion("cond.C3", onTrue, operands);
    const others = checkRegion("cond.C3", onFalse, operands);
    const [a, b] = [outs.map(formatAval).join(", "), others.map(formatAval).join(", ")];
    check(
      "cond.C4",
      a === b,
      () => `both branches must return the same avals, got ${a || "nothing"} and ${b || "nothing"}`
    );
    return outs;
  },
  reference() {
    throw new TypeError("cond: the evaluator runs the region, since a reference sees no graphs");
  },
  vjp(b, gs, ins, outs, _attrs, [onTrue, onFalse]) {
    const cotangents = floatCotangents(b, gs, outs);
    const [pred, ...operands] = ins;
    const regions = [transforms.current.vjp(onTrue), transforms.current.vjp(onFalse)];
    return [null, ...scatterCotangents(operands, b.cond([pred, ...operands, ...cotangents], noAttrs, regions))];
  },
  batch(b, [pred, ...operands], [picks, ...batched], _attrs, outs, regions) {
    const size = outs[0].shape[0];
    const all2 = outs.map(() => true);
    const graphs = regions.map((region2) => batchGraph(region2, batched, size, all2).graph);
    if (!picks) return b.cond([pred, ...operands], noAttrs, graphs);
    const [yes, no] = graphs.map((graph) => b.call(operands, noAttrs, [graph]));
    return outs.map(({ shape }, i) => b.select([stretch(b, pred, shape, [0]), yes[i], no[i]]));
  }
});
var condCases = cases(condOp, () => ({ samples: [] }));

// packages/core/src/ops/control/custom-gradient.ts
var some = (gs) => gs.some((g) => g !== null);
var customGradientOp = defineComposite({
  name: "customGradient",
  version: 1,
  arity: [0, Number.POSITIVE_INFINITY],
  many: true,
  infer(ins, { args, values }, [f]) {
    const outs = checkRegion("customGradient.C1", f, ins);
    const fits2 = args >= 0 && args <= ins.length && values >= 0 && values <= outs.length;
    checkAttr("customGradient.C2", fits2, () => `${args} arguments and ${values} values do not fit its region`);
    return outs;
  },
  lower: (b, ins, _attrs, [f]) => inlineGraph(f, ins, b.apply),
  vjp(b, gs, ins, outs, { args, values }, [f, gradient]) {
    const given = floatCotangents(b, gs.slice(0, values), outs.slice(0, values));
    const own = b.call([...given, ...outs.slice(values)], noAttrs, [gradient]);
    const byArgument = scatterCotangents(ins.slice(0, args), own);
    const custom = [...byArgument, ...ins.slice(args).map(() => null)];
    const ofKept = gs.map((g, i) => i < values ? null : g);
    if (!some(ofKept)) return custom;
    const cotangents = floatCotangents(b, ofKept, outs);
    const through = b.call([...ins, ...cotangents], noAttrs, [transforms.current.vjp(f)]);
    return scatterCotangents(ins, through).map((g, i) => sum(b, g, custom[i]));
  },
  batch(b, ins, batched, attrs, outs, [f, gradient]) {
    const size = outs[0].shape[0];
    const operands = ins.map((x, i) => withBatch(b, x, batched[i], size));
    const all2 = (n) => Array.from({ length: n }, () => true);
    const whole = [f, gradient].map((region2) => {
      const { params, results } = region2;
      return batchGraph(region2, all2(params.length), size, all2(results.length)).graph;
    });
    return b.customGradient(operands, attrs, whole);
  }
});
var customGradientCases = cases(customGradientOp, () => ({ samples: [] }));
function sum(b, x, y) {
  return x && y ? b.add([x, y]) : x ?? y;
}
var recomputeOp = defineComposite({
  name: "recompute",
  version: 1,
  arity: [0, Number.POSITIVE_INFINITY],
  many: true,
  infer: (ins, _attrs, [f]) => checkRegion("recompute.C1", f, ins),
  lower: (b, ins, _attrs, [f]) => inlineGraph(f, ins, b.apply),
  vjp(b, gs, ins, outs, _attrs, [f]) {
    const cotangents = floatCotangents(b, gs, outs);
    const late = b.optimizationBarrier([...ins, ...cotangents]);
    return scatterCotangents(ins, b.call(late, noAttrs, [transforms.current.vjp(f)]));
  },
  batch: "lower"
});
var recomputeCases = cases(recomputeOp, () => ({ samples: [] }));

// packages/core/src/ops/control/effects.ts
var printOp = defineOp({
  name: "print",
  version: 1,
  kind: "effect",
  arity: 1,
  effect: true,
  infer: ([x]) => [x],
  reference([x], _attrs, [out]) {
    for (let i = 0; i < x.data.length; i++) out.data[i] = x.data[i];
  },
  vjp: (_b, [g]) => [g],
  batch: noRule("printing has an order that a batch has not")
});
var printCases = cases(printOp, () => ({
  samples: [{ ins: [[2, 3]], attrs: { message: "x" } }]
}));
var assertOp = defineOp({
  name: "assert",
  version: 1,
  kind: "effect",
  arity: 2,
  effect: true,
  infer([pred, x]) {
    checkDType("assert.C1", pred.dtype === "bool", () => `the condition must be bool, got ${pred.dtype}`);
    check("assert.C2", pred.shape.length === 0, () => `the condition must be a scalar, got ${formatAval(pred)}`);
    return [x];
  },
  reference([pred, x], { message }, [out]) {
    if (!pred.data[0]) throw new MillraceError("E_ARGUMENT", `assertion failed: ${message}`, { op: "assert" });
    for (let i = 0; i < x.data.length; i++) out.data[i] = x.data[i];
  },
  vjp: (_b, [g]) => [null, g],
  batch: noRule("an assertion stops the whole program, not one element of a batch")
});
var assertCases = cases(assertOp, () => ({
  samples: [],
  edges: [{ ins: [1, [2, 3]], dtypes: ["bool", "float32"], attrs: { message: "never" }, want: [2, 3] }],
  reject: [
    { ins: [[], [2]], attrs: { message: "" }, code: "assert.C1" },
    { ins: [[1], [2]], dtypes: ["bool", "float32"], attrs: { message: "" }, code: "assert.C2" }
  ]
}));

// packages/core/src/ops/control/stacks.ts
function stackOf(b, { aval: { dtype, shape } }, size) {
  return stretch(b, scalarOf(b, dtype, 0), [size, ...shape], []);
}
function rowStart(b, i, rank) {
  const one = b.reshape([i], { shape: [1] });
  if (rank === 0) return one;
  const zeros3 = b.constant([], { dtype: "int32", shape: [rank], data: new Int32Array(rank) });
  return b.concat([one, zeros3], { axis: 0 });
}
function withRow(b, stack, x, i) {
  const row = b.reshape([x], { shape: [1, ...x.aval.shape] });
  return b.dynamicUpdateSlice([stack, row, rowStart(b, i, x.aval.shape.length)]);
}
function rowAt(b, stack, i) {
  const shape = stack.aval.shape.slice(1);
  const row = b.dynamicSlice([stack, rowStart(b, i, shape.length)], { sizes: [1, ...shape] });
  return b.reshape([row], { shape });
}

// packages/core/src/ops/control/scan.ts
var parts = ({ carried, scanned: scanned2 }, all2) => ({
  carry: all2.slice(0, carried),
  rows: all2.slice(carried, carried + scanned2),
  rest: all2.slice(carried + scanned2)
});
var rowOf = ({ dtype, shape }) => ({ dtype, shape: shape.slice(1) });
var scanOp = defineComposite({
  name: "scan",
  version: 1,
  arity: [0, Number.POSITIVE_INFINITY],
  many: true,
  sizeAttrs: ["length"],
  infer(ins, attrs, [body]) {
    const { carried, scanned: scanned2, length } = attrs;
    checkAttr("scan.C1", carried >= 0 && scanned2 >= 0 && carried + scanned2 <= ins.length, () => {
      return `${carried} carried and ${scanned2} scanned operands of ${ins.length}`;
    });
    const { carry, rows, rest } = parts(attrs, ins);
    const leads = rows.map(({ shape: [lead] }) => lead === void 0 ? false : eqDim(lead, length));
    check("scan.C2", allTrue(leads), () => `what is scanned has ${String(length)} rows, got ${rows.map(formatAval)}`);
    const outs = checkRegion("scan.C3", body, [...carry, ...rows.map(rowOf), ...rest]);
    const [given, made2] = [carry, outs.slice(0, carried)].map((list) => list.map(formatAval).join(", "));
    check("scan.C4", given === made2, () => `a step must return the carry it is given: ${given}, got ${made2}`);
    return outs.map((a, i) => i < carried ? a : { dtype: a.dtype, shape: [length, ...a.shape] });
  },
  lower: asLoop,
  vjp(b, gs, ins, outs, attrs, [body]) {
    const { carry, rows, rest } = parts(attrs, ins);
    const cotangents = floatCotangents(b, gs, outs);
    const ofCarry = cotangents.slice(0, carry.filter(isFloat).length);
    const ofRows = cotangents.slice(ofCarry.length);
    const kept = b.scan(ins, attrs, [keepingCarry(attrs, avalsOf(ins), body)]).slice(carry.length);
    const sums = rest.filter(isFloat).map((x) => fillLike(b, x, 0));
    const back = {
      carried: ofCarry.length + sums.length,
      scanned: kept.length + rows.length + ofRows.length,
      length: attrs.length,
      reverse: !attrs.reverse
    };
    const operands = [...ofCarry, ...sums, ...kept, ...rows, ...ofRows, ...rest];
    const step2 = backStep(attrs, avalsOf(operands), back, ofCarry.length, body);
    const found = [...b.scan(operands, back, [step2])];
    const [gCarry, gRest] = [found.splice(0, ofCarry.length), found.splice(0, sums.length)];
    const put = (xs, floats2) => xs.map((x) => isFloat(x) ? floats2.shift() : null);
    return [...put(carry, gCarry), ...put(rows, found), ...put(rest, gRest)];
  },
  batch(b, ins, batched, attrs, outs, [body]) {
    const size = outs[0].shape[0];
    const { carried } = attrs;
    const mask = batchedCarry(body, batched, carried, size);
    const region2 = batchGraph(body, mask, size, mask.slice(0, carried));
    const operands = ins.map((x, i) => {
      if (i < carried) return mask[i] ? withBatch(b, x, batched[i], size) : x;
      return i < carried + attrs.scanned && batched[i] ? swapLeads(b, x) : x;
    });
    return b.scan(operands, attrs, [region2.graph]).map((y, i) => {
      if (!region2.batched[i]) return withBatch(b, y, false, size);
      return i < carried ? y : swapLeads(b, y);
    });
  }
});
var scanCases = cases(scanOp, () => ({ samples: [] }));
function swapLeads(b, x) {
  const [, , ...others] = axesOf(x.aval.shape.length);
  return b.transpose([x], { perm: [1, 0, ...others] });
}
function asLoop(b, ins, attrs, [body]) {
  const { carry, rows, rest } = parts(attrs, ins);
  const { length, reverse: reverse2 } = attrs;
  const count2 = dimensionOf(b, length, "int32");
  const avalsOfStep = checkRegion("scan.C3", body, [...avalsOf(carry), ...avalsOf(rows).map(rowOf), ...avalsOf(rest)]);
  const stacks = avalsOfStep.slice(carry.length).map((aval) => stackOf(b, { aval }, length));
  if (length === 0) return [...carry, ...stacks];
  const start2 = [scalarOf(b, "int32", 0), ...carry, ...stacks];
  const operands = [...start2, count2, ...rows, ...rest];
  const avals = avalsOf(operands);
  const test = buildRegion(avals, (r, params) => [r.lt([params[0], params[start2.length]])]);
  const step2 = buildRegion(avals, (r, params) => {
    const [i, n] = [params[0], params[start2.length]];
    const at = reverse2 ? r.sub([r.sub([n, scalarOf(r, "int32", 1)]), i]) : i;
    const now2 = params.slice(1, 1 + carry.length);
    const piles = params.slice(1 + carry.length, start2.length);
    const seen = params.slice(start2.length + 1, start2.length + 1 + rows.length).map((stack) => rowAt(r, stack, at));
    const given = [...now2, ...seen, ...params.slice(start2.length + 1 + rows.length)];
    const results = inlineGraph(body, given, r.apply);
    const pushed = piles.map((stack, k) => withRow(r, stack, results[carry.length + k], at));
    return [shift(r, i, 1), ...results.slice(0, carry.length), ...pushed];
  });
  return b.whileLoop(operands, { carried: start2.length, maximumIterations: 0 }, [test, step2]).slice(1);
}
function keepingCarry(attrs, ins, body) {
  const { carry, rows, rest } = parts(attrs, ins);
  return buildRegion([...carry, ...rows.map(rowOf), ...rest], (r, params) => {
    const next = inlineGraph(body, params, r.apply);
    return [...next.slice(0, carry.length), ...params.slice(0, carry.length)];
  });
}
function backStep(attrs, ins, back, floats2, body) {
  const { carry, rows, rest } = parts(back, ins);
  const gradient = transforms.current.vjp(body);
  return buildRegion([...carry, ...rows.map(rowOf), ...rest], (r, params) => {
    const now2 = parts(back, params);
    const [ofCarry, sums] = [now2.carry.slice(0, floats2), now2.carry.slice(floats2)];
    const kept = now2.rows.slice(0, attrs.carried + attrs.scanned);
    const ofRows = now2.rows.slice(kept.length);
    const found = inlineGraph(gradient, [...kept, ...now2.rest, ...ofCarry, ...ofRows], r.apply);
    const rowFloats = kept.slice(attrs.carried).filter(isFloat).length;
    const gRest = found.slice(floats2 + rowFloats);
    const added = sums.map((sum3, i) => r.add([sum3, gRest[i]]));
    return [...found.slice(0, floats2), ...added, ...found.slice(floats2, floats2 + rowFloats)];
  });
}

// packages/core/src/ops/control/while-loop-batch.ts
function whileLoopBatch(b, ins, batched, attrs, outs, [condition, body]) {
  const { carried } = attrs;
  const size = outs[0].shape[0];
  let mask = batchedCarry(body, batched, carried, size);
  const test = batchGraph(condition, mask, size);
  const ends = test.batched[0];
  if (ends) mask = mask.map((lead, i) => lead || i < carried);
  const step2 = batchGraph(body, mask, size, mask.slice(0, carried)).graph;
  const operands = ins.map((x, i) => mask[i] ? withBatch(b, x, batched[i], size) : x);
  const regions = ends ? masked(operands, condition, step2, mask, size) : [test.graph, step2];
  return b.whileLoop(operands, attrs, regions).map((y, i) => withBatch(b, y, mask[i], size));
}
function masked(operands, condition, step2, mask, size) {
  const avals = avalsOf(operands);
  const active = batchGraph(condition, mask, size, [true]).graph;
  const any2 = buildRegion(avals, (r, params) => {
    const [test] = inlineGraph(active, params, r.apply);
    return [r.reduceOr([test], { axes: [0] })];
  });
  const next = buildRegion(avals, (r, params) => {
    const [test] = inlineGraph(active, params, r.apply);
    return inlineGraph(step2, params, r.apply).map((fresh, i) => {
      return r.select([stretch(r, test, fresh.aval.shape, [0]), fresh, params[i]]);
    });
  });
  return [any2, next];
}

// packages/core/src/ops/control/while-loop-vjp.ts
function whileLoopVjp(b, gs, ins, outs, attrs, [condition, body]) {
  const loop = {
    condition,
    body,
    carry: ins.slice(0, attrs.carried),
    constants: ins.slice(attrs.carried),
    gradient: transforms.current.vjp(body)
  };
  const seeds = floatCotangents(b, gs, outs);
  const sums = loop.constants.filter(isFloat).map((x) => fillLike(b, x, 0));
  const replay = attrs.maximumIterations > 0 ? onStacks(b, loop, attrs.maximumIterations) : fromTheStart(b, loop);
  const state = [replay.trips, ...seeds, ...sums];
  const given = [...replay.kept, ...loop.constants];
  const back = walkBack(loop, replay.carryAt, state, given, replay.kept.length);
  const after = b.whileLoop([...state, ...given], { carried: state.length, maximumIterations: 0 }, back);
  return scatterCotangents(ins, after.slice(1));
}
var int32 = { dtype: "int32", shape: [] };
function onStacks(b, { condition, body, carry, constants }, size) {
  const n = carry.length;
  const stacks = carry.map((x) => stackOf(b, x, size));
  const start2 = [scalarOf(b, "int32", 0), ...carry, ...stacks];
  const avals = avalsOf([...start2, ...constants]);
  const parts2 = (params) => ({
    i: params[0],
    now: params.slice(1, n + 1),
    piles: params.slice(n + 1, 2 * n + 1),
    rest: params.slice(2 * n + 1)
  });
  const test = buildRegion(avals, (r, params) => {
    const { now: now2, rest } = parts2(params);
    return inlineGraph(condition, [...now2, ...rest], r.apply);
  });
  const step2 = buildRegion(avals, (r, params) => {
    const { i, now: now2, piles, rest } = parts2(params);
    const pushed = piles.map((stack, k) => withRow(r, stack, now2[k], i));
    return [shift(r, i, 1), ...inlineGraph(body, [...now2, ...rest], r.apply), ...pushed];
  });
  const end = b.whileLoop([...start2, ...constants], { carried: start2.length, maximumIterations: 0 }, [test, step2]);
  return { trips: end[0], kept: end.slice(n + 1), carryAt: (r, i, kept) => kept.map((stack) => rowAt(r, stack, i)) };
}
function fromTheStart(b, { condition, body, carry, constants }) {
  const start2 = [scalarOf(b, "int32", 0), ...carry];
  const avals = avalsOf([...start2, ...constants]);
  const attrs = { carried: start2.length, maximumIterations: 0 };
  const step2 = buildRegion(avals, (r, [i, ...rest]) => [shift(r, i, 1), ...inlineGraph(body, rest, r.apply)]);
  const test = buildRegion(avals, (r, [, ...rest]) => inlineGraph(condition, rest, r.apply));
  const end = b.whileLoop([...start2, ...constants], attrs, [test, step2]);
  const below = buildRegion([...avals, int32], (r, params) => [r.lt([params[0], params[params.length - 1]])]);
  const again = buildRegion([...avals, int32], (r, [i, ...rest]) => {
    return [shift(r, i, 1), ...inlineGraph(body, rest.slice(0, -1), r.apply)];
  });
  return {
    trips: end[0],
    kept: carry,
    carryAt(r, i, kept, rest) {
      return r.whileLoop([scalarOf(r, "int32", 0), ...kept, ...rest, i], attrs, [below, again]).slice(1);
    }
  };
}
function walkBack(loop, carryAt, state, given, keptCount) {
  const avals = avalsOf([...state, ...given]);
  const floatsOfCarry = loop.carry.filter(isFloat).length;
  const test = buildRegion(avals, (r, [left]) => [r.ge([left, scalarOf(r, "int32", 1)])]);
  const step2 = buildRegion(avals, (r, params) => {
    const i = r.sub([params[0], scalarOf(r, "int32", 1)]);
    const cotangents = params.slice(1, 1 + floatsOfCarry);
    const sums = params.slice(1 + floatsOfCarry, state.length);
    const kept = params.slice(state.length, state.length + keptCount);
    const constants = params.slice(state.length + keptCount);
    const carry = carryAt(r, i, kept, constants);
    const found = inlineGraph(loop.gradient, [...carry, ...constants, ...cotangents], r.apply);
    const added = sums.map((sum3, k) => r.add([sum3, found[floatsOfCarry + k]]));
    return [i, ...found.slice(0, floatsOfCarry), ...added];
  });
  return [test, step2];
}

// packages/core/src/ops/control/while-loop.ts
var whileLoopOp = defineOp({
  name: "whileLoop",
  version: 1,
  kind: "control",
  arity: [0, Number.POSITIVE_INFINITY],
  many: true,
  infer(ins, { carried, maximumIterations }, [condition, body]) {
    checkAttr(
      "whileLoop.C4",
      maximumIterations >= 0,
      () => `maximumIterations must not be negative, got ${maximumIterations}`
    );
    const [test] = checkRegion("whileLoop.C1", condition, ins);
    const got = test ? formatAval(test) : "nothing";
    checkDType("whileLoop.C2", test?.dtype === "bool", () => `the condition must give a bool, got ${got}`);
    check("whileLoop.C2", test?.shape.length === 0, () => `the condition must give a scalar, got ${got}`);
    const outs = checkRegion("whileLoop.C1", body, ins);
    const [given, made2] = [ins.slice(0, carried).map(formatAval).join(", "), outs.map(formatAval).join(", ")];
    check(
      "whileLoop.C3",
      given === made2,
      () => `the body must return what it is given: ${given || "nothing"}, got ${made2 || "nothing"}`
    );
    return outs;
  },
  reference() {
    throw new TypeError("whileLoop: the evaluator runs the regions, since a reference sees no graphs");
  },
  vjp: whileLoopVjp,
  batch: whileLoopBatch
});
var whileLoopCases = cases(whileLoopOp, () => ({ samples: [] }));

// packages/core/src/ops/shape/pad.ts
function dilatedDim(size, step2) {
  if (step2 === 1) return size;
  return maxDim(addDim(mulDim(subDim(size, 1), step2), 1), 0);
}
function elementMask(b, x, attrs) {
  const present = stretch(b, scalarOf(b, "bool", true), x.aval.shape, []);
  return b.pad([present, scalarOf(b, "bool", false)], attrs);
}
var padOp = defineOp({
  name: "pad",
  version: 1,
  kind: "shape",
  arity: 2,
  sizeAttrs: ["low", "high"],
  infer([x, value], { low, high, interior }) {
    const { dtype, shape } = x;
    checkDType("pad.C1", value.dtype === dtype, () => `needs one dtype, got ${dtype} and ${value.dtype}`);
    check(
      "pad.C2",
      value.shape.length === 0,
      () => `the padding value needs rank 0, got ${formatShape(value.shape)}`
    );
    const complete = [low, high, interior].every((list) => list.length === shape.length);
    checkAttr("pad.C3", complete, () => `needs low, high and interior for each axis of ${formatShape(shape)}`);
    checkAttr(
      "pad.C4",
      interior.every((n) => Number.isInteger(n) && n >= 0),
      () => `interior [${interior}] must be whole numbers from 0`
    );
    const padded = shape.map((size, i) => addDim(addDim(low[i], high[i]), dilatedDim(size, interior[i] + 1)));
    for (const [i, size] of padded.entries()) {
      check("pad.C5", leDim(0, size), () => `axis ${i} of ${formatShape(shape)} has no size ${size}`);
    }
    return [{ dtype, shape: padded }];
  },
  reference([x, value], { low, interior }, [out]) {
    out.data.fill(value.data[0]);
    const to2 = stridesOf(out.shape);
    forEachIndex(x.shape, (index, flat) => {
      let at = 0;
      for (let axis = 0; axis < index.length; axis++) {
        const i = Number(low[axis]) + index[axis] * (interior[axis] + 1);
        if (i < 0 || i >= out.shape[axis]) return;
        at += i * to2[axis];
      }
      out.data[at] = x.data[flat];
    });
  },
  vjp(b, [g], [x], _outs, attrs) {
    const { low, high, interior } = attrs;
    const zero = scalarOf(b, g.aval.dtype, 0);
    const cut3 = { low: low.map(shortfall), high: high.map(shortfall), interior: low.map(() => 0) };
    const restored = [...cut3.low, ...cut3.high].every((n) => n === 0) ? g : b.pad([g, zero], cut3);
    const start2 = low.map((n) => maxDim(n, 0));
    const limit2 = x.aval.shape.map((size, i) => addDim(start2[i], dilatedDim(size, interior[i] + 1)));
    const gx = b.slice([restored], { start: start2, limit: limit2, strides: interior.map((n) => n + 1) });
    const zeros3 = stretch(b, zero, g.aval.shape, []);
    const ofPadding = b.select([elementMask(b, x, attrs), zeros3, g]);
    return [gx, b.reduceSum([ofPadding], { axes: axesOf(g.aval.shape.length) })];
  },
  batch(b, [x, value], batched, { low, high, interior }, [out]) {
    const lengthened = { low: [0, ...low], high: [0, ...high], interior: [0, ...interior] };
    if (!batched[1]) return [b.pad([x, value], lengthened)];
    const all2 = batched[0] ? x : stretch(
      b,
      x,
      [out.shape[0], ...x.aval.shape],
      x.aval.shape.map((_, i) => i + 1)
    );
    const zero = scalarOf(b, x.aval.dtype, 0);
    return [
      b.select([elementMask(b, all2, lengthened), b.pad([all2, zero], lengthened), stretch(b, value, out.shape, [0])])
    ];
  }
});
function shortfall(n) {
  return maxDim(subDim(0, n), 0);
}
function pad(x, paddings, constantValue) {
  const t = toTensor(x);
  const pairs3 = paddings;
  const rank = avalOf(t).shape.length;
  checkAttr("pad.C6", pairs3.length === rank, () => `rank ${rank} needs ${rank} pairs, got ${pairs3.length}`);
  const attrs = { low: pairs3.map((p) => p[0]), high: pairs3.map((p) => p[1]), interior: pairs3.map(() => 0) };
  return typed(apply(padOp, [t, toTensor(constantValue ?? 0, t.dtype)], attrs));
}
var padCases = cases(padOp, () => ({
  samples: [
    { ins: [[], []], attrs: { low: [], high: [], interior: [] } },
    { ins: [[3], []], attrs: { low: [2], high: [1], interior: [0] } },
    { ins: [[3], []], attrs: { low: [0], high: [0], interior: [2] } },
    { ins: [[5], []], attrs: { low: [-1], high: [-2], interior: [0] } },
    { ins: [[5], []], attrs: { low: [-2], high: [3], interior: [1] } },
    { ins: [[3], []], attrs: { low: [-5], high: [4], interior: [0] } },
    { ins: [[0], []], attrs: { low: [1], high: [2], interior: [3] } },
    { ins: [[1], []], attrs: { low: [0], high: [0], interior: [3] } },
    { ins: [[2, 3], []], attrs: { low: [1, 0], high: [0, -1], interior: [0, 1] } },
    { ins: [[2, 0, 4], []], attrs: { low: [0, 1, 0], high: [0, 0, 1], interior: [0, 0, 0] } },
    {
      ins: [[1, 2, 1, 2, 1, 2], []],
      attrs: { low: [0, 1, 0, 0, 0, 1], high: [1, 0, 0, 0, 0, 0], interior: [0, 1, 0, 0, 0, 0] }
    }
  ],
  edges: [
    {
      ins: [[1, NaN, -0], -Infinity],
      attrs: { low: [1], high: [-1], interior: [1] },
      want: [-Infinity, 1, -Infinity, NaN, -Infinity]
    },
    { ins: [[1, 2, 3], 9], attrs: { low: [-1], high: [1], interior: [0] }, want: [2, 3, 9] }
  ],
  reject: [
    { ins: [[3], []], dtypes: ["float32", "int32"], attrs: { low: [0], high: [0], interior: [0] }, code: "pad.C1" },
    { ins: [[3], [1]], attrs: { low: [0], high: [0], interior: [0] }, code: "pad.C2" },
    { ins: [[3], []], attrs: { low: [0, 0], high: [0], interior: [0] }, code: "pad.C3" },
    { ins: [[3], []], attrs: { low: [0], high: [0], interior: [-1] }, code: "pad.C4" },
    { ins: [[3], []], attrs: { low: [-2], high: [-2], interior: [0] }, code: "pad.C5" }
  ]
}));

// packages/core/src/ops/window/windows.ts
function windowCount(label, padded, window, stride) {
  check(label, leDim(window, addDim(padded, stride)), () => `a window of ${window} does not fit in ${padded}`);
  return addDim(floorDivDim(subDim(padded, window), stride), 1);
}
function isCounts(list, length, least) {
  return list.length === length && list.every((n) => Number.isInteger(n) && n >= least);
}
function paddingOf(name, mode, sizes, windows) {
  if (mode === "same") {
    const total = sizes.map((size, i) => {
      const { stride, dilation } = windows[i];
      const reach = dilatedDim(windows[i].size, dilation);
      return maxDim(addDim(subDim(mulDim(subDim(ceilDivDim(size, stride), 1), stride), size), reach), 0);
    });
    const low = total.map((n) => floorDivDim(n, 2));
    return { low, high: total.map((n, i) => subDim(n, low[i])) };
  }
  checkAttr(
    `${name}.C2`,
    mode === "valid" || Number.isInteger(mode) && mode >= 0,
    () => `pad must be "same", "valid" or a whole number, got ${mode}`
  );
  const each = sizes.map(() => mode === "valid" ? 0 : mode);
  return { low: each, high: each };
}
function checkFits(name, what, sizes, windows, { low, high }) {
  sizes.forEach((size, i) => {
    const padded = addDim(addDim(size, low[i]), high[i]);
    const reach = dilatedDim(windows[i].size, windows[i].dilation);
    check(
      `${name}.C3`,
      leDim(reach, padded) !== false,
      () => `${what} [${windows.map((w) => w.size)}] exceeds the input ${formatShape(sizes)}`
    );
  });
}
function perAxis(name, what, value, rank) {
  const list = typeof value === "number" ? new Array(rank).fill(value) : value;
  checkAttr(
    `${name}.C1`,
    isCounts(list, rank, 1),
    () => `${what} must be one whole number from 1, or ${rank} of them, got ${value}`
  );
  return list;
}

// packages/core/src/ops/conv/shape.ts
function convolvedShape(name, x, w, attrs) {
  const [s, f] = [x.shape, w.shape];
  checkDType(`${name}.C1`, numeric.has(x.dtype), () => `needs ${numeric.words}, got ${x.dtype}`);
  checkDType(`${name}.C2`, x.dtype === w.dtype, () => `needs one dtype, got ${x.dtype} and ${w.dtype}`);
  const ranks = () => `input must be [n,spatial\u2026,c] and filter [spatial\u2026,in,out], got ${formatShape(s)} and ${formatShape(f)}`;
  check(`${name}.C3`, s.length >= 3 && s.length <= 5 && s.length === f.length, ranks);
  const spatial = s.length - 2;
  const { strides, low, high, lhsDilation, rhsDilation, groups } = attrs;
  const complete = [strides, lhsDilation, rhsDilation].every((list) => isCounts(list, spatial, 1));
  checkAttr(
    `${name}.C4`,
    complete && low.length === spatial && high.length === spatial,
    () => `needs a stride, two dilations and paddings for each of ${spatial} spatial axes`
  );
  checkAttr(`${name}.C5`, isCounts([groups], 1, 1), () => `groups must be a whole number from 1, got ${groups}`);
  const [channels, seen, results] = [s[spatial + 1], f[spatial], f[spatial + 1]];
  check(
    `${name}.C6`,
    eqDim(channels, mulDim(seen, groups)),
    () => `input has ${channels} channels, filter expects ${groups === 1 ? seen : `${groups} x ${seen}`}`
  );
  check(`${name}.C7`, eqDim(modDim(results, groups), 0), () => `${results} results do not fall into ${groups} groups`);
  const sizes = strides.map((stride, i) => {
    const padded = addDim(addDim(dilatedDim(s[i + 1], lhsDilation[i]), low[i]), high[i]);
    return windowCount(`${name}.C8`, padded, dilatedDim(f[i], rhsDilation[i]), stride);
  });
  return [s[0], ...sizes, results];
}
function partOf(size, parts2) {
  return floorDivDim(size, parts2);
}

// packages/core/src/ops/conv/gradients.ts
function extents(x, w, g, attrs) {
  return attrs.strides.map((stride, i) => ({
    x: dilatedDim(x[i + 1], attrs.lhsDilation[i]),
    w: dilatedDim(w[i], attrs.rhsDilation[i]),
    g: dilatedDim(g[i + 1], stride)
  }));
}
function inputGradient(b, g, w, inputShape, attrs) {
  const { strides, low, lhsDilation, rhsDilation, groups } = attrs;
  const spans = extents(inputShape, w.aval.shape, g.aval.shape, attrs);
  return b.convGeneral([g, turned(b, w, groups)], {
    strides: lhsDilation,
    low: spans.map((e, i) => subDim(subDim(e.w, 1), low[i])),
    high: spans.map((e, i) => addDim(subDim(e.x, e.g), low[i])),
    lhsDilation: strides,
    rhsDilation,
    groups
  });
}
function turned(b, w, groups) {
  const { shape } = w.aval;
  const spatial = shape.slice(0, -2);
  const at = spatial.length;
  const [c, o] = [shape[at], partOf(shape[at + 1], groups)];
  const axes2 = axesOf(at);
  const flipped = at === 0 ? w : b.reverse([w], { axes: axes2 });
  if (groups === 1) return b.transpose([flipped], { perm: [...axes2, at + 1, at] });
  const apart = b.reshape([flipped], { shape: [...spatial, c, groups, o] });
  const swapped = b.transpose([apart], { perm: [...axes2, at + 2, at + 1, at] });
  return b.reshape([swapped], { shape: [...spatial, o, mulDim(c, groups)] });
}
function filterGradient(b, x, g, filterShape, attrs) {
  const { strides, low, lhsDilation, rhsDilation, groups } = attrs;
  const spans = extents(x.aval.shape, filterShape, g.aval.shape, attrs);
  const spatial = axesOf(strides.length).map((i) => i + 1);
  const last = strides.length + 1;
  const y = b.convGeneral([channelsAsBatch(b, x, groups), b.transpose([g], { perm: [...spatial, 0, last] })], {
    strides: rhsDilation,
    low,
    high: spans.map((e, i) => subDim(subDim(addDim(subDim(e.w, 1), e.g), e.x), low[i])),
    lhsDilation,
    rhsDilation: strides,
    groups
  });
  return b.transpose([y], { perm: [...spatial, 0, last] });
}
function channelsAsBatch(b, x, groups) {
  const { shape } = x.aval;
  const last = shape.length - 1;
  const spatial = axesOf(last - 1).map((i) => i + 1);
  if (groups === 1) return b.transpose([x], { perm: [last, ...spatial, 0] });
  const [n, c] = [shape[0], partOf(shape[last], groups)];
  const apart = b.reshape([x], { shape: [...shape.slice(0, -1), groups, c] });
  const swapped = b.transpose([apart], { perm: [last + 1, ...spatial, last, 0] });
  return b.reshape([swapped], { shape: [c, ...shape.slice(1, -1), mulDim(n, groups)] });
}

// packages/core/src/ops/conv/conv-general.ts
var convGeneralOp = defineOp({
  name: "convGeneral",
  version: 1,
  kind: "contract",
  arity: 2,
  sizeAttrs: ["low", "high"],
  infer: ([x, w], attrs) => [{ dtype: x.dtype, shape: convolvedShape("convGeneral", x, w, attrs) }],
  reference([x, w], attrs, [out]) {
    convolve(x, w, attrs, out);
  },
  vjp(b, [g], [x, w], _outs, attrs, _regions, [ofX, ofW] = [true, true]) {
    const { lhsDilation, ...plain3 } = attrs;
    const [inputShape, filterShape] = [x.aval.shape, w.aval.shape];
    if (lhsDilation.some((n) => n !== 1)) {
      return [inputGradient(b, g, w, inputShape, attrs), filterGradient(b, x, g, filterShape, attrs)];
    }
    return [
      ofX ? b.convInputGrad([g, w], { inputShape, ...plain3 }) : null,
      ofW ? b.convFilterGrad([x, g], { filterShape, ...plain3 }) : null
    ];
  },
  batch(b, [x, w], batched, attrs, [out]) {
    const { shape } = out;
    if (!batched[1]) {
      const rows = [mulDim(shape[0], shape[1]), ...x.aval.shape.slice(2)];
      return [b.reshape([b.convGeneral([b.reshape([x], { shape: rows }), w], attrs)], { shape })];
    }
    if (!batched[0])
      return [outOfChannels(b, b.convGeneral([x, intoChannels(b, w, attrs.groups)], attrs), attrs.groups, shape)];
    const [batch] = shape;
    checkAttr(
      "convGeneral.batch",
      typeof batch === "number",
      () => `a batch of inputs and filters needs a known size, got ${batch}`
    );
    const groups = Number(batch) * attrs.groups;
    const y = b.convGeneral([intoChannels(b, x, 1), intoChannels(b, w, 1)], { ...attrs, groups });
    return [outOfChannels(b, y, 1, shape)];
  }
});
function intoChannels(b, x, groups) {
  const { shape } = x.aval;
  const last = shape.length - 1;
  const each = partOf(shape[last], groups);
  const apart = b.reshape([x], { shape: [...shape.slice(0, -1), groups, each] });
  const moved = b.transpose([apart], { perm: [...axesOf(last + 1).slice(1), 0, last + 1] });
  return b.reshape([moved], { shape: [...shape.slice(1, -1), mulDim(shape[0], shape[last])] });
}
function outOfChannels(b, y, groups, shape) {
  const last = shape.length - 1;
  const each = partOf(shape[last], groups);
  const apart = b.reshape([y], { shape: [...y.aval.shape.slice(0, -1), groups, shape[0], each] });
  return b.reshape([b.transpose([apart], { perm: axesFirst(last + 2, [last]) })], { shape });
}
function convolve(x, w, attrs, out) {
  const { strides, low, lhsDilation, rhsDilation, groups } = attrs;
  const rank = strides.length;
  const [filter, sizes] = [w.shape.slice(0, rank), x.shape.slice(1, -1)];
  const [seen, results] = [w.shape[rank], w.shape[rank + 1]];
  const [channels, each] = [seen * groups, results / groups];
  const { zero, multiplyAdd } = multiplyAddIn(x.dtype);
  forEachIndex(out.shape.slice(0, -1), (place2, row) => {
    const sums = new Array(results).fill(zero);
    forEachIndex(filter, (offset, tap) => {
      let from2 = place2[0];
      for (let axis = 0; axis < rank; axis++) {
        const spread = place2[axis + 1] * strides[axis] + offset[axis] * rhsDilation[axis] - Number(low[axis]);
        const i = spread / lhsDilation[axis];
        if (!Number.isInteger(i) || i < 0 || i >= sizes[axis]) return;
        from2 = from2 * sizes[axis] + i;
      }
      for (let o = 0; o < results; o++) {
        const first2 = from2 * channels + Math.floor(o / each) * seen;
        for (let c = 0; c < seen; c++) {
          sums[o] = multiplyAdd(sums[o], x.data[first2 + c], w.data[(tap * seen + c) * results + o]);
        }
      }
    });
    for (let o = 0; o < results; o++) out.data[row * results + o] = sums[o];
  });
}
function convSamples() {
  const ones = (rank) => new Array(rank).fill(1);
  const sample2 = (x, w, changed) => {
    const rank = x.length - 2;
    const none2 = new Array(rank).fill(0);
    const plain3 = {
      strides: ones(rank),
      low: none2,
      high: none2,
      lhsDilation: ones(rank),
      rhsDilation: ones(rank),
      groups: 1
    };
    return { ins: [x, w], attrs: { ...plain3, ...changed } };
  };
  return [
    sample2([2, 5, 3], [3, 3, 2], {}),
    sample2([1, 7, 2], [3, 2, 2], { strides: [2], low: [1], high: [1] }),
    sample2([1, 8, 2], [2, 2, 3], { strides: [3], low: [0], high: [1] }),
    sample2([1, 7, 1], [2, 1, 1], { rhsDilation: [3] }),
    sample2([1, 4, 2], [3, 2, 2], { lhsDilation: [2], low: [2], high: [1] }),
    sample2([1, 5, 1], [2, 1, 2], { low: [-1], high: [-1] }),
    sample2([1, 4, 4], [2, 2, 6], { groups: 2 }),
    sample2([2, 5, 3], [3, 1, 6], { groups: 3, low: [1], high: [1] }),
    sample2([1, 5, 6, 2], [3, 2, 2, 3], { strides: [2, 1], low: [1, 0], high: [1, 1] }),
    sample2([1, 5, 5, 2], [2, 2, 1, 4], {
      strides: [2, 2],
      rhsDilation: [2, 1],
      lhsDilation: [1, 2],
      groups: 2,
      low: [1, 1],
      high: [0, 2]
    }),
    sample2([1, 3, 3, 3, 1], [2, 2, 2, 1, 2], {}),
    sample2([0, 4, 2], [2, 2, 3], {}),
    sample2([1, 4, 0], [2, 0, 2], {}),
    sample2([1, 2, 1], [3, 1, 1], {})
  ];
}
var plain = { strides: [1], low: [0], high: [0], lhsDilation: [1], rhsDilation: [1], groups: 1 };
var convGeneralCases = cases(convGeneralOp, () => ({
  samples: convSamples(),
  edges: [
    // Not turned around: the first tap meets the first element.
    { ins: [[[[1], [2], [3]]], [[[10]], [[1]]]], attrs: plain, want: [[[12], [23]]] },
    { ins: [[[[NaN], [1]]], [[[0]]]], attrs: plain, want: [[[NaN], [0]]] },
    { ins: [[[[65537]]], [[[65537]]]], dtypes: ["int32", "int32"], attrs: plain, want: [[[131073]]] }
  ],
  reject: [
    {
      ins: [
        [1, 1],
        [1, 1]
      ],
      attrs: { ...plain, strides: [], low: [], high: [], lhsDilation: [], rhsDilation: [] },
      code: "convGeneral.C3"
    },
    {
      ins: [
        [1, 3, 1],
        [2, 1, 1]
      ],
      dtypes: ["bool", "bool"],
      attrs: plain,
      code: "convGeneral.C1"
    },
    {
      ins: [
        [1, 3, 1],
        [2, 1, 1]
      ],
      dtypes: ["float32", "int32"],
      attrs: plain,
      code: "convGeneral.C2"
    },
    {
      ins: [
        [1, 3, 1],
        [1, 1]
      ],
      attrs: plain,
      code: "convGeneral.C3"
    },
    {
      ins: [
        [1, 3, 1],
        [2, 1, 1]
      ],
      attrs: { ...plain, strides: [0] },
      code: "convGeneral.C4"
    },
    {
      ins: [
        [1, 3, 1],
        [2, 1, 1]
      ],
      attrs: { ...plain, groups: 0 },
      code: "convGeneral.C5"
    },
    {
      ins: [
        [1, 3, 2],
        [2, 1, 1]
      ],
      attrs: plain,
      code: "convGeneral.C6"
    },
    {
      ins: [
        [1, 3, 2],
        [2, 1, 3]
      ],
      attrs: { ...plain, groups: 2 },
      code: "convGeneral.C7"
    },
    {
      ins: [
        [1, 3, 1],
        [6, 1, 1]
      ],
      attrs: plain,
      code: "convGeneral.C8"
    }
  ]
}));

// packages/core/src/ops/conv/conv-grads.ts
function forward({ strides, low, high, rhsDilation, groups }) {
  return { strides, low, high, lhsDilation: strides.map(() => 1), rhsDilation, groups };
}
function checkCotangent(name, x, w, g, attrs) {
  const want = convolvedShape(name, x, w, forward(attrs));
  check(
    `${name}.C9`,
    sameShape(want, g.shape),
    () => `needs a cotangent of shape ${formatShape(want)}, got ${formatShape(g.shape)}`
  );
}
var convInputGradOp = defineComposite({
  name: "convInputGrad",
  version: 1,
  arity: 2,
  sizeAttrs: ["inputShape", "low", "high"],
  infer([g, w], attrs) {
    const x = { dtype: g.dtype, shape: attrs.inputShape };
    checkCotangent("convInputGrad", x, w, g, attrs);
    return [x];
  },
  lower: (b, [g, w], attrs) => [inputGradient(b, g, w, attrs.inputShape, forward(attrs))],
  // It is linear in both operands: ⟨t, convInputGrad(g, w)⟩ = ⟨convGeneral(t, w), g⟩.
  vjp(b, [t], [g, w], _outs, { inputShape: _, ...attrs }) {
    const filterShape = w.aval.shape;
    return [b.convGeneral([t, w], forward(attrs)), b.convFilterGrad([t, g], { ...attrs, filterShape })];
  },
  batch: "lower"
});
var convInputGradCases = cases(convInputGradOp, () => ({
  samples: plainSamples().map(({ x, w, g, attrs }) => ({ ins: [g, w], attrs: { ...attrs, inputShape: x } })),
  edges: [
    {
      ins: [[[[1], [10]]], [[[3]], [[4]]]],
      attrs: { inputShape: [1, 3, 1], strides: [1], low: [0], high: [0], rhsDilation: [1], groups: 1 },
      want: [[[3], [34], [40]]]
    }
  ],
  reject: [
    {
      ins: [
        [1, 3, 1],
        [2, 1, 1]
      ],
      attrs: { inputShape: [1, 3, 1], strides: [1], low: [0], high: [0], rhsDilation: [1], groups: 1 },
      code: "convInputGrad.C9"
    }
  ]
}));
var convFilterGradOp = defineComposite({
  name: "convFilterGrad",
  version: 1,
  arity: 2,
  sizeAttrs: ["filterShape", "low", "high"],
  infer([x, g], attrs) {
    const w = { dtype: x.dtype, shape: attrs.filterShape };
    checkCotangent("convFilterGrad", x, w, g, attrs);
    return [w];
  },
  lower: (b, [x, g], attrs) => [filterGradient(b, x, g, attrs.filterShape, forward(attrs))],
  // As convInputGrad: ⟨t, convFilterGrad(x, g)⟩ = ⟨convGeneral(x, t), g⟩.
  vjp(b, [t], [x, g], _outs, { filterShape: _, ...attrs }) {
    const inputShape = x.aval.shape;
    return [b.convInputGrad([g, t], { ...attrs, inputShape }), b.convGeneral([x, t], forward(attrs))];
  },
  batch: "lower"
});
var convFilterGradCases = cases(convFilterGradOp, () => ({
  samples: plainSamples().map(({ x, w, g, attrs }) => ({ ins: [x, g], attrs: { ...attrs, filterShape: w } })),
  edges: [
    {
      ins: [[[[1], [2], [3]]], [[[1], [10]]]],
      attrs: { filterShape: [2, 1, 1], strides: [1], low: [0], high: [0], rhsDilation: [1], groups: 1 },
      want: [[[21]], [[32]]]
    }
  ],
  reject: [
    {
      ins: [
        [1, 3, 1],
        [1, 3, 1]
      ],
      attrs: { filterShape: [2, 1, 1], strides: [1], low: [0], high: [0], rhsDilation: [1], groups: 1 },
      code: "convFilterGrad.C9"
    }
  ]
}));
function plainSamples() {
  const isPlain = ({ attrs }) => attrs.lhsDilation.every((n) => n === 1);
  return convSamples().filter(isPlain).map(({ ins: [x, w], attrs: { lhsDilation: _, ...attrs } }) => {
    const [p, q] = [x, w].map((shape) => ({ dtype: "float32", shape }));
    return { x, w, g: convolvedShape("convGeneral", p, q, forward(attrs)).map(Number), attrs };
  });
}

// packages/core/src/ops/shape/reshape.ts
var reshapeOp = defineOp({
  name: "reshape",
  version: 1,
  kind: "shape",
  arity: 1,
  sizeAttrs: ["shape"],
  infer([x], { shape }) {
    const [have, want] = [sizeOf(x), productDim(shape)];
    check(
      "reshape.C1",
      eqDim(have, want),
      () => `${formatShape(x.shape)} has ${have} elements, ${formatShape(shape)} has ${want}`
    );
    return [{ dtype: x.dtype, shape }];
  },
  reference([x], _attrs, [out]) {
    for (let i = 0; i < x.data.length; i++) out.data[i] = x.data[i];
  },
  vjp: (b, [g], [x]) => [b.reshape([g], { shape: x.aval.shape })],
  batch: (b, [x], _batched, _attrs, [out]) => [b.reshape([x], { shape: out.shape })]
});
var reshapeCases = cases(reshapeOp, () => ({
  samples: [
    { ins: [[2, 3]], attrs: { shape: [3, 2] } },
    { ins: [[6]], attrs: { shape: [1, 6, 1] } },
    { ins: [[1]], attrs: { shape: [] } },
    { ins: [[]], attrs: { shape: [1, 1] } },
    { ins: [[0, 3]], attrs: { shape: [5, 0] } },
    { ins: [[5, 41, 5]], attrs: { shape: [1025] } }
  ],
  edges: [
    {
      ins: [
        [
          [1, 2],
          [3, -0]
        ]
      ],
      attrs: { shape: [4] },
      want: [1, 2, 3, -0]
    }
  ],
  reject: [{ ins: [[2, 3]], attrs: { shape: [4] }, code: "reshape.C1" }]
}));
function inferSize(from2, shape) {
  const at = shape.indexOf(-1);
  if (at < 0) return shape;
  const rest = shape.filter((_, i) => i !== at);
  const [have, known3] = [productDim(from2), productDim(rest)];
  if (known3 === 0 || shape.lastIndexOf(-1) !== at || typeof have === "number" && typeof known3 === "number" && have % known3 !== 0) {
    throw new RuleError(
      "E_SHAPE",
      "reshape.C2",
      `${formatShape(from2)} (${have} elements) does not divide into ${formatShape(shape)}`
    );
  }
  return shape.map((d, i) => i === at ? floorDivDim(have, known3) : d);
}
function reshape(x, shape) {
  const t = toTensor(x);
  return typed(apply1(reshapeOp, t, { shape: inferSize(avalOf(t).shape, shape) }));
}

// packages/core/src/ops/shape/axes.ts
function expandDims(x, axis) {
  const t = toTensor(x);
  const { shape } = avalOf(t);
  const at = axisOf("expandDims", axis ?? 0, shape.length + 1);
  return typed(apply1(reshapeOp, t, { shape: [...shape.slice(0, at), 1, ...shape.slice(at)] }));
}
function squeeze(x, axis) {
  const t = toTensor(x);
  const { shape } = avalOf(t);
  const ones = shape.flatMap((size, i) => size === 1 ? [i] : []);
  const gone = axis === void 0 ? ones : axesFrom("squeeze", axis, shape.length);
  for (const i of gone)
    check("squeeze.C1", shape[i] === 1, () => `axis ${i} of ${formatShape(shape)} has size ${shape[i]}, not 1`);
  return typed(apply1(reshapeOp, t, { shape: shape.filter((_, i) => !gone.includes(i)) }));
}
function flatten(x) {
  const t = toTensor(x);
  return typed(apply1(reshapeOp, t, { shape: [productDim(avalOf(t).shape)] }));
}

// packages/core/src/ops/create/fill.ts
function checkSizes(name, shape) {
  if (!Array.isArray(shape)) {
    const got = shape === null ? "null" : typeof shape;
    throw new MillraceError("E_ARGUMENT", `${name}: a shape is a list of sizes, got ${got}`, { op: name });
  }
  for (const size of shape) {
    if (typeof size === "number" && !(Number.isSafeInteger(size) && size >= 0)) {
      throw new MillraceError("E_SHAPE", `${name}: [${shape}] has a size that is not a whole number from 0`, {
        op: name
      });
    }
  }
  return shape;
}

// packages/core/src/ops/create/iota.ts
var iotaOp = defineOp({
  name: "iota",
  version: 1,
  kind: "constant",
  arity: 0,
  sizeAttrs: ["shape"],
  infer(_ins, { shape, axis, dtype }) {
    checkDType("iota.C1", numeric.has(dtype), () => `needs a number, got ${dtype}`);
    const inRange = Number.isInteger(axis) && axis >= 0 && axis < shape.length;
    checkAttr("iota.C2", inRange, () => `axis ${axis} is out of range for ${formatShape(shape)}`);
    return [{ dtype, shape }];
  },
  reference(_ins, { axis, dtype }, [out]) {
    const wide2 = dtype === "int64";
    forEachIndex(out.shape, (index, flat) => {
      out.data[flat] = wide2 ? BigInt(index[axis]) : index[axis];
    });
  },
  vjp: () => [],
  batch: (b, _ins, _batched, attrs, [out]) => [
    stretch(
      b,
      b.iota([], attrs),
      out.shape,
      axesOf(attrs.shape.length).map((i) => i + 1)
    )
  ]
});
var iotaCases = cases(iotaOp, () => ({
  samples: [
    { ins: [], attrs: { shape: [17], axis: 0, dtype: "float32" } },
    { ins: [], attrs: { shape: [2, 3, 4], axis: 0, dtype: "int32" } },
    { ins: [], attrs: { shape: [2, 3, 4], axis: 1, dtype: "float64" } },
    { ins: [], attrs: { shape: [2, 3, 4], axis: 2, dtype: "int64" } },
    { ins: [], attrs: { shape: [3, 0], axis: 0, dtype: "uint8" } },
    { ins: [], attrs: { shape: [1, 2, 1, 2, 1, 3], axis: 5, dtype: "float32" } }
  ],
  edges: [
    {
      ins: [],
      attrs: { shape: [2, 2], axis: 0, dtype: "int32" },
      want: [
        [0, 0],
        [1, 1]
      ]
    },
    {
      ins: [],
      attrs: { shape: [2, 2], axis: 1, dtype: "float32" },
      want: [
        [0, 1],
        [0, 1]
      ]
    },
    { ins: [], attrs: { shape: [0], axis: 0, dtype: "int64" }, want: [] }
  ],
  reject: [
    { ins: [], attrs: { shape: [2], axis: 0, dtype: "bool" }, code: "iota.C1" },
    { ins: [], attrs: { shape: [2], axis: 1, dtype: "int32" }, code: "iota.C2" },
    { ins: [], attrs: { shape: [], axis: 0, dtype: "int32" }, code: "iota.C2" }
  ]
}));
var iota = (shape, axis, dtype) => apply(iotaOp, [], { shape, axis, dtype });
function oneHot(indices, depth, onValue = 1, offValue = 0, dtype = "int32") {
  checkSizes("oneHot", [depth]);
  const t = toIndices("oneHot", indices);
  const counting = t.dtype;
  const shape = [...avalOf(t).shape, depth];
  const chosen = stretchTo(typed(expandDims(t, -1)), shape);
  return dispatch.current.near(t, () => {
    const hot = apply(eqOp, [chosen, iota(shape, shape.length - 1, counting)]);
    if (onValue === 1 && offValue === 0) return castTo(hot, dtype);
    return where(hot, toTensor(onValue, dtype), toTensor(offValue, dtype));
  });
}

// packages/core/src/ops/index/dynamic.ts
function checkWindow(name, x, start2, sizes) {
  const rank = x.shape.length;
  checkDType(`${name}.C1`, start2.dtype === "int32", () => `needs an int32 start, got ${start2.dtype}`);
  check(
    `${name}.C2`,
    start2.shape.length === 1 && eqDim(start2.shape[0], rank),
    () => `needs a start of shape [${rank}], got ${formatAval(start2)}`
  );
  const inside2 = sizes.length === rank && allTrue(sizes.flatMap((n, i) => [leDim(0, n), leDim(n, x.shape[i])]));
  check(`${name}.C3`, inside2, () => `a window of ${formatShape(sizes)} does not fit in ${formatShape(x.shape)}`);
}
function forEachInWindow(x, start2, sizes, visit) {
  const steps2 = stridesOf(x.shape);
  const first2 = steps2.reduce(
    (at, step2, i) => at + step2 * Math.min(Math.max(Number(start2.data[i]), 0), x.shape[i] - sizes[i]),
    0
  );
  forEachIndex(
    sizes,
    (index, flat) => visit(
      index.reduce((at, i, axis) => at + i * steps2[axis], first2),
      flat
    )
  );
}
function placesOf(b, starts, batch, shape, sizes) {
  const all2 = [batch, ...sizes];
  const wide2 = b.cast([starts], { dtype: "int64" });
  const step2 = (axis) => dimensionOf(b, productDim(shape.slice(axis + 1)), "int64");
  const zero = scalarOf(b, "int64", 0);
  let places = b.mul([
    b.iota([], { shape: all2, axis: 0, dtype: "int64" }),
    stretch(b, dimensionOf(b, productDim(shape), "int64"), all2, [])
  ]);
  for (const axis of axesOf(shape.length)) {
    const column = b.slice([wide2], { start: [0, axis], limit: [batch, axis + 1], strides: [1, 1] });
    const last = dimensionOf(b, subDim(shape[axis], sizes[axis]), "int64");
    const own = [batch, 1];
    const inside2 = b.max([b.min([column, stretch(b, last, own, [])]), stretch(b, zero, own, [])]);
    const start2 = stretch(b, b.reshape([inside2], { shape: [batch] }), all2, [0]);
    const along3 = b.add([start2, b.iota([], { shape: all2, axis: axis + 1, dtype: "int64" })]);
    places = b.add([places, b.mul([along3, stretch(b, step2(axis), all2, [])])]);
  }
  return places;
}
var flatten2 = (b, x) => b.reshape([x], { shape: [sizeOf(x.aval)] });
var dynamicSliceOp = defineOp({
  name: "dynamicSlice",
  version: 1,
  kind: "index",
  arity: 2,
  sizeAttrs: ["sizes"],
  infer([x, start2], { sizes }) {
    checkWindow("dynamicSlice", x, start2, sizes);
    return [{ dtype: x.dtype, shape: sizes }];
  },
  reference([x, start2], _attrs, [out]) {
    forEachInWindow(x, start2, out.shape, (at, flat) => {
      out.data[flat] = x.data[at];
    });
  },
  vjp: (b, [g], [x, start2]) => [b.dynamicUpdateSlice([fillLike(b, x, 0), g, start2]), null],
  batch(b, [x, start2], batched, { sizes }, [out]) {
    const [batch, zero] = [out.shape[0], stretch(b, scalarOf(b, "int32", 0), [1], [])];
    if (!batched[1]) return [b.dynamicSlice([x, b.concat([zero, start2], { axis: 0 })], { sizes: out.shape })];
    const all2 = withBatch(b, x, batched[0], batch);
    return [b.gather([flatten2(b, all2), placesOf(b, start2, batch, all2.aval.shape.slice(1), sizes)], { axis: 0 })];
  }
});
var dynamicSliceCases = cases(dynamicSliceOp, () => ({
  samples: [
    {
      ins: [[5], [1]],
      dtypes: ["*", "int32"],
      domain: [
        [-2, 2],
        [-1, 6]
      ],
      attrs: { sizes: [2] }
    },
    {
      ins: [[5], [1]],
      dtypes: ["*", "int32"],
      domain: [
        [-2, 2],
        [-1, 6]
      ],
      attrs: { sizes: [0] }
    },
    {
      ins: [[5], [1]],
      dtypes: ["*", "int32"],
      domain: [
        [-2, 2],
        [-6, -1]
      ],
      attrs: { sizes: [2] }
    },
    {
      ins: [[5], [1]],
      dtypes: ["*", "int32"],
      domain: [
        [-2, 2],
        [-4, 0]
      ],
      attrs: { sizes: [2] }
    },
    {
      ins: [[3, 17], [2]],
      dtypes: ["*", "int32"],
      domain: [
        [-2, 2],
        [0, 9]
      ],
      attrs: { sizes: [2, 15] }
    },
    { ins: [[], [0]], dtypes: ["*", "int32"], attrs: { sizes: [] } },
    {
      ins: [[1, 2, 1, 3, 2, 2], [6]],
      dtypes: ["*", "int32"],
      domain: [
        [-2, 2],
        [0, 2]
      ],
      attrs: { sizes: [1, 1, 1, 2, 2, 1] }
    }
  ],
  edges: [
    { ins: [[1, -0, NaN], [1]], dtypes: ["float32", "int32"], attrs: { sizes: [2] }, want: [-0, NaN] },
    { ins: [[1, 2, 3], [-7]], dtypes: ["float32", "int32"], attrs: { sizes: [2] }, want: [1, 2] },
    { ins: [[1, 2, 3], [7]], dtypes: ["float32", "int32"], attrs: { sizes: [2] }, want: [2, 3] }
  ],
  reject: [
    { ins: [[3], [1]], attrs: { sizes: [2] }, code: "dynamicSlice.C1" },
    { ins: [[3], [2]], dtypes: ["float32", "int32"], attrs: { sizes: [2] }, code: "dynamicSlice.C2" },
    { ins: [[3], [1]], dtypes: ["float32", "int32"], attrs: { sizes: [4] }, code: "dynamicSlice.C3" }
  ]
}));
var dynamicUpdateSliceOp = defineOp({
  name: "dynamicUpdateSlice",
  version: 1,
  kind: "index",
  arity: 3,
  infer([x, update, start2]) {
    checkDType(
      "dynamicUpdateSlice.C4",
      update.dtype === x.dtype,
      () => `needs one dtype, got ${x.dtype} and ${update.dtype}`
    );
    checkWindow("dynamicUpdateSlice", x, start2, update.shape);
    return [x];
  },
  reference([x, update, start2], _attrs, [out]) {
    for (let i = 0; i < x.data.length; i++) out.data[i] = x.data[i];
    forEachInWindow(x, start2, update.shape, (at, flat) => {
      out.data[at] = update.data[flat];
    });
  },
  vjp: (b, [g], [, update, start2]) => [
    b.dynamicUpdateSlice([g, fillLike(b, update, 0), start2]),
    b.dynamicSlice([g, start2], { sizes: update.aval.shape }),
    null
  ],
  batch(b, [x, update, start2], batched, _attrs, [out]) {
    const batch = out.shape[0];
    const [all2, updates] = [withBatch(b, x, batched[0], batch), withBatch(b, update, batched[1], batch)];
    if (!batched[2]) {
      const zero = stretch(b, scalarOf(b, "int32", 0), [1], []);
      return [b.dynamicUpdateSlice([all2, updates, b.concat([zero, start2], { axis: 0 })])];
    }
    const places = placesOf(b, start2, batch, all2.aval.shape.slice(1), updates.aval.shape.slice(1));
    const set = b.scatterSet([flatten2(b, all2), flatten2(b, places), flatten2(b, updates)], { axis: 0 });
    return [b.reshape([set], { shape: out.shape })];
  }
});
var dynamicUpdateSliceCases = cases(dynamicUpdateSliceOp, () => ({
  samples: [
    {
      ins: [[5], [2], [1]],
      dtypes: ["*", "*", "int32"],
      domain: [
        [-2, 2],
        [-2, 2],
        [-1, 6]
      ],
      attrs: noAttrs
    },
    {
      ins: [[5], [0], [1]],
      dtypes: ["*", "*", "int32"],
      domain: [
        [-2, 2],
        [-2, 2],
        [-1, 6]
      ],
      attrs: noAttrs
    },
    {
      ins: [[3, 17], [2, 15], [2]],
      dtypes: ["*", "*", "int32"],
      domain: [
        [-2, 2],
        [-2, 2],
        [0, 9]
      ],
      attrs: noAttrs
    },
    { ins: [[], [], [0]], dtypes: ["*", "*", "int32"], attrs: noAttrs }
  ],
  edges: [
    { ins: [[1, 2, 3], [NaN, -0], [9]], dtypes: ["float32", "float32", "int32"], attrs: noAttrs, want: [1, NaN, -0] },
    { ins: [[1, 2, 3], [8], [-9]], dtypes: ["float32", "float32", "int32"], attrs: noAttrs, want: [8, 2, 3] }
  ],
  reject: [
    { ins: [[3], [2], [1]], attrs: noAttrs, code: "dynamicUpdateSlice.C1" },
    { ins: [[3], [2], [2]], dtypes: ["float32", "float32", "int32"], attrs: noAttrs, code: "dynamicUpdateSlice.C2" },
    { ins: [[3], [4], [1]], dtypes: ["float32", "float32", "int32"], attrs: noAttrs, code: "dynamicUpdateSlice.C3" },
    { ins: [[3], [2], [1]], dtypes: ["float32", "int32", "int32"], attrs: noAttrs, code: "dynamicUpdateSlice.C4" }
  ]
}));

// packages/core/src/ops/index/gather.ts
var gatherOp = defineOp({
  name: "gather",
  version: 1,
  kind: "index",
  arity: 2,
  infer: ([x, indices], { axis }) => [{ dtype: x.dtype, shape: indexedShape("gather", x, indices, axis) }],
  reference([x, indices], { axis }, [out]) {
    forEachRow(x, indices, axis, (from2, to2, length) => {
      for (let i = 0; i < length && from2 >= 0; i++) out.data[to2 + i] = x.data[from2 + i];
    });
  },
  vjp: (b, [g], [x, indices], _outs, { axis }) => [b.scatterAdd([fillLike(b, x, 0), indices, g], { axis }), null],
  batch(b, [x, indices], batched, { axis }) {
    if (!batched[1]) return [b.gather([x, indices], { axis: axis + 1 })];
    const indexRank = indices.aval.shape.length;
    if (!batched[0]) {
      const picked2 = b.gather([x, indices], { axis });
      return [transposed(b, picked2, axesFirst(picked2.aval.shape.length, [axis]))];
    }
    const flat = rowIndices(b, indices, x.aval.shape[axis + 1]);
    const picked = b.gather([toRows(b, x, axis).val, flat], { axis: 0 });
    return [transposed(b, picked, inversePerm(picksFirst(picked.aval.shape.length, axis, indexRank)))];
  }
});
function gather(x, indices, axis, batchDims = 0) {
  if (batchDims !== 0) throw refusal("gather.batchDims", "batchDims is not built yet", [], "E_UNIMPLEMENTED");
  const t = toTensor(x);
  const at = axisOf("gather", axis ?? 0, avalOf(t).shape.length);
  return typed(apply(gatherOp, [t, toIndices("gather", indices, t)], { axis: at }));
}
var gatherCases = cases(gatherOp, () => ({
  samples: [
    sample([5], [3], 0),
    sample([5], [], 0),
    sample([4, 3], [2], 0),
    sample([4, 3], [2, 2], 1),
    sample([2, 17, 3], [15], 1),
    sample([2, 3, 4], [2, 2], 2),
    sample([2, 3, 4], [0], 1),
    sample([0, 3], [2], 0),
    sample([3, 0], [2], 0),
    sample([1, 2, 1, 3, 2, 2], [2], 3),
    { ...sample([4, 3], [2], 0), dtypes: ["*", "int64"] }
  ],
  edges: [
    {
      ins: [
        [NaN, -0, 3],
        [1, 0, -1, 3]
      ],
      dtypes: ["float32", "int32"],
      attrs: { axis: 0 },
      want: [-0, NaN, 0, 0]
    }
  ],
  reject: [
    { ins: [[3], [2]], attrs: { axis: 0 }, code: "gather.C1" },
    { ins: [[3], [2]], dtypes: ["float32", "int32"], attrs: { axis: 1 }, code: "gather.C2" }
  ]
}));
function sample(x, indices, axis) {
  return {
    ins: [x, indices],
    dtypes: ["*", "int32"],
    domain: [
      [-2, 2],
      [-1, x[axis]]
    ],
    attrs: { axis }
  };
}

// packages/core/src/ops/index/scatter.ts
function inferScatter(name, [x, indices, updates], axis) {
  const want = indexedShape(name, x, indices, axis);
  checkDType(`${name}.C3`, updates.dtype === x.dtype, () => `needs one dtype, got ${x.dtype} and ${updates.dtype}`);
  const fits2 = sameShape(want, updates.shape);
  check(`${name}.C4`, fits2, () => `needs updates of shape ${formatShape(want)}, got ${formatShape(updates.shape)}`);
  return [x];
}
function batchScatter(b, scatter, ins, batched, axis, out) {
  const size = out.shape[0];
  const [x, updates] = [withBatch(b, ins[0], batched[0], size), withBatch(b, ins[2], batched[2], size)];
  if (!batched[1]) return scatter([x, ins[1], updates], { axis: axis + 1 });
  const rows = toRows(b, x, axis);
  const indices = rowIndices(b, ins[1], x.aval.shape[axis + 1]);
  const moved = transposed(b, updates, picksFirst(updates.aval.shape.length, axis, indices.aval.shape.length));
  return rows.restore(scatter([rows.val, indices, moved], { axis: 0 }));
}
var scatterAddOp = defineOp({
  name: "scatterAdd",
  version: 1,
  kind: "index",
  arity: 3,
  infer(ins, { axis }) {
    checkDType("scatterAdd.C5", numeric.has(ins[0].dtype), () => `needs ${numeric.words}, got ${ins[0].dtype}`);
    return inferScatter("scatterAdd", ins, axis);
  },
  reference([x, indices, updates], { axis }, [out]) {
    const wide2 = x.dtype === "int64";
    const sums = Array.from(x.data);
    forEachRow(out, indices, axis, (from2, to2, length) => {
      for (let i = 0; i < length && from2 >= 0; i++) {
        const [sum3, more] = [sums[from2 + i], updates.data[to2 + i]];
        sums[from2 + i] = wide2 ? BigInt(sum3) + BigInt(more) : Number(sum3) + Number(more);
      }
    });
    sums.forEach((sum3, i) => {
      out.data[i] = sum3;
    });
  },
  vjp: (b, [g], [, indices], _outs, { axis }) => [g, null, b.gather([g, indices], { axis })],
  batch: (b, ins, batched, { axis }, [out]) => [batchScatter(b, b.scatterAdd, ins, batched, axis, out)]
});
var scatterAddCases = cases(scatterAddOp, () => ({
  samples: scatterSamples(),
  edges: [
    {
      ins: [
        [1, 2, 3],
        [2, 0, 2, -1, 3],
        [10, 20, 30, 40, NaN]
      ],
      dtypes: ["float32", "int32", "float32"],
      attrs: { axis: 0 },
      want: [21, 2, 43]
    },
    { ins: [[250], [0, 0], [5, 3]], dtypes: ["uint8", "int32", "uint8"], attrs: { axis: 0 }, want: [2] },
    { ins: [[[1, 2]], [1], [[7]]], dtypes: ["int64", "int64", "int64"], attrs: { axis: 1 }, want: [[1, 9]] }
  ],
  reject: scatterRejects("scatterAdd")
}));
var scatterSetOp = defineOp({
  name: "scatterSet",
  version: 1,
  kind: "index",
  arity: 3,
  infer: (ins, { axis }) => inferScatter("scatterSet", ins, axis),
  reference([x, indices, updates], { axis }, [out]) {
    for (let i = 0; i < x.data.length; i++) out.data[i] = x.data[i];
    forEachRow(out, indices, axis, (from2, to2, length) => {
      for (let i = 0; i < length && from2 >= 0; i++) out.data[from2 + i] = updates.data[to2 + i];
    });
  },
  vjp(b, [g], [, indices, updates], _outs, { axis }) {
    const nothing2 = fillLike(b, updates, 0);
    const picked = b.gather([g, indices], { axis });
    return [
      b.scatterSet([g, indices, nothing2], { axis }),
      null,
      b.select([isLast(b, indices, g.aval, picked.aval, axis), picked, nothing2])
    ];
  },
  batch: (b, ins, batched, { axis }, [out]) => [batchScatter(b, b.scatterSet, ins, batched, axis, out)]
});
function isLast(b, indices, x, updates, axis) {
  const { shape } = indices.aval;
  const flat = b.reshape([indices], { shape: [sizeOf(indices.aval)] });
  const turn = b.iota([], { shape: flat.aval.shape, axis: 0, dtype: "int32" });
  const none2 = stretch(b, scalarOf(b, "int32", -1), [x.shape[axis]], []);
  const winners = b.scatterSet([none2, flat, turn], { axis: 0 });
  const won = b.reshape([b.eq([b.gather([winners, flat], { axis: 0 }), turn])], { shape });
  return stretch(
    b,
    won,
    updates.shape,
    shape.map((_, i) => axis + i)
  );
}
var scatterSetCases = cases(scatterSetOp, () => ({
  samples: scatterSamples(),
  edges: [
    {
      ins: [
        [1, 2, 3],
        [2, 0, 2, -1, 3],
        [10, NaN, -0, 40, 50]
      ],
      dtypes: ["float32", "int32", "float32"],
      attrs: { axis: 0 },
      want: [NaN, 2, -0]
    },
    { ins: [[[1, 2]], [1], [[7]]], dtypes: ["int64", "int64", "int64"], attrs: { axis: 1 }, want: [[1, 7]] }
  ],
  reject: scatterRejects("scatterSet")
}));
function scatterSamples() {
  const sample2 = (x, indices, axis) => ({
    ins: [x, indices, [...x.slice(0, axis), ...indices, ...x.slice(axis + 1)]],
    dtypes: ["*", "int32", "*"],
    domain: [
      [-2, 2],
      [-1, x[axis]],
      [-2, 2]
    ],
    attrs: { axis }
  });
  return [
    sample2([5], [3], 0),
    sample2([3], [17], 0),
    sample2([5], [], 0),
    sample2([4, 3], [2], 0),
    sample2([4, 3], [2, 2], 1),
    sample2([2, 3, 4], [5], 1),
    sample2([2, 3, 4], [0], 1),
    sample2([0, 3], [2], 0),
    sample2([1, 2, 1, 3, 2, 2], [2], 3)
  ];
}
function scatterRejects(name) {
  return [
    { ins: [[3], [2], [2]], attrs: { axis: 0 }, code: `${name}.C1` },
    { ins: [[3], [2], [2]], dtypes: ["float32", "int32", "float32"], attrs: { axis: 1 }, code: `${name}.C2` },
    { ins: [[3], [2], [2]], dtypes: ["float32", "int32", "int32"], attrs: { axis: 0 }, code: `${name}.C3` },
    { ins: [[3], [2], [3]], dtypes: ["float32", "int32", "float32"], attrs: { axis: 0 }, code: `${name}.C4` }
  ];
}

// packages/core/src/ops/index/slice.ts
var sliceOp = defineOp({
  name: "slice",
  version: 1,
  kind: "shape",
  arity: 1,
  sizeAttrs: ["start", "limit"],
  infer([x], { start: start2, limit: limit2, strides }) {
    const { dtype, shape } = x;
    const complete = [start2, limit2, strides].every((list) => list.length === shape.length);
    checkAttr("slice.C1", complete, () => `needs a start, a limit and a stride for each axis of ${formatShape(shape)}`);
    checkAttr(
      "slice.C2",
      strides.every((s) => Number.isInteger(s) && s >= 1),
      () => `strides [${strides}] must be whole numbers from 1`
    );
    shape.forEach((size, i) => {
      const inside2 = allTrue([leDim(0, start2[i]), leDim(start2[i], limit2[i]), leDim(limit2[i], size)]);
      check("slice.C3", inside2, () => `${start2[i]} to ${limit2[i]} is outside axis ${i} of ${formatShape(shape)}`);
    });
    return [{ dtype, shape: shape.map((_, i) => ceilDivDim(subDim(limit2[i], start2[i]), strides[i])) }];
  },
  reference([x], { start: start2, strides }, [out]) {
    const from2 = stridesOf(x.shape);
    const first2 = from2.reduce((at, step2, axis) => at + step2 * Number(start2[axis]), 0);
    forEachIndex(out.shape, (index, flat) => {
      out.data[flat] = x.data[index.reduce((at, i, axis) => at + i * from2[axis] * strides[axis], first2)];
    });
  },
  vjp(b, [g], [x], [y], { start: start2, strides }) {
    const extent = y.aval.shape.map((size, i) => dilatedDim(size, strides[i]));
    const high = x.aval.shape.map((size, i) => subDim(size, addDim(start2[i], extent[i])));
    return [b.pad([g, scalarOf(b, g.aval.dtype, 0)], { low: start2, high, interior: strides.map((s) => s - 1) })];
  },
  batch: (b, [x], _batched, { start: start2, limit: limit2, strides }) => [
    b.slice([x], { start: [0, ...start2], limit: [x.aval.shape[0], ...limit2], strides: [1, ...strides] })
  ]
});
var sliceCases = cases(sliceOp, () => ({
  samples: [
    { ins: [[]], attrs: { start: [], limit: [], strides: [] } },
    { ins: [[7]], attrs: { start: [2], limit: [5], strides: [1] } },
    { ins: [[7]], attrs: { start: [1], limit: [7], strides: [3] } },
    { ins: [[7]], attrs: { start: [1], limit: [6], strides: [2] } },
    { ins: [[4]], attrs: { start: [2], limit: [2], strides: [1] } },
    { ins: [[4]], attrs: { start: [4], limit: [4], strides: [2] } },
    { ins: [[0, 3]], attrs: { start: [0, 1], limit: [0, 3], strides: [1, 1] } },
    { ins: [[3, 17, 4]], attrs: { start: [1, 0, 3], limit: [3, 17, 4], strides: [1, 4, 1] } },
    {
      ins: [[1, 2, 3, 2, 1, 2]],
      attrs: { start: [0, 1, 0, 0, 0, 0], limit: [1, 2, 3, 2, 1, 1], strides: [1, 1, 2, 1, 1, 1] }
    }
  ],
  edges: [{ ins: [[1, -0, NaN, 4, 5]], attrs: { start: [1], limit: [5], strides: [2] }, want: [-0, 4] }],
  reject: [
    { ins: [[5]], attrs: { start: [0, 0], limit: [5, 5], strides: [1, 1] }, code: "slice.C1" },
    { ins: [[5]], attrs: { start: [0], limit: [5], strides: [0] }, code: "slice.C2" },
    { ins: [[5]], attrs: { start: [0], limit: [6], strides: [1] }, code: "slice.C3" },
    { ins: [[5]], attrs: { start: [3], limit: [2], strides: [1] }, code: "slice.C3" },
    { ins: [[5]], attrs: { start: [-1], limit: [2], strides: [1] }, code: "slice.C3" }
  ]
}));
function slice(x, begin, size) {
  const t = toTensor(x);
  const { shape } = avalOf(t);
  const begins = listOf(begin);
  const sizes = listOf(size ?? []);
  checkAttr(
    "slice.C4",
    begins.length <= shape.length && sizes.length <= shape.length,
    () => `more entries than axes of ${formatShape(shape)}`
  );
  const start2 = shape.map((_, i) => begins[i] ?? 0);
  const limit2 = shape.map((all2, i) => {
    const taken = sizes[i] ?? -1;
    return taken === -1 ? all2 : addDim(start2[i], taken);
  });
  return typed(apply1(sliceOp, t, { start: start2, limit: limit2, strides: shape.map(() => 1) }));
}
function listOf(value) {
  return typeof value === "number" ? [value] : value;
}

// packages/core/src/types/options.ts
var required = /* @__PURE__ */ Symbol("required");
function withDefaults(name, options, defaults) {
  const keys = Object.keys(defaults);
  checkOptions(name, options ?? {}, keys);
  const given = Object.fromEntries(Object.entries(options ?? {}).filter(([, value]) => value !== void 0));
  const all2 = { ...defaults, ...given };
  const missing = keys.find((key) => all2[key] === required);
  if (missing !== void 0) refuse(name, `the option "${missing}" is missing`);
  return all2;
}
function checkOptions(name, options, known3) {
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    const got = Array.isArray(options) ? "an array" : String(options);
    refuse(name, `takes an object of options, got ${got}`);
  }
  const unknown = Object.keys(options).find((key) => !known3.includes(key));
  if (unknown !== void 0) refuse(name, `there is no option "${unknown}"${didYouMean(unknown, known3)}`);
}
function refuse(name, why) {
  throw new MillraceError("E_ARGUMENT", `${name}: ${why}`, { op: name });
}
function canonicalName(name) {
  return name.replaceAll(/[_\s-]/g, "").toLowerCase();
}
function nearestName(name, known3) {
  const from2 = canonicalName(name);
  let best;
  let least = Math.max(2, Math.floor(from2.length / 3)) + 1;
  for (const candidate of known3) {
    const distance = editDistance(from2, canonicalName(candidate));
    if (distance < least) [best, least] = [candidate, distance];
  }
  return best;
}
function didYouMean(name, known3) {
  const near = nearestName(name, known3);
  return near === void 0 ? "" : ` (did you mean "${near}"?)`;
}
function editDistance(a, b) {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length];
}

// packages/core/src/ops/nn/attention.ts
function inferAttention(name, [q, k, v], { scale: scale2 }) {
  const { dtype } = q;
  checkDType(`${name}.C1`, floats.has(dtype), () => `needs ${floats.words}, got ${dtype}`);
  checkDType(
    `${name}.C2`,
    k.dtype === dtype && v.dtype === dtype,
    () => `needs one dtype, got ${dtype}, ${k.dtype} and ${v.dtype}`
  );
  const all2 = () => [q, k, v].map(formatAval).join(", ");
  check(
    `${name}.C3`,
    [q, k, v].every(({ shape }) => shape.length === 4),
    () => `needs [batch, heads, length, size] three times, got ${all2()}`
  );
  const [s, t, u] = [q.shape, k.shape, v.shape];
  const fit = allTrue([
    sameShape(s.slice(0, 2), t.slice(0, 2)),
    eqDim(s[3], t[3]),
    sameShape(t.slice(0, 3), u.slice(0, 3))
  ]);
  check(`${name}.C4`, fit, () => `queries, keys and values do not fit: ${all2()}`);
  checkAttr(`${name}.C5`, Number.isFinite(scale2), () => `scale must be a finite number, got ${scale2}`);
  return [
    { dtype, shape: [...s.slice(0, 3), u[3]] },
    { dtype, shape: s.slice(0, 3) }
  ];
}
function product2(b, x, y, xAxis, yAxis) {
  return b.dotGeneral([x, y], { lhsBatch: [0, 1], rhsBatch: [0, 1], lhsContract: [xAxis], rhsContract: [yAxis] });
}
function scores(b, q, k, attrs) {
  const all2 = scale(b, product2(b, q, k, 3, 3), attrs.scale);
  if (!attrs.causal) return all2;
  const { dtype, shape } = all2.aval;
  const place2 = (axis) => b.iota([], { shape, axis, dtype: "int32" });
  return b.select([b.ge([place2(2), place2(3)]), all2, stretch(b, scalarOf(b, dtype, -Infinity), shape, [])]);
}
var overKeys = (b, statistic, like) => unreduce(b, statistic, [3], like.aval.shape);
function weights(b, q, k, logSumExp2, attrs) {
  const s = scores(b, q, k, attrs);
  return b.exp([b.sub([s, overKeys(b, logSumExp2, s)])]);
}
function fromScores(b, gs, q, k, attrs) {
  const scaled = scale(b, gs, attrs.scale);
  return [product2(b, scaled, k, 3, 2), product2(b, scaled, q, 2, 2)];
}
function mergeBatches(b, ins, batched, outs, op) {
  const size = outs[0].shape[0];
  const merged = ins.map((x, i) => {
    const all2 = withBatch(b, x, batched[i], size);
    const [first2, second2, ...rest] = all2.aval.shape;
    return b.reshape([all2], { shape: [mulDim(first2, second2), ...rest] });
  });
  return op(merged).map((y, i) => b.reshape([y], { shape: outs[i].shape }));
}
var attentionOp = defineComposite({
  name: "attention",
  version: 1,
  arity: 3,
  many: true,
  infer: (ins, attrs) => inferAttention("attention", ins, attrs),
  lower(b, [q, k, v], attrs) {
    const s = scores(b, q, k, attrs);
    const most = b.reduceMax([s], { axes: [3] });
    const e = b.exp([b.sub([s, overKeys(b, most, s)])]);
    const sum3 = b.reduceSum([e], { axes: [3] });
    return [product2(b, b.div([e, overKeys(b, sum3, e)]), v, 3, 2), b.add([most, b.log([sum3])])];
  },
  vjp(b, [g, gLogSumExp], [q, k, v], [out, logSumExp2], attrs) {
    const [gq, gk, gv] = g ? b.attentionGrad([g, q, k, v, out, logSumExp2], attrs) : [];
    if (!gLogSumExp) return [gq ?? null, gk ?? null, gv ?? null];
    const p = weights(b, q, k, logSumExp2, attrs);
    const [hq, hk] = fromScores(b, b.mul([p, overKeys(b, gLogSumExp, p)]), q, k, attrs);
    return [gq ? b.add([gq, hq]) : hq, gk ? b.add([gk, hk]) : hk, gv ?? null];
  },
  batch: (b, ins, batched, attrs, outs) => mergeBatches(b, ins, batched, outs, (all2) => b.attention(all2, attrs))
});
var attentionGradOp = defineComposite({
  name: "attentionGrad",
  version: 1,
  arity: 6,
  many: true,
  infer([g, q, k, v, out, logSumExp2], attrs) {
    const [result, statistic] = inferAttention("attentionGrad", [q, k, v], attrs);
    const fits2 = allTrue([
      sameShape(g.shape, result.shape),
      sameShape(out.shape, result.shape),
      sameShape(logSumExp2.shape, statistic.shape)
    ]);
    check(
      "attentionGrad.C6",
      fits2,
      () => `${[g, out, logSumExp2].map(formatAval).join(", ")} do not belong to a result of ${formatShape(result.shape)}`
    );
    return [q, k, v];
  },
  lower(b, [g, q, k, v, out, logSumExp2], attrs) {
    const p = weights(b, q, k, logSumExp2, attrs);
    const gp = product2(b, g, v, 3, 3);
    const delta = b.reduceSum([b.mul([g, out])], { axes: [3] });
    const [gq, gk] = fromScores(b, b.mul([p, b.sub([gp, overKeys(b, delta, gp)])]), q, k, attrs);
    return [gq, gk, product2(b, p, g, 2, 2)];
  },
  vjp: "lower",
  batch: (b, ins, batched, attrs, outs) => mergeBatches(b, ins, batched, outs, (all2) => b.attentionGrad(all2, attrs))
});
var shapesOf = (b, h, m, n, d, e) => [
  [b, h, m, d],
  [b, h, n, d],
  [b, h, n, e]
];
var kinds = [
  { dims: shapesOf(1, 1, 2, 3, 2, 2), attrs: { scale: 0.7, causal: false } },
  { dims: shapesOf(1, 2, 3, 3, 2, 1), attrs: { scale: 1, causal: true } },
  { dims: shapesOf(2, 1, 2, 4, 3, 2), attrs: { scale: 0.5, causal: true } },
  { dims: shapesOf(1, 1, 4, 2, 1, 2), attrs: { scale: -1, causal: true } },
  { dims: shapesOf(1, 1, 17, 15, 4, 3), attrs: { scale: 0.5, causal: false } },
  { dims: shapesOf(1, 2, 0, 3, 2, 2), attrs: { scale: 1, causal: false } }
];
var plain2 = { scale: 1, causal: false };
var attentionCases = cases(attentionOp, () => ({
  samples: kinds.map(({ dims, attrs }) => ({ ins: dims, attrs })),
  edges: [
    { ins: [[[[[0]]]], [[[[1], [2]]]], [[[[4], [6]]]]], attrs: plain2, want: [[[[[5]]]], [[[Math.LN2]]]] },
    // Large scores do not overflow, and the first causal query sees the first key alone.
    {
      ins: [[[[[1e3], [1]]]], [[[[1], [2]]]], [[[[4], [6]]]]],
      attrs: { scale: 1, causal: true },
      want: [[[[[4], [5.462117]]]], [[[1e3, 2.3132617]]]]
    },
    { ins: [[[[[NaN]]]], [[[[1]]]], [[[[4]]]]], attrs: plain2, want: [[[[[NaN]]]], [[[NaN]]]] }
  ],
  reject: [
    { ins: shapesOf(1, 1, 1, 1, 1, 1), dtypes: ["int32", "int32", "int32"], attrs: plain2, code: "attention.C1" },
    { ins: shapesOf(1, 1, 1, 1, 1, 1), dtypes: ["float32", "float64", "float32"], attrs: plain2, code: "attention.C2" },
    {
      ins: [
        [1, 2, 3],
        [1, 2, 3],
        [1, 2, 3]
      ],
      attrs: plain2,
      code: "attention.C3"
    },
    {
      ins: [
        [1, 1, 2, 3],
        [1, 1, 2, 4],
        [1, 1, 2, 3]
      ],
      attrs: plain2,
      code: "attention.C4"
    },
    {
      ins: [
        [1, 1, 2, 3],
        [1, 1, 2, 3],
        [1, 1, 4, 3]
      ],
      attrs: plain2,
      code: "attention.C4"
    },
    { ins: shapesOf(1, 1, 1, 1, 1, 1), attrs: { scale: NaN, causal: false }, code: "attention.C5" }
  ]
}));
var attentionGradCases = cases(attentionGradOp, () => ({
  samples: kinds.map(({ dims: [q, k, v], attrs }) => ({
    ins: [[...q.slice(0, 3), v[3]], q, k, v, [...q.slice(0, 3), v[3]], q.slice(0, 3)],
    attrs
  })),
  edges: [
    // Weights ½ and ½; g · v is [4, 6], less g · out = 5: the scores get [−½, ½].
    {
      ins: [[[[[1]]]], [[[[0]]]], [[[[1], [2]]]], [[[[4], [6]]]], [[[[5]]]], [[[Math.LN2]]]],
      attrs: plain2,
      want: [[[[[0.5]]]], [[[[0], [0]]]], [[[[0.5], [0.5]]]]]
    }
  ],
  reject: [
    {
      ins: [
        [1, 1, 2, 1],
        [1, 1, 2, 1],
        [1, 1, 2, 1],
        [1, 1, 2, 1],
        [1, 1, 2, 1],
        [1, 1, 3]
      ],
      attrs: plain2,
      code: "attentionGrad.C6"
    }
  ]
}));

// packages/core/src/ops/nn/gelu.ts
var cubic = 0.044715;
var tanhScale = Math.sqrt(2 / Math.PI);
var bound = 40;
function normalCdf(b, x, approximate) {
  const t = approximate ? b.tanh([tanhArgument(b, x)]) : b.erf([scale(b, x, Math.SQRT1_2)]);
  return scale(b, shift(b, t, 1), 0.5);
}
function tanhArgument(b, x) {
  return scale(b, b.mul([x, shift(b, scale(b, b.mul([x, x]), cubic), 1)]), tanhScale);
}
function normalDensity(b, x, inner, approximate) {
  const square2 = b.mul([inner, inner]);
  if (!approximate) return scale(b, b.exp([scale(b, square2, -0.5)]), 1 / Math.sqrt(2 * Math.PI));
  const t = b.tanh([tanhArgument(b, x)]);
  const slope = scale(b, shift(b, scale(b, square2, 3 * cubic), 1), tanhScale / 2);
  return b.mul([shift(b, b.neg([b.mul([t, t])]), 1), slope]);
}
var atLeast = (b, x, low) => b.max([x, fillLike(b, x, low)]);
var atMost = (b, x, high) => b.min([x, fillLike(b, x, high)]);
var geluOp = defineElementwise({
  name: "gelu",
  arity: 1,
  accepts: floats,
  lower: (b, [x], { approximate }) => [b.mul([atLeast(b, x, -bound), normalCdf(b, x, approximate)])],
  vjp: (b, [g], [x], _outs, attrs) => [b.geluGrad([g, x], attrs)]
});
var geluCases = cases(geluOp, () => ({
  samples: [true, false].flatMap((approximate) => elementwiseSamples(1, { approximate })),
  edges: [true, false].map((approximate) => ({
    ins: [[-Infinity, -50, 0, 50, Infinity, NaN]],
    attrs: { approximate },
    want: [-0, -0, 0, 50, Infinity, NaN]
  })),
  reject: [{ ins: [[2]], dtypes: ["int32"], attrs: { approximate: false }, code: "gelu.C1" }]
}));
var geluGradOp = defineElementwise({
  name: "geluGrad",
  arity: 2,
  accepts: floats,
  /** g · (Φ(x) + x · Φ′(x)) */
  lower(b, [g, x], { approximate }) {
    const inner = atMost(b, atLeast(b, x, -bound), bound);
    const slope = b.mul([inner, normalDensity(b, x, inner, approximate)]);
    return [b.mul([g, b.add([normalCdf(b, x, approximate), slope])])];
  },
  vjp: "lower"
});
var geluGradCases = cases(geluGradOp, () => ({
  samples: [true, false].flatMap((approximate) => elementwiseSamples(2, { approximate })),
  edges: [true, false].map((approximate) => ({
    ins: [
      [2, 2, 2, 2],
      [-Infinity, 0, Infinity, NaN]
    ],
    attrs: { approximate },
    want: [0, 1, 2, NaN]
  })),
  reject: [{ ins: [[2], [2]], dtypes: ["int32", "int32"], attrs: { approximate: false }, code: "geluGrad.C1" }]
}));

// packages/core/src/ops/reduce/reduction.ts
function inferReduced(name, accepts) {
  return ([x], { axes: axes2 }) => {
    checkDType(`${name}.C1`, accepts.has(x.dtype), () => `needs ${accepts.words}, got ${x.dtype}`);
    const rank = x.shape.length;
    const rising = axes2.every((a, i) => Number.isInteger(a) && a >= 0 && a < rank && (i === 0 || a > axes2[i - 1]));
    checkAttr(`${name}.C2`, rising, () => `axes [${axes2}] must rise within rank ${rank}`);
    return [{ dtype: x.dtype, shape: x.shape.filter((_, i) => !axes2.includes(i)) }];
  };
}
var batchOf = (name) => (b, [x], _batched, { axes: axes2 }) => [
  applyReduction(
    b,
    name,
    x,
    axes2.map((a) => a + 1)
  )
];
function defineReductionComposite(spec) {
  const { name, accepts, lower: lower2, vjp } = spec;
  return defineComposite({
    name,
    version: 1,
    arity: 1,
    infer: inferReduced(name, accepts),
    lower: lower2,
    vjp,
    batch: batchOf(name)
  });
}
function defineReduction(spec) {
  const { name, accepts } = spec;
  return defineOp({
    name,
    version: 1,
    kind: "reduce",
    arity: 1,
    infer: inferReduced(name, accepts),
    reference: ([x], { axes: axes2 }, [out]) => fold2(spec, x, axes2, out),
    vjp: spec.vjp,
    batch: (b, [x], _batched, { axes: axes2 }) => [
      applyReduction(
        b,
        name,
        x,
        axes2.map((a) => a + 1)
      )
    ]
  });
}
function countAlong(b, x, axes2) {
  const { dtype, shape } = x.aval;
  const size = productDim(axes2.map((a) => shape[a]));
  return typeof size === "number" ? scalarOf(b, dtype, size) : b.dimension([], { size, dtype });
}
function applyReduction(b, name, x, axes2) {
  const op = b[name];
  return op([x], { axes: axes2 });
}
function fold2(spec, x, axes2, out) {
  const outStrides = stridesOf(out.shape);
  let kept = 0;
  const steps2 = x.shape.map((_, i) => axes2.includes(i) ? 0 : outStrides[kept++]);
  const wide2 = x.dtype === "int64";
  const initial = spec.initial(x.dtype);
  const count2 = out.data.length;
  const sums = wide2 ? void 0 : new Float64Array(count2).fill(initial.float);
  const wideSums = wide2 ? new Array(count2).fill(initial.int64) : void 0;
  const f = dtypes[x.dtype].isFloat ? spec.float : spec.small ?? spec.float;
  forEachIndex(x.shape, (index, flat) => {
    let to2 = 0;
    for (let axis = 0; axis < steps2.length; axis++) to2 += index[axis] * steps2[axis];
    if (sums) sums[to2] = f(sums[to2], Number(x.data[flat]));
    else if (wideSums) wideSums[to2] = spec.int64(wideSums[to2], BigInt(x.data[flat]));
  });
  for (let i = 0; i < count2; i++) out.data[i] = sums ? sums[i] : wideSums[i];
}
function reduce(name, op, x, axis, keepDims = false) {
  const { shape } = avalOf(x);
  const axes2 = axesFrom(name, axis, shape.length);
  const y = axes2.length === 0 ? x : apply1(op, x, { axes: axes2 });
  return keepDims ? apply1(reshapeOp, y, { shape: shape.map((d, i) => axes2.includes(i) ? 1 : d) }) : y;
}
var reduceSamples = [
  { ins: [[5]], attrs: { axes: [0] } },
  { ins: [[2, 3]], attrs: { axes: [0] } },
  { ins: [[2, 3]], attrs: { axes: [1] } },
  { ins: [[2, 3]], attrs: { axes: [0, 1] } },
  { ins: [[3, 17, 2]], attrs: { axes: [1] } },
  { ins: [[3, 2, 4]], attrs: { axes: [0, 2] } },
  { ins: [[1025]], attrs: { axes: [0] } },
  { ins: [[0, 3]], attrs: { axes: [0] } },
  { ins: [[3, 0]], attrs: { axes: [0] } },
  { ins: [[]], attrs: { axes: [] } },
  { ins: [[1, 2, 1, 3, 1, 2]], attrs: { axes: [1, 3, 5] } }
];

// packages/core/src/ops/nn/layer-norm.ts
function checkVectors(name, x, vectors) {
  const { dtype, shape } = x;
  checkDType(`${name}.C1`, floats.has(dtype), () => `needs ${floats.words}, got ${dtype}`);
  check(`${name}.C2`, shape.length >= 1, () => `needs rank 1 or more, got ${formatShape(shape)}`);
  for (const v of vectors) {
    checkDType(`${name}.C3`, v.dtype === dtype, () => `needs one dtype, got ${dtype} and ${v.dtype}`);
    const fits2 = v.shape.length === 1 && eqDim(v.shape[0], shape[shape.length - 1]);
    check(`${name}.C4`, fits2, () => `${formatAval(v)} is not as long as the last axis of ${formatShape(shape)}`);
  }
}
var overRows = (b, vector, x) => stretch(b, vector, x.aval.shape, [x.aval.shape.length - 1]);
var overLast = (b, statistic, x) => unreduce(b, statistic, [x.aval.shape.length - 1], x.aval.shape);
function meanLast(b, x) {
  const last = [x.aval.shape.length - 1];
  const sum3 = b.reduceSum([x], { axes: last });
  return b.div([sum3, stretch(b, countAlong(b, x, last), sum3.aval.shape, [])]);
}
var layerNormOp = defineComposite({
  name: "layerNorm",
  version: 1,
  arity: 3,
  many: true,
  infer([x, gamma, beta], { epsilon }) {
    checkVectors("layerNorm", x, [gamma, beta]);
    checkAttr("layerNorm.C5", epsilon >= 0, () => `epsilon must be a number from 0, got ${epsilon}`);
    const statistic = { dtype: x.dtype, shape: x.shape.slice(0, -1) };
    return [x, statistic, statistic];
  },
  lower(b, [x, gamma, beta], { epsilon }) {
    const mean2 = meanLast(b, x);
    const centred = b.sub([x, overLast(b, mean2, x)]);
    const variance = meanLast(b, b.mul([centred, centred]));
    const rstd = b.rsqrt([b.add([variance, fillLike(b, variance, epsilon)])]);
    const normal = b.mul([centred, overLast(b, rstd, x)]);
    return [b.add([b.mul([normal, overRows(b, gamma, x)]), overRows(b, beta, x)]), mean2, rstd];
  },
  vjp(b, [g, gMean, gRstd], [x, gamma], [, mean2, rstd]) {
    const [gx, gGamma, gBeta] = g ? b.layerNormGrad([g, x, gamma, mean2, rstd]) : [];
    const count2 = stretch(b, countAlong(b, x, [x.aval.shape.length - 1]), x.aval.shape, []);
    const fromMean = gMean && overLast(b, gMean, x);
    const fromRstd = gRstd && b.mul([
      overLast(b, b.neg([b.mul([gRstd, b.mul([rstd, b.mul([rstd, rstd])])])]), x),
      b.sub([x, overLast(b, mean2, x)])
    ]);
    const ofStatistics = [fromMean, fromRstd].flatMap((part2) => part2 ? [b.div([part2, count2])] : []);
    const parts2 = [...gx ? [gx] : [], ...ofStatistics];
    return [parts2.length > 0 ? parts2.reduce((sum3, part2) => b.add([sum3, part2])) : null, gGamma ?? null, gBeta ?? null];
  },
  batch: "lower"
});
var layerNormCases = cases(layerNormOp, () => ({
  samples: shapes().map((x) => ({ ins: [x, x.slice(-1), x.slice(-1)], attrs: { epsilon: 0.01 } })),
  edges: [
    {
      ins: [
        [
          [1, 3],
          [5, 5]
        ],
        [1, 10],
        [0, 7]
      ],
      attrs: { epsilon: 0.25 },
      want: [
        [
          [-0.8944272, 15.944272],
          [0, 7]
        ],
        [2, 5],
        [0.8944272, 2]
      ]
    },
    { ins: [[[NaN, 1]], [1, 1], [0, 0]], attrs: { epsilon: 1 }, want: [[[NaN, NaN]], [NaN], [NaN]] }
  ],
  reject: [
    { ins: [[2], [2], [2]], dtypes: ["int32", "int32", "int32"], attrs: { epsilon: 0 }, code: "layerNorm.C1" },
    { ins: [[], [1], [1]], attrs: { epsilon: 0 }, code: "layerNorm.C2" },
    { ins: [[2], [2], [2]], dtypes: ["float32", "float64", "float32"], attrs: { epsilon: 0 }, code: "layerNorm.C3" },
    { ins: [[2, 3], [2], [3]], attrs: { epsilon: 0 }, code: "layerNorm.C4" },
    { ins: [[2, 3], [3], [3, 1]], attrs: { epsilon: 0 }, code: "layerNorm.C4" },
    { ins: [[2], [2], [2]], attrs: { epsilon: -1 }, code: "layerNorm.C5" }
  ]
}));
var layerNormGradOp = defineComposite({
  name: "layerNormGrad",
  version: 1,
  arity: 5,
  many: true,
  infer([g, x, gamma, mean2, rstd]) {
    checkVectors("layerNormGrad", x, [gamma]);
    const fits2 = allTrue([
      sameShape(g.shape, x.shape),
      ...[mean2, rstd].map((s) => sameShape(s.shape, x.shape.slice(0, -1)))
    ]);
    check(
      "layerNormGrad.C5",
      fits2,
      () => `${[g, mean2, rstd].map(formatAval).join(", ")} do not belong to ${formatAval(x)}`
    );
    return [x, gamma, gamma];
  },
  lower(b, [g, x, gamma, mean2, rstd]) {
    const normal = b.mul([b.sub([x, overLast(b, mean2, x)]), overLast(b, rstd, x)]);
    const rows = axesOf(x.aval.shape.length - 1);
    const sumRows = (y) => rows.length === 0 ? y : b.reduceSum([y], { axes: rows });
    const scaled = b.mul([g, overRows(b, gamma, x)]);
    const shared = b.add([
      overLast(b, meanLast(b, scaled), x),
      b.mul([normal, overLast(b, meanLast(b, b.mul([scaled, normal])), x)])
    ]);
    const gx = b.mul([overLast(b, rstd, x), b.sub([scaled, shared])]);
    return [gx, sumRows(b.mul([g, normal])), sumRows(g)];
  },
  vjp: "lower",
  batch: "lower"
});
var layerNormGradCases = cases(layerNormGradOp, () => ({
  samples: shapes().map(
    (x) => ({ ins: [x, x, x.slice(-1), x.slice(0, -1), x.slice(0, -1)], attrs: noAttrs })
  ),
  edges: [
    {
      ins: [[[1, 0]], [[1, 3]], [2, 5], [2], [0.5]],
      attrs: noAttrs,
      // normal [−½, ½], scaled [2, 0], their mean 1, the mean of scaled · normal −½
      want: [[[0.375, -0.375]], [-0.5, 0], [1, 0]]
    }
  ],
  reject: [{ ins: [[2, 3], [2, 3], [3], [3], [2]], attrs: noAttrs, code: "layerNormGrad.C5" }]
}));
function shapes() {
  return [[5], [1], [2, 3], [3, 17], [2, 2, 4], [0, 3], [1, 2, 1, 2, 1, 3]];
}

// packages/core/src/ops/control/recurrence.ts
function recur(b, recurrence, step2) {
  const { each, axis, start: start2, states, outs } = recurrence;
  const steps2 = each[0].aval.shape[axis];
  if (steps2 === 0) return { state: start2 ?? zeros(b, states), outs: zeros(b, outs) };
  return typeof steps2 === "number" ? unrolled(b, recurrence, steps2, step2) : scanned(b, recurrence, steps2, step2);
}
var zeros = (b, avals) => avals.map((aval) => zerosOf(b, aval));
var resized = (shape, axis, size) => shape.map((d, a) => a === axis ? size : d);
var without = (shape, axis) => shape.filter((_, a) => a !== axis);
function part(b, x, axis, i) {
  const { shape } = x.aval;
  const start2 = resized(
    shape.map(() => 0),
    axis,
    i
  );
  const slice2 = b.slice([x], { start: start2, limit: resized(shape, axis, i + 1), strides: shape.map(() => 1) });
  return b.reshape([slice2], { shape: without(shape, axis) });
}
function unrolled(b, recurrence, steps2, step2) {
  const { each, all: all2, axis, reverse: reverse2, outs } = recurrence;
  const parts2 = axesOf(steps2).map((i) => each.map((x) => part(b, x, axis, i)));
  const made2 = [];
  for (const own of reverse2 ? parts2.reverse() : parts2)
    made2.push(step2(b, made2.at(-1)?.state ?? recurrence.start, own, all2));
  const { state } = made2.at(-1);
  if (reverse2) made2.reverse();
  const whole = outs.map((aval, k) => {
    const rows = made2.map((one) => b.reshape([one.outs[k]], { shape: resized(aval.shape, axis, 1) }));
    return rows.length === 1 ? rows[0] : b.concat(rows, { axis });
  });
  return { state, outs: whole };
}
function scanned(b, recurrence, length, step2) {
  const { each, all: all2, axis, reverse: reverse2, outs } = recurrence;
  const start2 = recurrence.start ?? zeros(b, recurrence.states);
  const rows = each.map((x) => transposed(b, x, axesFirst(x.aval.shape.length, [axis])));
  const rowAvals = rows.map(({ aval }) => ({ dtype: aval.dtype, shape: aval.shape.slice(1) }));
  const [states, others] = [start2, all2].map((vals) => vals.map((x) => x.aval));
  const body = buildRegion([...states, ...rowAvals, ...others], (r, params) => {
    const [state, own] = [params.slice(0, start2.length), params.slice(start2.length)];
    const made2 = step2(r, state, own.slice(0, rows.length), own.slice(rows.length));
    return [...made2.state, ...made2.outs];
  });
  const attrs = { carried: start2.length, scanned: rows.length, length, reverse: reverse2 };
  const found = b.scan([...start2, ...rows, ...all2], attrs, [body]);
  const back = (x) => transposed(b, x, inversePerm(axesFirst(x.aval.shape.length, [axis])));
  return { state: found.slice(0, start2.length), outs: found.slice(start2.length, start2.length + outs.length).map(back) };
}

// packages/core/src/ir/repair.ts
function offerRepair(op, ins, attrs) {
  const fitting = (op.repairs?.(ins, attrs) ?? []).flatMap((repair) => {
    try {
      const outs = inferOp(op, repair.ins, repair.attrs, [], []);
      return [`${repair.change} would give ${outs.map(({ shape }) => formatShape(shape)).join(", ")}`];
    } catch {
      return [];
    }
  });
  return fitting.length === 1 ? fitting[0] : void 0;
}

// packages/core/src/ops/contract/mat-mul.ts
function matMul(a, b, transposeA, transposeB) {
  const [x, y] = promoted("matMul", a, b);
  return typed(product3(x, y, transposeA ?? false, transposeB ?? false));
}
function product3(x, y, transposeA, transposeB) {
  const [p, q] = [avalOf(x), avalOf(y)];
  const { inner, attrs } = matrixAxes(p.shape.length, q.shape.length, transposeA, transposeB);
  if (p.shape.length < 2 || q.shape.length < 2) {
    const [which, shape] = p.shape.length < 2 ? ["first", p.shape] : ["second", q.shape];
    throw refuse2("matMul.C1", `${which} argument needs rank 2 or more, got ${formatShape(shape)}`, p, q, attrs);
  }
  const batch = broadcastShapes(p.shape.slice(0, -2), q.shape.slice(0, -2));
  const [k, l] = [p.shape[inner[0]], q.shape[inner[1]]];
  if (eqDim(k, l) === false) {
    throw refuse2(
      "matMul.C2",
      `inner sizes ${k} and ${l} differ: ${formatShape(p.shape)} x ${formatShape(q.shape)}`,
      p,
      q,
      attrs,
      batch
    );
  }
  if (!batch) throw noBroadcast("matMul", p, q);
  if (q.shape.length === 2) return apply(dotGeneralOp, [x, y], attrs);
  const whole = matrixAxes(batch.length + 2, batch.length + 2, transposeA, transposeB).attrs;
  const axes2 = axesOf(batch.length);
  const stretched = [x, y].map((t) => stretchTo(t, [...batch, ...avalOf(t).shape.slice(-2)]));
  return apply(dotGeneralOp, stretched, { ...whole, lhsBatch: axes2, rhsBatch: axes2 });
}
function matrixAxes(rankA, rankB, transposeA, transposeB) {
  const inner = [
    Math.max(0, transposeA ? rankA - 2 : rankA - 1),
    Math.max(0, transposeB ? rankB - 1 : rankB - 2)
  ];
  return { inner, attrs: { lhsBatch: [], rhsBatch: [], lhsContract: [inner[0]], rhsContract: [inner[1]] } };
}
function refuse2(label, message, a, b, attrs, batch) {
  const repair = batch ? offerRepair(dotGeneralOp, ...stacked(a, b, attrs, batch)) : offerRepair(dotGeneralOp, [a, b], attrs);
  return refusal(label, repair ? `${message}
  ${repair}` : message, [a, b]);
}
function stacked(a, b, attrs, batch) {
  const axes2 = axesOf(batch.length);
  const moved = (axis, { shape }) => [axis - shape.length + batch.length + 2];
  return [
    [a, b].map(({ dtype, shape }) => ({ dtype, shape: [...batch, ...shape.slice(-2)] })),
    {
      lhsBatch: axes2,
      rhsBatch: axes2,
      lhsContract: moved(attrs.lhsContract[0], a),
      rhsContract: moved(attrs.rhsContract[0], b)
    }
  ];
}
function dot(a, b) {
  const [x, y] = promoted("dot", a, b);
  const [p, q] = [avalOf(x), avalOf(y)];
  for (const { shape } of [p, q]) {
    if (shape.length !== 1 && shape.length !== 2)
      throw refusal("dot.C1", `needs rank 1 or 2, got ${formatShape(shape)}`, [p, q]);
  }
  const [k, l] = [p.shape[p.shape.length - 1], q.shape[0]];
  if (eqDim(k, l) === false)
    throw refusal("dot.C2", `inner sizes ${k} and ${l} differ: ${formatShape(p.shape)} x ${formatShape(q.shape)}`, [
      p,
      q
    ]);
  return typed(
    apply(dotGeneralOp, [x, y], { lhsBatch: [], rhsBatch: [], lhsContract: [p.shape.length - 1], rhsContract: [0] })
  );
}
function outerProduct(a, b) {
  const [x, y] = promoted("outerProduct", a, b);
  const [p, q] = [avalOf(x), avalOf(y)];
  if (p.shape.length !== 1 || q.shape.length !== 1) {
    throw refusal("outerProduct.C1", `needs two vectors, got ${formatShape(p.shape)} and ${formatShape(q.shape)}`, [
      p,
      q
    ]);
  }
  return typed(apply(dotGeneralOp, [x, y], { lhsBatch: [], rhsBatch: [], lhsContract: [], rhsContract: [] }));
}

// packages/core/src/ops/nn/recurrent.ts
function recurrentAvals({ dtype, shape }, kernel, gates) {
  const units = kernel.shape[kernel.shape.length - 2];
  const columns = mulDim(gates, units);
  const lead = shape.slice(0, -1);
  return {
    units,
    kernel: { dtype, shape: [...kernel.shape.slice(0, -1), columns] },
    gates: { dtype, shape: [...lead, columns] },
    sequence: { dtype, shape: [...lead, units] },
    state: { dtype, shape: [...lead.slice(0, -1), units] }
  };
}
function inferRecurrent(name, x, kernel, gates) {
  const { dtype, shape } = x;
  checkDType(`${name}.C1`, floats.has(dtype), () => `needs ${floats.words}, got ${dtype}`);
  const rank = shape.length;
  const both2 = () => `${formatAval(x)} and ${formatAval(kernel)}`;
  check(
    `${name}.C2`,
    rank >= 3 && kernel.shape.length === rank - 1,
    () => `needs [batch, time, size] and [units, ${gates} \xB7 units], got ${both2()}`
  );
  const avals = recurrentAvals(x, kernel, gates);
  checkAvals(`${name}.C3`, [kernel], [avals.kernel]);
  const lead = sameShape(kernel.shape.slice(0, -2), shape.slice(0, -3));
  check(`${name}.C3`, lead, () => `the axes before the batch and those of the kernel differ: ${both2()}`);
  return avals;
}
function checkAvals(label, got, wants) {
  got.forEach((aval, i) => {
    const want = wants[i];
    const differ = () => `needs ${formatAval(want)}, got ${formatAval(aval)}`;
    checkDType(label, aval.dtype === want.dtype, differ);
    check(label, sameShape(aval.shape, want.shape), differ);
  });
}
function written(b, x, { shape }) {
  return formatShape(x.aval.shape) === formatShape(shape) ? x : b.reshape([x], { shape });
}
function partsOf(b, x, size, count2) {
  const lead = x.aval.shape.slice(0, -1);
  const zero = lead.map(() => 0);
  const strides = x.aval.shape.map(() => 1);
  return axesOf(count2).map(
    (k) => b.slice([x], { start: [...zero, mulDim(k, size)], limit: [...lead, mulDim(k + 1, size)], strides })
  );
}
function joined(b, parts2) {
  return b.concat(parts2, { axis: parts2[0].aval.shape.length - 1 });
}
function product4(b, state, kernel, transposed2 = false) {
  const last = state.aval.shape.length - 1;
  const lead = axesOf(last - 1);
  const rhsContract = [transposed2 ? last : last - 1];
  return b.dotGeneral([state, kernel], { lhsBatch: lead, rhsBatch: lead, lhsContract: [last], rhsContract });
}
function steps(b, x, first2, limit2) {
  const { shape } = x.aval;
  const axis = shape.length - 2;
  const at = (lead2, step2, last) => [...lead2, step2, last];
  const lead = shape.slice(0, axis);
  const start2 = at(
    lead.map(() => 0),
    first2,
    0
  );
  return b.slice([x], { start: start2, limit: at(lead, limit2, shape[axis + 1]), strides: shape.map(() => 1) });
}
function before(b, sequence, initial, reverse2) {
  const { dtype, shape } = sequence.aval;
  const axis = shape.length - 2;
  const row = { dtype, shape: [...shape.slice(0, axis), 1, shape[axis + 1]] };
  const first2 = initial ? b.reshape([initial], { shape: row.shape }) : zerosOf(b, row);
  const time = shape[axis];
  return reverse2 ? steps(b, b.concat([sequence, first2], { axis }), 1, addDim(time, 1)) : steps(b, b.concat([first2, sequence], { axis }), 0, time);
}
function kernelCotangent(b, states, sums, initial, reverse2) {
  let [found, g] = [states, sums];
  const rank = states.aval.shape.length;
  const time = states.aval.shape[rank - 2];
  if (initial) found = before(b, states, initial, reverse2);
  else {
    const one = minDim(time, 1);
    const [early, late] = [(x) => steps(b, x, 0, subDim(time, one)), (x) => steps(b, x, one, time)];
    [found, g] = reverse2 ? [late(states), early(sums)] : [early(states), late(sums)];
  }
  const [lead, contract2] = [axesOf(rank - 3), [rank - 3, rank - 2]];
  return b.dotGeneral([found, g], { lhsBatch: lead, rhsBatch: lead, lhsContract: contract2, rhsContract: contract2 });
}
var logisticSlope = (b, y) => b.mul([y, b.sub([fillLike(b, y, 1), y])]);
var tanhSlope = (b, y) => b.sub([fillLike(b, y, 1), b.mul([y, y])]);
function sumOf(b, first2, ...rest) {
  return rest.reduce((sum3, x) => x ? b.add([sum3, x]) : sum3, first2);
}

// packages/core/src/ops/nn/lstm.ts
var outsOf = ({ sequence, state, gates }) => [
  sequence,
  state,
  state,
  sequence,
  gates
];
var lstmOp = defineComposite({
  name: "lstm",
  version: 1,
  arity: [2, 4],
  many: true,
  infer([x, kernel, ...initial]) {
    const avals = inferRecurrent("lstm", x, kernel, 4);
    checkAvals("lstm.C4", [x], [avals.gates]);
    checkAttr("lstm.C5", initial.length !== 1, () => "needs both states to start from, or none");
    checkAvals("lstm.C5", initial, [avals.state, avals.state]);
    return outsOf(avals);
  },
  lower(b, [x, kernel, ...initial], { reverse: reverse2 }) {
    const avals = recurrentAvals(x.aval, kernel.aval, 4);
    const recurrence = {
      each: [written(b, x, avals.gates)],
      all: [written(b, kernel, avals.kernel)],
      axis: x.aval.shape.length - 2,
      reverse: reverse2,
      start: initial.length > 0 ? initial : void 0,
      states: [avals.state, avals.state],
      outs: [avals.sequence, avals.sequence, avals.gates]
    };
    const { state, outs } = recur(b, recurrence, (s, state2, [own], [u]) => {
      const [i, f, g, o] = partsOf(s, state2 ? s.add([own, product4(s, state2[0], u)]) : own, avals.units, 4);
      const gates = [s.logistic([i]), s.logistic([f]), s.tanh([g]), s.logistic([o])];
      const added = s.mul([gates[0], gates[2]]);
      const c = state2 ? s.add([s.mul([gates[1], state2[1]]), added]) : added;
      const h = s.mul([gates[3], s.tanh([c])]);
      return { state: [h, c], outs: [h, c, joined(s, gates)] };
    });
    return [outs[0], ...state, outs[1], outs[2]];
  },
  vjp(b, gs, [, kernel, ...initial], [h, , , c, gates], { reverse: reverse2 }) {
    const outputs = gs.flatMap((g, i) => g ? [i] : []);
    const given = gs.filter((g) => g !== null);
    return b.lstmGrad([kernel, h, c, gates, ...initial, ...given], { reverse: reverse2, outputs });
  },
  batch: "elementwise"
});
var lstmGradOp = defineComposite({
  name: "lstmGrad",
  version: 1,
  arity: [4, 11],
  many: true,
  infer([kernel, h, c, gates, ...rest], { outputs }) {
    const avals = inferRecurrent("lstmGrad", h, kernel, 4);
    const outs = outsOf(avals);
    checkAvals("lstmGrad.C4", [h, c, gates], [avals.sequence, avals.sequence, avals.gates]);
    const ascending = outputs.every((k, n) => Number.isInteger(k) && k > (outputs[n - 1] ?? -1) && k < outs.length);
    checkAttr("lstmGrad.C5", ascending, () => `outputs [${outputs}] must be numbers of results of lstm, ascending`);
    const initial = rest.length - outputs.length;
    checkAttr("lstmGrad.C6", initial === 0 || initial === 2, () => `needs 0 or 2 states to start from, got ${initial}`);
    const states = [avals.state, avals.state].slice(0, initial);
    checkAvals("lstmGrad.C7", rest, [...states, ...outputs.map((k) => outs[k])]);
    return [avals.gates, avals.kernel, ...states];
  },
  lower(b, [kernel, h, c, gates, ...rest], { reverse: reverse2, outputs }) {
    const avals = recurrentAvals(h.aval, kernel.aval, 4);
    const initial = rest.slice(0, rest.length - outputs.length);
    const cotangents = rest.slice(initial.length);
    const [gLastH, gLastC] = [1, 2].map((k) => cotangents[outputs.indexOf(k)] ?? zerosOf(b, avals.state));
    const along3 = outputs.filter((k) => k !== 1 && k !== 2);
    const given = along3.map((k) => cotangents[outputs.indexOf(k)]);
    const recurrence = {
      each: [
        written(b, gates, avals.gates),
        c,
        before(b, c, initial[1], reverse2),
        ...given.map((g, n) => along3[n] === 4 ? written(b, g, avals.gates) : g)
      ],
      all: [written(b, kernel, avals.kernel)],
      axis: h.aval.shape.length - 2,
      reverse: !reverse2,
      start: [gLastH, gLastC],
      states: [avals.state, avals.state],
      outs: [avals.gates]
    };
    const { state, outs } = recur(b, recurrence, (s, state2, [now2, cNow, cBefore, ...each], [u]) => {
      const [ofH, ofC, ofGates] = [0, 3, 4].map((k) => each[along3.indexOf(k)]);
      const [i, f, g, o] = partsOf(s, now2, avals.units, 4);
      const t = s.tanh([cNow]);
      const dh = sumOf(s, state2[0], ofH);
      const dc = sumOf(s, s.mul([s.mul([dh, o]), tanhSlope(s, t)]), state2[1], ofC);
      const added = ofGates ? partsOf(s, ofGates, avals.units, 4) : [];
      const ofGate = [s.mul([dc, g]), s.mul([dc, cBefore]), s.mul([dc, i]), s.mul([dh, t])];
      const slopes = [logisticSlope(s, i), logisticSlope(s, f), tanhSlope(s, g), logisticSlope(s, o)];
      const sums = joined(
        s,
        ofGate.map((d, k) => s.mul([sumOf(s, d, added[k]), slopes[k]]))
      );
      return { state: [product4(s, sums, u, true), s.mul([dc, f])], outs: [sums] };
    });
    const gKernel = kernelCotangent(b, h, outs[0], initial[0], reverse2);
    return [outs[0], gKernel, ...initial.length > 0 ? state : []];
  },
  vjp: "lower",
  batch: "elementwise"
});
var forwards = { reverse: false };
var shapesOf2 = (lead, batch, time, units) => [
  [...lead, batch, time, 4 * units],
  [...lead, units, 4 * units],
  [...lead, batch, units],
  [...lead, batch, units]
];
var kinds2 = [
  { dims: shapesOf2([], 1, 2, 1), reverse: false },
  { dims: shapesOf2([], 2, 3, 2), reverse: false },
  { dims: shapesOf2([], 2, 3, 2), reverse: true },
  { dims: shapesOf2([2], 1, 2, 1), reverse: true },
  { dims: shapesOf2([], 15, 1, 3), reverse: false },
  { dims: shapesOf2([], 17, 2, 17), reverse: true },
  { dims: shapesOf2([], 0, 2, 1), reverse: false },
  { dims: shapesOf2([], 2, 0, 1), reverse: true },
  { dims: shapesOf2([1, 2], 1, 2, 1), reverse: false }
];
var oneStep = (h, c, gates) => [
  [[[h]]],
  [[h]],
  [[c]],
  [[[c]]],
  [[gates]]
];
var lstmCases = cases(lstmOp, () => ({
  samples: kinds2.flatMap(({ dims, reverse: reverse2 }) => [
    { ins: dims, attrs: { reverse: reverse2 } },
    { ins: dims.slice(0, 2), attrs: { reverse: reverse2 } }
  ]),
  edges: [
    {
      ins: [[[[0, 0, 0, 0]]], [[1, 1, 1, 1]], [[0]], [[4]]],
      attrs: forwards,
      want: oneStep(0.4820138, 2, [0.5, 0.5, 0, 0.5])
    },
    // Gates that are shut and open; what the state is multiplied by reaches it through the forget gate alone.
    {
      ins: [[[[Infinity, -Infinity, Infinity, Infinity]]], [[0, 0, 0, 0]], [[7]], [[1e30]]],
      attrs: forwards,
      want: oneStep(0.7615942, 1, [1, 0, 1, 1])
    },
    { ins: [[[[0, 0, NaN, 0]]], [[0, 0, 0, 0]]], attrs: forwards, want: oneStep(NaN, NaN, [0.5, 0.5, NaN, 0.5]) },
    // Without a state to start from its kernel is not read: infinity times nothing would be NaN.
    {
      ins: [[[[0, 0, Infinity, 0]]], [[Infinity, Infinity, Infinity, Infinity]]],
      attrs: forwards,
      want: oneStep(0.23105858, 0.5, [0.5, 0.5, 1, 0.5])
    }
  ],
  reject: [
    { ins: shapesOf2([], 1, 1, 1), dtypes: ["int32", "int32", "int32", "int32"], attrs: forwards, code: "lstm.C1" },
    {
      ins: [
        [2, 4],
        [1, 4]
      ],
      attrs: forwards,
      code: "lstm.C2"
    },
    {
      ins: [
        [1, 2, 4],
        [2, 4]
      ],
      attrs: forwards,
      code: "lstm.C3"
    },
    {
      ins: [
        [2, 1, 2, 4],
        [1, 1, 4]
      ],
      attrs: forwards,
      code: "lstm.C3"
    },
    {
      ins: [
        [1, 2, 4],
        [1, 4]
      ],
      dtypes: ["float32", "float64"],
      attrs: forwards,
      code: "lstm.C3"
    },
    {
      ins: [
        [1, 2, 5],
        [1, 4]
      ],
      attrs: forwards,
      code: "lstm.C4"
    },
    {
      ins: [
        [1, 2, 4],
        [1, 4],
        [1, 1]
      ],
      attrs: forwards,
      code: "lstm.C5"
    },
    {
      ins: [
        [1, 2, 4],
        [1, 4],
        [1, 1],
        [2, 1]
      ],
      attrs: forwards,
      code: "lstm.C5"
    }
  ]
}));
var lstmGradCases = cases(lstmGradOp, () => ({
  samples: kinds2.flatMap(({ dims: [x, kernel, state], reverse: reverse2 }, n) => {
    const sequence = [...x.slice(0, -1), state.at(-1)];
    const outs = [sequence, state, state, sequence, x];
    const of = (outputs, initial) => ({
      ins: [kernel, sequence, sequence, x, ...[state, state].slice(0, initial), ...outputs.map((k) => outs[k])],
      attrs: { reverse: reverse2, outputs }
    });
    return [of([0, 1, 2, 3, 4], 2), of(n % 2 === 0 ? [0] : [1], 0), of([2, 3], n % 2 === 0 ? 2 : 0)];
  }),
  edges: [
    // One step from h = 3 and c = 4 with all gates ½ and c = 0: of h = ½ tanh c it is ½ to c, so i gets ½·½·¼, f ½·4·¼, g ½·½·¾.
    {
      ins: [[[2, 0, 0, 0]], [[[0]]], [[[0]]], [[[0.5, 0.5, 0.5, 0.5]]], [[3]], [[4]], [[1]]],
      attrs: { reverse: false, outputs: [1] },
      want: [[[[0.0625, 0.5, 0.1875, 0]]], [[0.1875, 1.5, 0.5625, 0]], [[0.125]], [[0.25]]]
    }
  ],
  reject: [
    {
      ins: [
        [1, 4],
        [1, 2, 1],
        [1, 2, 1],
        [1, 2, 3]
      ],
      attrs: { reverse: false, outputs: [] },
      code: "lstmGrad.C4"
    },
    {
      ins: [
        [1, 4],
        [1, 2, 1],
        [1, 2, 1],
        [1, 2, 4],
        [1, 1]
      ],
      attrs: { reverse: false, outputs: [5] },
      code: "lstmGrad.C5"
    },
    {
      ins: [
        [1, 4],
        [1, 2, 1],
        [1, 2, 1],
        [1, 2, 4],
        [1, 1]
      ],
      attrs: { reverse: false, outputs: [] },
      code: "lstmGrad.C6"
    },
    {
      ins: [
        [1, 4],
        [1, 2, 1],
        [1, 2, 1],
        [1, 2, 4],
        [1, 1]
      ],
      attrs: { reverse: false, outputs: [0] },
      code: "lstmGrad.C7"
    }
  ]
}));

// packages/core/src/ops/nn/softmax.ts
function inferOnAxis(name) {
  return (ins, { axis }) => {
    const { dtype, shape } = ins[0];
    checkDType(`${name}.C1`, floats.has(dtype), () => `needs ${floats.words}, got ${dtype}`);
    const inRange = Number.isInteger(axis) && axis >= 0 && axis < shape.length;
    checkAttr(`${name}.C2`, inRange, () => `axis ${axis} is out of range for ${formatShape(shape)}`);
    for (const other of ins.slice(1)) {
      checkDType(`${name}.C3`, other.dtype === dtype, () => `needs one dtype, got ${dtype} and ${other.dtype}`);
      const differ = () => `needs equal shapes, got ${formatShape(shape)} and ${formatShape(other.shape)}`;
      check(`${name}.C4`, sameShape(shape, other.shape), differ);
    }
    return [ins[0]];
  };
}
function along(b, op, x, axis) {
  return unreduce(b, b[op]([x], { axes: [axis] }), [axis], x.aval.shape);
}
var softmaxOp = defineComposite({
  name: "softmax",
  version: 1,
  arity: 1,
  infer: inferOnAxis("softmax"),
  // The greatest element becomes 0, so that nothing overflows; a row of −∞ alone has none, and is NaN, as in TensorFlow.
  lower(b, [x], { axis }) {
    const e = b.exp([b.sub([x, along(b, "reduceMax", x, axis)])]);
    return [b.div([e, along(b, "reduceSum", e, axis)])];
  },
  vjp: (b, [g], _ins, [y], attrs) => [b.softmaxGrad([g, y], attrs)],
  batch: (b, [x], _batched, { axis }) => [b.softmax([x], { axis: axis + 1 })]
});
function softmax(x, axis) {
  const t = toFloat(x);
  const at = axisOf("softmax", axis ?? -1, avalOf(t).shape.length);
  return typed(apply1(softmaxOp, t, { axis: at }));
}
var softmaxCases = cases(softmaxOp, () => ({
  samples: samples2(1),
  edges: [
    {
      ins: [
        [
          [-Infinity, 0],
          [-Infinity, -Infinity],
          [1e30, -1e30],
          [Infinity, 0],
          [NaN, 0],
          [-1e30, -1e30]
        ]
      ],
      attrs: { axis: 1 },
      want: [
        [0, 1],
        [NaN, NaN],
        [1, 0],
        [NaN, NaN],
        [NaN, NaN],
        [0.5, 0.5]
      ]
    }
  ],
  reject: rejects("softmax", 1)
}));
var softmaxGradOp = defineComposite({
  name: "softmaxGrad",
  version: 1,
  arity: 2,
  infer: inferOnAxis("softmaxGrad"),
  /** y · (g − Σ g · y) */
  lower: (b, [g, y], { axis }) => [b.mul([y, b.sub([g, along(b, "reduceSum", b.mul([g, y]), axis)])])],
  vjp: "lower",
  batch: "lower"
});
var softmaxGradCases = cases(softmaxGradOp, () => ({
  samples: samples2(2),
  edges: [
    {
      ins: [
        [1, 3],
        [0.25, 0.75]
      ],
      attrs: { axis: 0 },
      want: [-0.375, 0.375]
    }
  ],
  reject: rejects("softmaxGrad", 2)
}));
var logSoftmaxOp = defineComposite({
  name: "logSoftmax",
  version: 1,
  arity: 1,
  infer: inferOnAxis("logSoftmax"),
  lower(b, [x], { axis }) {
    const shifted = b.sub([x, along(b, "reduceMax", x, axis)]);
    const sum3 = b.reduceSum([b.exp([shifted])], { axes: [axis] });
    return [b.sub([shifted, unreduce(b, b.log([sum3]), [axis], x.aval.shape)])];
  },
  vjp: (b, [g], _ins, [y], attrs) => [b.logSoftmaxGrad([g, y], attrs)],
  batch: (b, [x], _batched, { axis }) => [b.logSoftmax([x], { axis: axis + 1 })]
});
function logSoftmax(x, axis) {
  const t = toFloat(x);
  const at = axisOf("logSoftmax", axis ?? -1, avalOf(t).shape.length);
  return typed(apply1(logSoftmaxOp, t, { axis: at }));
}
var logSoftmaxCases = cases(logSoftmaxOp, () => ({
  samples: samples2(1),
  edges: [
    {
      ins: [
        [
          [-Infinity, 0],
          [-Infinity, -Infinity],
          [1e3, -1e3],
          [Infinity, 0],
          [NaN, 0]
        ]
      ],
      attrs: { axis: 1 },
      want: [
        [-Infinity, 0],
        [NaN, NaN],
        [0, -2e3],
        [NaN, NaN],
        [NaN, NaN]
      ]
    }
  ],
  reject: rejects("logSoftmax", 1)
}));
var logSoftmaxGradOp = defineComposite({
  name: "logSoftmaxGrad",
  version: 1,
  arity: 2,
  infer: inferOnAxis("logSoftmaxGrad"),
  /** g − e^y · Σ g */
  lower: (b, [g, y], { axis }) => [b.sub([g, b.mul([b.exp([y]), along(b, "reduceSum", g, axis)])])],
  vjp: "lower",
  batch: "lower"
});
var logSoftmaxGradCases = cases(logSoftmaxGradOp, () => ({
  samples: samples2(2),
  edges: [
    {
      ins: [
        [1, 3],
        [-Infinity, 0]
      ],
      attrs: { axis: 0 },
      want: [1, -1]
    }
  ],
  reject: rejects("logSoftmaxGrad", 2)
}));
function samples2(arity) {
  const sample2 = (shape, axis) => ({
    ins: new Array(arity).fill(shape),
    attrs: { axis }
  });
  return [
    sample2([5], 0),
    sample2([1], 0),
    sample2([0], 0),
    sample2([3, 17], 1),
    sample2([4, 3], 0),
    sample2([2, 3, 4], 1),
    sample2([2, 0, 3], 1),
    sample2([0, 3], 1),
    sample2([1025], 0),
    sample2([1, 2, 1, 3, 1, 2], 3)
  ];
}
function rejects(name, arity) {
  const all2 = (value) => new Array(arity).fill(value);
  const first2 = [
    { ins: all2([2]), dtypes: all2("int32"), attrs: { axis: 0 }, code: `${name}.C1` },
    { ins: all2([2]), attrs: { axis: 1 }, code: `${name}.C2` },
    { ins: all2([]), attrs: { axis: 0 }, code: `${name}.C2` }
  ];
  if (arity === 1) return first2;
  return [
    ...first2,
    { ins: [[2], [2]], dtypes: ["float32", "float64"], attrs: { axis: 0 }, code: `${name}.C3` },
    { ins: [[2], [3]], attrs: { axis: 0 }, code: `${name}.C4` }
  ];
}

// packages/core/src/ops/random/rng.ts
var oneStream = noRule(
  "each element of a batch would need a state of its own: draw the numbers outside of vectorizedMap"
);
function checkState(name, state) {
  checkDType(`${name}.C1`, state.dtype === "int32", () => `needs an int32 state, got ${state.dtype}`);
  check(
    `${name}.C2`,
    state.shape.length === 1 && eqDim(state.shape[0], 4),
    () => `needs a state of shape [4], got ${formatAval(state)}`
  );
}
var rngBitsOp = defineOp({
  name: "rngBits",
  version: 1,
  kind: "random",
  arity: 1,
  sizeAttrs: ["shape"],
  infer([state], { shape }) {
    checkState("rngBits", state);
    return [{ dtype: "int32", shape }];
  },
  reference([state], _attrs, [out]) {
    const [key0, key1, low, high] = Array.from(state.data, Number);
    const count2 = out.data.length;
    for (let block = 0; block * 4 < count2; block++) {
      const sum3 = (low >>> 0) + block;
      const words = philox([sum3 | 0, high + Math.floor(sum3 / 2 ** 32) | 0, 0, 0], [key0, key1]);
      for (let i = 0; i < 4 && block * 4 + i < count2; i++) out.data[block * 4 + i] = words[i];
    }
  },
  vjp: () => [null],
  batch: oneStream
});
var rngBitsCases = cases(rngBitsOp, () => ({
  samples: [[], [0], [1], [4], [17], [3, 5], [1025], [1, 2, 1, 2, 1, 3]].map((shape) => drawn({ shape })),
  edges: [
    // Random123's known answers for a key and a counter of zeros.
    {
      ins: [[0, 0, 0, 0]],
      dtypes: ["int32"],
      attrs: { shape: [4] },
      want: [1713891541, 3781805453, 3159862348, 2600524760].map((word) => word | 0)
    }
  ],
  reject: [
    { ins: [[4]], attrs: { shape: [2] }, code: "rngBits.C1" },
    { ins: [[3]], dtypes: ["int32"], attrs: { shape: [2] }, code: "rngBits.C2" }
  ]
}));
function defineDraw(name, lower2) {
  return defineComposite({
    name,
    version: 1,
    arity: 1,
    sizeAttrs: ["shape"],
    infer([state], { shape, dtype }) {
      checkState(name, state);
      checkDType(`${name}.C3`, floats.has(dtype), () => `needs ${floats.words}, got ${dtype}`);
      return [{ dtype, shape }];
    },
    lower: (b, [state], attrs) => [lower2(b, state, attrs)],
    vjp: () => [null],
    batch: oneStream
  });
}
function unitNumbers(b, state, { shape, dtype }, count2) {
  const words = dtype === "float64" ? 2 : 1;
  const bits2 = b.rngBits([state], { shape: [count2 * words, ...shape] });
  const low = (word, width2) => {
    const start2 = [word, ...shape.map(() => 0)];
    const row = b.slice([bits2], { start: start2, limit: [word + 1, ...shape], strides: start2.map(() => 1) });
    const flat = b.reshape([row], { shape });
    const mask = stretch(b, scalarOf(b, "int32", 2 ** width2 - 1), shape, []);
    return b.cast([b.and([flat, mask])], { dtype });
  };
  return Array.from({ length: count2 }, (_, i) => {
    if (words === 1) return scale(b, low(i, 24), 2 ** -24);
    return scale(b, b.add([scale(b, low(2 * i, 26), 2 ** 27), low(2 * i + 1, 27)]), 2 ** -53);
  });
}
var unitUniformOp = defineDraw(
  "unitUniform",
  (b, state, attrs) => unitNumbers(b, state, attrs, 1)[0]
);
var unitNormalOp = defineDraw("unitNormal", (b, state, attrs) => {
  const [u, v] = unitNumbers(b, state, attrs, 2);
  const radius = b.sqrt([scale(b, b.log([shift(b, b.neg([u]), 1)]), -2)]);
  return b.mul([radius, b.cos([scale(b, v, 2 * Math.PI)])]);
});
var withinTwo = 0.9544997361036416;
var inverseErf = [
  281022636e-16,
  343273939e-15,
  -35233877e-13,
  -439150654e-14,
  21858087e-11,
  -0.00125372503,
  -0.00417768164,
  0.246640727,
  1.50140941
];
var unitTruncatedNormalOp = defineDraw(
  "unitTruncatedNormal",
  (b, state, attrs) => {
    const [u] = unitNumbers(b, state, attrs, 1);
    const x = shift(b, scale(b, u, 2 * withinTwo), -withinTwo);
    const w = shift(b, b.neg([b.log1p([b.neg([b.mul([x, x])])])]), -2.5);
    const p = inverseErf.slice(1).reduce((sum3, c) => shift(b, b.mul([sum3, w]), c), fillLike(b, w, inverseErf[0]));
    const z = scale(b, b.mul([p, x]), Math.SQRT2);
    return b.max([b.min([z, fillLike(b, z, 2)]), fillLike(b, z, -2)]);
  }
);
function drawn(attrs) {
  return { ins: [[4]], dtypes: ["int32"], domain: [-(2 ** 31), 2 ** 31 - 1], attrs };
}
var [first, second, third, fourth] = [2615509 / 2 ** 24, 6931853 / 2 ** 24, 5745740 / 2 ** 24, 56280 / 2 ** 24];
var wide = (high, low) => (high * 2 ** 27 + low) / 2 ** 53;
var boxMuller = (u, v) => Math.sqrt(-2 * Math.log(1 - u)) * Math.cos(2 * Math.PI * v);
var zeroState = { ins: [[0, 0, 0, 0]], dtypes: ["int32"] };
// @__NO_SIDE_EFFECTS__
function drawCases(op, edges) {
  const shapes2 = [[], [0], [1], [17], [3, 5], [1, 2, 1, 2, 1, 3]];
  const types = ["float32", "float64"];
  return cases(op, () => ({
    samples: shapes2.flatMap((shape) => types.map((dtype) => drawn({ shape, dtype }))),
    edges: edges(),
    reject: [
      { ins: [[4]], attrs: { shape: [2], dtype: "float32" }, code: `${op.name}.C1` },
      { ins: [[3]], dtypes: ["int32"], attrs: { shape: [2], dtype: "float32" }, code: `${op.name}.C2` },
      { ins: [[4]], dtypes: ["int32"], attrs: { shape: [2], dtype: "int32" }, code: `${op.name}.C3` }
    ]
  }));
}
var unitUniformCases = /* @__PURE__ */ drawCases(unitUniformOp, () => [
  { ...zeroState, attrs: { shape: [2], dtype: "float32" }, want: [first, second] },
  { ...zeroState, attrs: { shape: [1], dtype: "float64" }, want: [wide(36169941, 23709069)] }
]);
var unitNormalCases = /* @__PURE__ */ drawCases(unitNormalOp, () => [
  {
    ...zeroState,
    attrs: { shape: [2], dtype: "float32" },
    want: [boxMuller(first, third), boxMuller(second, fourth)]
  },
  {
    ...zeroState,
    attrs: { shape: [], dtype: "float64" },
    want: boxMuller(wide(36169941, 23709069), wide(5745740, 50387928))
  }
]);
var unitTruncatedNormalCases = /* @__PURE__ */ drawCases(unitTruncatedNormalOp, () => [
  { ...zeroState, attrs: { shape: [2], dtype: "float32" }, want: [-0.9480449503734475, -0.2092631853004891] }
]);

// packages/core/src/ops/reduce/line.ts
function forEachLine(shape, axis, visit) {
  const count2 = shape[axis];
  const step2 = shape.slice(axis + 1).reduce((n, d) => n * d, 1);
  const outer = shape.slice(0, axis).reduce((n, d) => n * d, 1);
  for (let block = 0; block < outer; block++) {
    for (let within = 0; within < step2; within++) visit(block * count2 * step2 + within, step2, count2);
  }
}

// packages/core/src/ops/reduce/argument.ts
function defineArgument(name, worst, wins) {
  return defineOp({
    name,
    version: 1,
    kind: "reduce",
    arity: 1,
    infer([x], { axis }) {
      const { dtype, shape } = x;
      checkDType(`${name}.C1`, numeric.has(dtype), () => `needs a number, got ${dtype}`);
      const inRange = Number.isInteger(axis) && axis >= 0 && axis < shape.length;
      checkAttr(`${name}.C2`, inRange, () => `axis ${axis} is out of range for rank ${shape.length}`);
      check(`${name}.C3`, leDim(1, shape[axis]), () => `axis ${axis} is empty, so it has no extremum`);
      return [{ dtype: "int32", shape: shape.filter((_, i) => i !== axis) }];
    },
    reference([x], { axis }, [out]) {
      let line = 0;
      forEachLine(x.shape, axis, (start2, step2, count2) => {
        const at = (i) => x.data[start2 + i * step2];
        let [place2, best] = [0, Number.isNaN(at(0)) ? worst : at(0)];
        for (let i = 1; i < count2; i++) if (wins(at(i), best)) [place2, best] = [i, at(i)];
        out.data[line++] = place2;
      });
    },
    vjp: () => [null],
    batch: (b, [x], _batched, { axis }) => [b[name]([x], { axis: axis + 1 })]
  });
}
var samples3 = [
  { ins: [[5]], attrs: { axis: 0 } },
  { ins: [[2, 3, 4]], attrs: { axis: 0 } },
  { ins: [[2, 3, 4]], attrs: { axis: 1 } },
  { ins: [[2, 3, 4]], attrs: { axis: 2 } },
  { ins: [[1025]], attrs: { axis: 0 } },
  { ins: [[0, 3]], attrs: { axis: 1 } },
  { ins: [[1, 2, 1, 17, 1, 2]], attrs: { axis: 3 } }
];
var ties = [
  [1, 3, 3, 1],
  [NaN, 1, 2, 3],
  [2, NaN, 3, 1],
  [NaN, NaN, NaN, NaN],
  [-0, 0, -0, 0],
  [-Infinity, -Infinity, Infinity, Infinity],
  [NaN, -Infinity, NaN, Infinity]
];
var edge2 = (want) => ({ ins: [ties], attrs: { axis: 1 }, want });
function argument(name, op, x, axis) {
  const t = toTensor(x);
  const from2 = axisOf(name, axis, avalOf(t).shape.length);
  return apply1(op, t.dtype === "bool" ? castTo(t, "int32") : t, { axis: from2 });
}
var argMaxOp = defineArgument("argMax", -Infinity, (x, best) => x > best);
function argMax(x, axis) {
  return typed(argument("argMax", argMaxOp, x, axis ?? 0));
}
var argMaxCases = cases(argMaxOp, () => ({
  samples: samples3,
  edges: [
    edge2([1, 3, 2, 0, 0, 2, 3]),
    { ins: [[2n ** 62n, 2n ** 62n + 1n]], dtypes: ["int64"], attrs: { axis: 0 }, want: 1 }
  ],
  reject: [
    { ins: [[2]], dtypes: ["bool"], attrs: { axis: 0 }, code: "argMax.C1" },
    { ins: [[2]], attrs: { axis: 1 }, code: "argMax.C2" },
    { ins: [[2, 0]], attrs: { axis: 1 }, code: "argMax.C3" }
  ]
}));
var argMinOp = defineArgument("argMin", Infinity, (x, best) => x < best);
function argMin(x, axis) {
  return typed(argument("argMin", argMinOp, x, axis ?? 0));
}
var argMinCases = cases(argMinOp, () => ({
  samples: samples3,
  edges: [edge2([0, 1, 3, 0, 0, 0, 1])],
  reject: [{ ins: [[0]], attrs: { axis: 0 }, code: "argMin.C3" }]
}));

// packages/core/src/ops/reduce/cumulative.ts
function defineScan(spec) {
  const { name, identity, vjp } = spec;
  return defineOp({
    name,
    version: 1,
    kind: "scan",
    arity: 1,
    infer([x], { axis }) {
      checkDType(`${name}.C1`, numeric.has(x.dtype), () => `needs a number, got ${x.dtype}`);
      const inRange = Number.isInteger(axis) && axis >= 0 && axis < x.shape.length;
      checkAttr(`${name}.C2`, inRange, () => `axis ${axis} is out of range for rank ${x.shape.length}`);
      return [x];
    },
    reference([x], { axis, reverse: reverse2, exclusive }, [out]) {
      const wide2 = x.dtype === "int64";
      const fold4 = wide2 ? spec.int64 : dtypes[x.dtype].isFloat ? spec.float : spec.small;
      const first2 = wide2 ? BigInt(identity) : identity;
      forEachLine(x.shape, axis, (start2, step2, count2) => {
        let accumulated = first2;
        for (let k = 0; k < count2; k++) {
          const at = start2 + (reverse2 ? count2 - 1 - k : k) * step2;
          const next = fold4(accumulated, x.data[at]);
          out.data[at] = exclusive ? accumulated : next;
          accumulated = next;
        }
      });
    },
    vjp,
    batch: (b, [x], _batched, attrs) => [b[name]([x], { ...attrs, axis: attrs.axis + 1 })]
  });
}
var flags = (axis) => both((reverse2) => both((exclusive) => ({ axis, reverse: reverse2, exclusive }))).flat();
var samples4 = [
  ...axes(3).flatMap((axis) => flags(axis).map((attrs) => ({ ins: [[2, 3, 4]], attrs }))),
  ...[[0], [1], [17], [1, 2, 1, 3, 1, 2]].map((shape) => ({ ins: [shape], attrs: flags(0)[0] })),
  { ins: [[3, 0]], attrs: flags(0)[3] }
];
var longSample = { ins: [[1025]], attrs: flags(0)[0] };
var forward2 = { axis: 0, reverse: false, exclusive: false };
function scan(name, op, x, attrs) {
  const t = toTensor(x);
  const axis = axisOf(name, attrs.axis, avalOf(t).shape.length);
  return apply1(op, t.dtype === "bool" ? castTo(t, "int32") : t, { ...attrs, axis });
}
var cumsumOp = defineScan({
  name: "cumsum",
  identity: 0,
  float: (sum3, x) => sum3 + x,
  small: (sum3, x) => sum3 + x | 0,
  int64: (sum3, x) => BigInt.asIntN(64, sum3 + x),
  vjp: (b, [g], _ins, _outs, attrs) => [b.cumsum([g], { ...attrs, reverse: !attrs.reverse })]
});
function cumsum(x, axis, exclusive = false, reverse2 = false) {
  return typed(scan("cumsum", cumsumOp, x, { axis: axis ?? 0, exclusive, reverse: reverse2 }));
}
var cumsumCases = cases(cumsumOp, () => ({
  samples: [...samples4, longSample],
  edges: [
    { ins: [[1, 2, Infinity]], attrs: forward2, want: [1, 3, Infinity] },
    { ins: [[1, NaN, 2, -Infinity]], attrs: { ...forward2, exclusive: true }, want: [0, 1, NaN, NaN] },
    { ins: [[1, 2, 3]], attrs: { ...forward2, exclusive: true, reverse: true }, want: [5, 3, 0] },
    { ins: [[2147483647, 1, 1]], dtypes: ["int32"], attrs: forward2, want: [2147483647, -2147483648, -2147483647] },
    { ins: [[250, 10]], dtypes: ["uint8"], attrs: forward2, want: [250, 4] },
    { ins: [[2n ** 63n - 1n, 1]], dtypes: ["int64"], attrs: forward2, want: [2n ** 63n - 1n, -(2n ** 63n)] }
  ],
  gradients: [
    {
      ins: [
        [
          [1, 2],
          [3, 4]
        ]
      ],
      attrs: forward2,
      want: [
        [
          [2, 2],
          [1, 1]
        ]
      ]
    }
  ],
  reject: [
    { ins: [[2]], attrs: { ...forward2, axis: 1 }, code: "cumsum.C2" },
    { ins: [[2]], dtypes: ["bool"], attrs: forward2, code: "cumsum.C1" }
  ]
}));
function cumprodCotangent(b, g, x, { axis, reverse: reverse2, exclusive }) {
  const { shape } = x.aval;
  const size = shape[axis];
  const square2 = [...shape.slice(0, axis), size, size, ...shape.slice(axis + 1)];
  const alongI = shape.map((_, d) => d < axis ? d : d + 1);
  const spread = (v) => stretch(b, v, square2, alongI);
  const place2 = (at) => b.iota([], { shape: square2, axis: at, dtype: "int32" });
  const [k, i] = [place2(axis), place2(axis + 1)];
  const after = reverse2 ? b.lt([i, k]) : b.gt([i, k]);
  const factors = spread(x);
  const others = b.select([after, factors, fillLike(b, factors, 1)]);
  const products = b.cumprod([others], { axis: axis + 1, reverse: reverse2, exclusive });
  const reached = exclusive ? after : b.not([reverse2 ? b.gt([i, k]) : b.lt([i, k])]);
  const terms = b.mul([spread(g), products]);
  const sums = b.reduceSum([b.select([reached, terms, zeroLike(b, terms)])], { axes: [axis + 1] });
  return b.mul([sums, b.cumprod([x], { axis, reverse: reverse2, exclusive: true })]);
}
var cumprodOp = defineScan({
  name: "cumprod",
  identity: 1,
  float: (product5, x) => product5 * x,
  small: Math.imul,
  int64: (product5, x) => BigInt.asIntN(64, product5 * x),
  vjp: (b, [g], [x], _outs, attrs) => [cumprodCotangent(b, g, x, attrs)]
});
function cumprod(x, axis, exclusive = false, reverse2 = false) {
  return typed(scan("cumprod", cumprodOp, x, { axis: axis ?? 0, exclusive, reverse: reverse2 }));
}
var cumprodCases = cases(cumprodOp, () => ({
  samples: samples4,
  edges: [
    { ins: [[2, 3, Infinity, 0]], attrs: forward2, want: [2, 6, Infinity, NaN] },
    { ins: [[2, 3, 4]], attrs: { ...forward2, exclusive: true }, want: [1, 2, 6] },
    { ins: [[2, 3, 4]], attrs: { ...forward2, reverse: true }, want: [24, 12, 4] },
    { ins: [[65537, 65537]], dtypes: ["int32"], attrs: forward2, want: [65537, 131073] },
    { ins: [[2n ** 62n, 3]], dtypes: ["int64"], attrs: forward2, want: [2n ** 62n, BigInt.asIntN(64, 3n * 2n ** 62n)] }
  ],
  gradients: [
    { ins: [[2, 0, 3, 4]], attrs: forward2, want: [[1, 32, 0, 0]] },
    { ins: [[2, 0, 0, 4]], attrs: forward2, want: [[1, 2, 0, 0]] },
    { ins: [[2, 0, 3]], attrs: { ...forward2, exclusive: true, reverse: true }, want: [[0, 3, 1]] }
  ],
  reject: [{ ins: [[2]], attrs: { ...forward2, axis: -1 }, code: "cumprod.C2" }]
}));

// packages/core/src/ops/reduce/extrema.ts
var toExtrema = (b, [g], [x], [y], { axes: axes2 }) => {
  const { dtype, shape } = x.aval;
  const chosen = b.cast([b.eq([x, unreduce(b, y, axes2, shape)])], { dtype });
  const share = b.div([g, b.reduceSum([chosen], { axes: axes2 })]);
  return [b.mul([chosen, unreduce(b, share, axes2, shape)])];
};
function limit(dtype, end) {
  if (dtypes[dtype].isFloat) return { float: end === 0 ? -Infinity : Infinity, int64: 0n };
  const bound2 = integerRange(dtype)[end];
  return { float: Number(bound2), int64: bound2 };
}
var reduceMaxOp = defineReduction({
  name: "reduceMax",
  accepts: numeric,
  initial: (dtype) => limit(dtype, 0),
  float: (most, x) => Math.max(most, x),
  int64: greaterOf,
  vjp: toExtrema
});
function max(x, axis, keepDims) {
  return typed(reduce("max", reduceMaxOp, toTensor(x), axis, keepDims));
}
var reduceMaxCases = cases(reduceMaxOp, () => ({
  samples: reduceSamples,
  edges: [
    {
      ins: [
        [
          [1, -Infinity],
          [NaN, 2],
          [2, NaN],
          [-0, 0]
        ]
      ],
      attrs: { axes: [1] },
      want: [1, NaN, NaN, 0]
    },
    { ins: [[[], []]], attrs: { axes: [1] }, want: [-Infinity, -Infinity] },
    { ins: [[[], []]], dtypes: ["int32"], attrs: { axes: [1] }, want: [-2147483648, -2147483648] },
    { ins: [[]], dtypes: ["int64"], attrs: { axes: [0] }, want: -(2n ** 63n) },
    { ins: [[]], dtypes: ["uint8"], attrs: { axes: [0] }, want: 0 },
    { ins: [[2n ** 62n, 2n ** 62n + 1n]], dtypes: ["int64"], attrs: { axes: [0] }, want: 2n ** 62n + 1n }
  ],
  gradients: [
    {
      ins: [
        [
          [1, 3, 3, 2],
          [5, 4, 4, 4]
        ]
      ],
      attrs: { axes: [1] },
      want: [
        [
          [0, 0.5, 0.5, 0],
          [1, 0, 0, 0]
        ]
      ]
    }
  ],
  reject: [
    { ins: [[2, 3]], attrs: { axes: [2] }, code: "reduceMax.C2" },
    { ins: [[2]], dtypes: ["bool"], attrs: { axes: [0] }, code: "reduceMax.C1" }
  ]
}));
var reduceMinOp = defineReduction({
  name: "reduceMin",
  accepts: numeric,
  initial: (dtype) => limit(dtype, 1),
  float: (least, x) => Math.min(least, x),
  int64: lesserOf,
  vjp: toExtrema
});
function min(x, axis, keepDims) {
  return typed(reduce("min", reduceMinOp, toTensor(x), axis, keepDims));
}
var reduceMinCases = cases(reduceMinOp, () => ({
  samples: reduceSamples,
  edges: [
    {
      ins: [
        [
          [1, Infinity],
          [NaN, 2],
          [2, NaN],
          [-0, 0]
        ]
      ],
      attrs: { axes: [1] },
      want: [1, NaN, NaN, -0]
    },
    { ins: [[[], []]], attrs: { axes: [1] }, want: [Infinity, Infinity] },
    { ins: [[[], []]], dtypes: ["int32"], attrs: { axes: [1] }, want: [2147483647, 2147483647] },
    { ins: [[]], dtypes: ["uint8"], attrs: { axes: [0] }, want: 255 }
  ],
  gradients: [{ ins: [[[1, 3, 1, 2]]], attrs: { axes: [1] }, want: [[[0.5, 0, 0.5, 0]]] }],
  reject: [{ ins: [[2, 3]], attrs: { axes: [1, 0] }, code: "reduceMin.C2" }]
}));

// packages/core/src/ops/reduce/log-sum-exp.ts
function finiteOr0(b, x) {
  return b.select([b.isFinite([x]), x, zeroLike(b, x)]);
}
var logSumExpOp = defineReductionComposite({
  name: "logSumExp",
  accepts: floats,
  lower(b, [x], { axes: axes2 }) {
    const top = finiteOr0(b, b.reduceMax([x], { axes: axes2 }));
    const sum3 = b.reduceSum([b.exp([b.sub([x, unreduce(b, top, axes2, x.aval.shape)])])], { axes: axes2 });
    return [b.add([b.log([sum3]), top])];
  },
  vjp(b, [g], [x], [y], { axes: axes2 }) {
    const { shape } = x.aval;
    const weights2 = b.exp([b.sub([x, unreduce(b, finiteOr0(b, y), axes2, shape)])]);
    return [b.mul([unreduce(b, g, axes2, shape), weights2])];
  }
});
function logSumExp(x, axis, keepDims) {
  return typed(reduce("logSumExp", logSumExpOp, toFloat(x), axis, keepDims));
}
var logSumExpCases = cases(logSumExpOp, () => ({
  samples: reduceSamples,
  edges: [
    {
      ins: [
        [
          [-Infinity, -Infinity],
          [-Infinity, 3],
          [Infinity, 1],
          [NaN, 1],
          [-1e3, -1e3],
          [1e3, 1e3]
        ]
      ],
      attrs: { axes: [1] },
      want: [-Infinity, 3, Infinity, NaN, Math.LN2 - 1e3, Math.LN2 + 1e3]
    },
    { ins: [[[], []]], attrs: { axes: [1] }, want: [-Infinity, -Infinity] },
    { ins: [5], attrs: { axes: [] }, want: 5 }
  ],
  gradients: [
    {
      ins: [
        [
          [-Infinity, -Infinity],
          [-Infinity, 3],
          [1e3, 1e3]
        ]
      ],
      attrs: { axes: [1] },
      want: [
        [
          [0, 0],
          [0, 1],
          [0.5, 0.5]
        ]
      ]
    }
  ],
  reject: [{ ins: [[2]], dtypes: ["int32"], attrs: { axes: [0] }, code: "logSumExp.C1" }]
}));

// packages/core/src/ops/reduce/logical.ts
var truths = { words: "bool", has: (dtype) => dtype === "bool" };
var reduceAndOp = defineReduction({
  name: "reduceAnd",
  accepts: truths,
  initial: () => ({ float: 1, int64: 1n }),
  float: (all2, x) => all2 & x,
  vjp: () => [null]
});
function all(x, axis, keepDims) {
  return typed(reduce("all", reduceAndOp, requireBool("all", toTensor(x)), axis, keepDims));
}
var reduceAndCases = cases(reduceAndOp, () => ({
  samples: reduceSamples,
  edges: [
    {
      ins: [
        [
          [1, 0],
          [1, 1]
        ]
      ],
      dtypes: ["bool"],
      attrs: { axes: [1] },
      want: [0, 1]
    },
    { ins: [[[], []]], dtypes: ["bool"], attrs: { axes: [1] }, want: [1, 1] }
  ],
  reject: [
    { ins: [[2]], attrs: { axes: [0] }, code: "reduceAnd.C1" },
    { ins: [[2]], dtypes: ["bool"], attrs: { axes: [1] }, code: "reduceAnd.C2" }
  ]
}));
var reduceOrOp = defineReduction({
  name: "reduceOr",
  accepts: truths,
  initial: () => ({ float: 0, int64: 0n }),
  float: (any2, x) => any2 | x,
  vjp: () => [null]
});
function any(x, axis, keepDims) {
  return typed(reduce("any", reduceOrOp, requireBool("any", toTensor(x)), axis, keepDims));
}
var reduceOrCases = cases(reduceOrOp, () => ({
  samples: reduceSamples,
  edges: [
    {
      ins: [
        [
          [1, 0],
          [0, 0]
        ]
      ],
      dtypes: ["bool"],
      attrs: { axes: [1] },
      want: [1, 0]
    },
    { ins: [[[], []]], dtypes: ["bool"], attrs: { axes: [1] }, want: [0, 0] }
  ],
  reject: [{ ins: [[2]], attrs: { axes: [0] }, code: "reduceOr.C1" }]
}));

// packages/core/src/ops/reduce/mean.ts
var meanOp = defineReductionComposite({
  name: "mean",
  accepts: floats,
  lower(b, [x], { axes: axes2 }) {
    const sum3 = b.reduceSum([x], { axes: axes2 });
    return [b.div([sum3, stretch(b, countAlong(b, x, axes2), sum3.aval.shape, [])])];
  },
  vjp(b, [g], [x], _outs, { axes: axes2 }) {
    const share = b.div([g, stretch(b, countAlong(b, x, axes2), g.aval.shape, [])]);
    return [unreduce(b, share, axes2, x.aval.shape)];
  }
});
function mean(x, axis, keepDims) {
  return typed(reduce("mean", meanOp, toFloat(x), axis, keepDims));
}
var meanCases = cases(meanOp, () => ({
  samples: reduceSamples,
  edges: [
    {
      ins: [
        [
          [1, Infinity],
          [NaN, 2],
          [1, 2]
        ]
      ],
      attrs: { axes: [1] },
      want: [Infinity, NaN, 1.5]
    },
    { ins: [[[], []]], attrs: { axes: [1] }, want: [NaN, NaN] },
    { ins: [5], attrs: { axes: [] }, want: 5 }
  ],
  reject: [
    { ins: [[2]], dtypes: ["int32"], attrs: { axes: [0] }, code: "mean.C1" },
    { ins: [[2]], attrs: { axes: [1] }, code: "mean.C2" }
  ]
}));

// packages/core/src/ops/unary/sign.ts
var negOp = defineUnary({
  name: "neg",
  accepts: numeric,
  scalar: { float: (x) => -x, int64: (x) => -x },
  vjp: (b, [g]) => [b.neg([g])]
});
function neg(x) {
  return typed(apply1(negOp, toTensor(x)));
}
var negCases = cases(negOp, () => ({
  samples: elementwiseSamples(1, noAttrs),
  edges: [
    { ins: [[0, -0, Infinity, NaN]], attrs: noAttrs, want: [-0, 0, -Infinity, NaN] },
    { ins: [[-2147483648]], dtypes: ["int32"], attrs: noAttrs, want: [-2147483648] }
  ]
}));
var absOp = defineUnary({
  name: "abs",
  accepts: numeric,
  scalar: { float: Math.abs, int64: (x) => x < 0n ? -x : x },
  vjp: (b, [g], [x]) => [b.mul([g, b.sign([x])])]
});
function abs(x) {
  return typed(apply1(absOp, toTensor(x)));
}
var absCases = cases(absOp, () => ({
  samples: elementwiseSamples(1, noAttrs),
  edges: [
    { ins: [[-0, -Infinity, NaN, -1.5]], attrs: noAttrs, want: [0, Infinity, NaN, 1.5] },
    { ins: [[-2147483648, -7]], dtypes: ["int32"], attrs: noAttrs, want: [-2147483648, 7] },
    { ins: [[-(2n ** 63n), -7]], dtypes: ["int64"], attrs: noAttrs, want: [-(2n ** 63n), 7] }
  ]
}));
var signOp = defineUnary({
  name: "sign",
  accepts: numeric,
  scalar: { float: Math.sign, int64: (x) => x > 0n ? 1n : x < 0n ? -1n : 0n },
  vjp: (b, [g]) => [zeroLike(b, g)]
});
function sign(x) {
  return typed(apply1(signOp, toTensor(x)));
}
var signCases = cases(signOp, () => ({
  samples: elementwiseSamples(1, noAttrs),
  edges: [
    { ins: [[-0, 0, -Infinity, NaN, 1e-30]], attrs: noAttrs, want: [-0, 0, -1, NaN, 1] },
    { ins: [[0, 255]], dtypes: ["uint8"], attrs: noAttrs, want: [0, 1] },
    { ins: [[-5, 0, 9]], dtypes: ["int64"], attrs: noAttrs, want: [-1, 0, 1] }
  ]
}));

// packages/core/src/ops/reduce/sum.ts
var reduceSumOp = defineReduction({
  name: "reduceSum",
  accepts: numeric,
  initial: () => ({ float: 0, int64: 0n }),
  float: (sum3, x) => sum3 + x,
  int64: (sum3, x) => sum3 + x,
  vjp: (b, [g], [x], _outs, { axes: axes2 }) => [unreduce(b, g, axes2, x.aval.shape)]
});
function sum2(x, axis, keepDims) {
  const t = toTensor(x);
  return typed(reduce("sum", reduceSumOp, t.dtype === "bool" ? castTo(t, "int32") : t, axis, keepDims));
}
var reduceSumCases = cases(reduceSumOp, () => ({
  samples: reduceSamples,
  edges: [
    {
      ins: [
        [
          [1, Infinity],
          [NaN, 2]
        ]
      ],
      attrs: { axes: [1] },
      want: [Infinity, NaN]
    },
    { ins: [[[], []]], attrs: { axes: [1] }, want: [0, 0] },
    { ins: [[-0]], attrs: { axes: [0] }, want: 0 }
  ],
  reject: [
    { ins: [[2, 3]], attrs: { axes: [2] }, code: "reduceSum.C2" },
    { ins: [[2, 3]], attrs: { axes: [1, 0] }, code: "reduceSum.C2" },
    { ins: [[2]], dtypes: ["bool"], attrs: { axes: [0] }, code: "reduceSum.C1" }
  ]
}));

// packages/core/src/ops/reduce/norm.ts
var euclideanNormOp = defineReductionComposite({
  name: "euclideanNorm",
  accepts: floats,
  lower: (b, [x], { axes: axes2 }) => [b.sqrt([b.reduceSum([b.mul([x, x])], { axes: axes2 })])],
  vjp(b, [g], [x], [y], { axes: axes2 }) {
    const length = b.select([b.eq([y, zeroLike(b, y)]), fillLike(b, y, 1), y]);
    return [b.mul([x, unreduce(b, b.div([g, length]), axes2, x.aval.shape)])];
  }
});
var euclideanNormCases = cases(euclideanNormOp, () => ({
  samples: reduceSamples,
  edges: [
    {
      ins: [
        [
          [3, -4],
          [0, -0],
          [NaN, 1],
          [-Infinity, 1]
        ]
      ],
      attrs: { axes: [1] },
      want: [5, 0, NaN, Infinity]
    },
    { ins: [[[], []]], attrs: { axes: [1] }, want: [0, 0] }
  ],
  gradients: [
    {
      ins: [
        [
          [0, 0],
          [3, 4]
        ]
      ],
      attrs: { axes: [1] },
      want: [
        [
          [0, 0],
          [0.6, 0.8]
        ]
      ]
    }
  ],
  reject: [{ ins: [[2]], dtypes: ["int32"], attrs: { axes: [0] }, code: "euclideanNorm.C1" }]
}));
function norm(x, ord = "euclidean", axis, keepDims) {
  const t = toFloat(x);
  const matrix = Array.isArray(axis) && axis.length === 2;
  const y = matrix && (ord === 1 || ord === Infinity || ord === -Infinity) ? matrixNorm(t, ord, axis) : vectorNorm(t, ord, axis);
  return typed(keepDims ? y : withoutAxes(y, axis));
}
var unknownOrder = (ord) => new MillraceError("E_ARGUMENT", `norm: ord must be "euclidean", "fro", 1, 2, Infinity or -Infinity, got ${ord}`, {
  op: "norm"
});
function vectorNorm(x, ord, axis) {
  if (ord === "euclidean" || ord === "fro" || ord === 2) return reduce("norm", euclideanNormOp, x, axis, true);
  const sizes = apply1(absOp, x);
  if (ord === 1) return reduce("norm", reduceSumOp, sizes, axis, true);
  if (ord === Infinity) return reduce("norm", reduceMaxOp, sizes, axis, true);
  if (ord === -Infinity) return reduce("norm", reduceMinOp, sizes, axis, true);
  throw unknownOrder(ord);
}
function matrixNorm(x, ord, [row, column]) {
  const [summed, compared] = ord === 1 ? [row, column] : [column, row];
  const sums = reduce("norm", reduceSumOp, apply1(absOp, x), summed, true);
  return reduce("norm", ord === -Infinity ? reduceMinOp : reduceMaxOp, sums, compared, true);
}
function withoutAxes(x, axis) {
  const { shape } = avalOf(x);
  const axes2 = axesFrom("norm", axis, shape.length);
  return axes2.length === 0 ? x : apply1(reshapeOp, x, { shape: shape.filter((_, i) => !axes2.includes(i)) });
}

// packages/core/src/ops/reduce/product.ts
function productOfOthers(b, x, axis) {
  const before3 = b.cumprod([x], { axis, exclusive: true, reverse: false });
  const after = b.cumprod([x], { axis, exclusive: true, reverse: true });
  return b.mul([before3, after]);
}
function cotangent(b, g, x, axes2) {
  if (axes2.length === 0) return g;
  const [last, rest] = [axes2.at(-1), axes2.slice(0, -1)];
  const folded = cotangent(b, g, b.reduceProd([x], { axes: [last] }), rest);
  return b.mul([unreduce(b, folded, [last], x.aval.shape), productOfOthers(b, x, last)]);
}
var reduceProdOp = defineReduction({
  name: "reduceProd",
  accepts: numeric,
  initial: () => ({ float: 1, int64: 1n }),
  float: (product5, x) => product5 * x,
  small: Math.imul,
  int64: (product5, x) => BigInt.asIntN(64, product5 * x),
  vjp: (b, [g], [x], _outs, { axes: axes2 }) => [cotangent(b, g, x, axes2)]
});
function prod(x, axis, keepDims) {
  const t = toTensor(x);
  return typed(reduce("prod", reduceProdOp, t.dtype === "bool" ? castTo(t, "int32") : t, axis, keepDims));
}
var reduceProdCases = cases(reduceProdOp, () => ({
  samples: reduceSamples.map((sample2) => ({ ...sample2, domain: [0.9, 1.1] })),
  edges: [
    {
      ins: [
        [
          [1, Infinity],
          [NaN, 2],
          [0, Infinity]
        ]
      ],
      attrs: { axes: [1] },
      want: [Infinity, NaN, NaN]
    },
    { ins: [[[], []]], attrs: { axes: [1] }, want: [1, 1] },
    { ins: [[65537, 65537]], dtypes: ["int32"], attrs: { axes: [0] }, want: 131073 },
    { ins: [[2n ** 62n, 3]], dtypes: ["int64"], attrs: { axes: [0] }, want: BigInt.asIntN(64, 3n * 2n ** 62n) }
  ],
  gradients: [
    {
      ins: [
        [
          [0, 2, 3],
          [0, 0, 3],
          [1, 2, 3]
        ]
      ],
      attrs: { axes: [1] },
      want: [
        [
          [6, 0, 0],
          [0, 0, 0],
          [6, 3, 2]
        ]
      ]
    },
    {
      ins: [
        [
          [0, 2],
          [3, 4]
        ]
      ],
      attrs: { axes: [0, 1] },
      want: [
        [
          [24, 0],
          [0, 0]
        ]
      ]
    }
  ],
  reject: [
    { ins: [[2, 3]], attrs: { axes: [2] }, code: "reduceProd.C2" },
    { ins: [[2]], dtypes: ["bool"], attrs: { axes: [0] }, code: "reduceProd.C1" }
  ]
}));

// packages/core/src/ops/shape/broadcast.ts
function repeats(from2, to2) {
  return from2 === 1 && to2 !== 1;
}
var broadcastInDimOp = defineOp({
  name: "broadcastInDim",
  version: 1,
  kind: "shape",
  arity: 1,
  sizeAttrs: ["shape"],
  infer([x], { shape, dims }) {
    const rank = x.shape.length;
    checkAttr(
      "broadcastInDim.C1",
      dims.length === rank,
      () => `needs one entry of dims an axis, got ${dims.length} for rank ${rank}`
    );
    const rising = dims.every(
      (d, i) => Number.isInteger(d) && d >= 0 && d < shape.length && (i === 0 || d > dims[i - 1])
    );
    checkAttr("broadcastInDim.C2", rising, () => `dims [${dims}] must rise within rank ${shape.length}`);
    dims.forEach((d, j) => {
      const from2 = x.shape[j];
      check(
        "broadcastInDim.C3",
        from2 === 1 || eqDim(from2, shape[d]),
        () => `${formatShape(x.shape)} does not stretch to ${formatShape(shape)}`
      );
    });
    return [{ dtype: x.dtype, shape }];
  },
  reference([x], { dims }, [out]) {
    const from2 = stridesOf(x.shape);
    const steps2 = new Array(out.shape.length).fill(0);
    dims.forEach((d, j) => {
      steps2[d] = x.shape[j] === 1 ? 0 : from2[j];
    });
    forEachIndex(out.shape, (index, flat) => {
      out.data[flat] = x.data[index.reduce((at, i, axis) => at + i * steps2[axis], 0)];
    });
  },
  vjp(b, [g], [x], _outs, { shape, dims }) {
    const from2 = x.aval.shape;
    const summed = shape.map((_, d) => d).filter((d) => {
      const j = dims.indexOf(d);
      return j < 0 || repeats(from2[j], shape[d]);
    });
    const sum3 = summed.length === 0 ? g : b.reduceSum([g], { axes: summed });
    return [sum3.aval.shape.length === from2.length ? sum3 : b.reshape([sum3], { shape: from2 })];
  },
  batch: (b, [x], _batched, { dims }, [out]) => [
    b.broadcastInDim([x], { shape: out.shape, dims: [0, ...dims.map((d) => d + 1)] })
  ]
});
provideConversions({ broadcastInDim: broadcastInDimOp });
var broadcastInDimCases = cases(broadcastInDimOp, () => ({
  samples: [
    { ins: [[]], attrs: { shape: [3, 2], dims: [] } },
    { ins: [[3]], attrs: { shape: [2, 3], dims: [1] } },
    { ins: [[3]], attrs: { shape: [3, 2], dims: [0] } },
    { ins: [[2, 1]], attrs: { shape: [2, 17, 3], dims: [0, 2] } },
    { ins: [[1, 3]], attrs: { shape: [4, 3], dims: [0, 1] } },
    { ins: [[0]], attrs: { shape: [2, 0], dims: [1] } },
    { ins: [[1]], attrs: { shape: [0], dims: [0] } }
  ],
  edges: [
    {
      ins: [[1, 2]],
      attrs: { shape: [2, 2], dims: [0] },
      want: [
        [1, 1],
        [2, 2]
      ]
    }
  ],
  reject: [
    { ins: [[3]], attrs: { shape: [2, 3], dims: [0] }, code: "broadcastInDim.C3" },
    { ins: [[3]], attrs: { shape: [3], dims: [1] }, code: "broadcastInDim.C2" },
    { ins: [[3]], attrs: { shape: [3], dims: [] }, code: "broadcastInDim.C1" }
  ]
}));
function broadcastTo(x, shape) {
  const t = toTensor(x);
  const to2 = shape;
  const from2 = avalOf(t);
  if (broadcastShapes(from2.shape, to2)?.length !== to2.length)
    throw noBroadcast("broadcastTo", from2, { dtype: from2.dtype, shape: to2 });
  return typed(stretchTo(t, to2));
}

// packages/core/src/ops/shape/concat.ts
var concatOp = defineOp({
  name: "concat",
  version: 1,
  kind: "shape",
  arity: [1, Number.POSITIVE_INFINITY],
  infer(ins, { axis }) {
    const { dtype, shape } = ins[0];
    checkAttr(
      "concat.C1",
      Number.isInteger(axis) && axis >= 0 && axis < shape.length,
      () => `axis ${axis} is out of range for rank ${shape.length}`
    );
    const joined2 = [...shape];
    for (const other of ins.slice(1)) {
      checkDType("concat.C2", other.dtype === dtype, () => `needs one dtype, got ${dtype} and ${other.dtype}`);
      const differ = () => `${formatShape(shape)} and ${formatShape(other.shape)} differ outside axis ${axis}`;
      check("concat.C3", other.shape.length === shape.length, differ);
      other.shape.forEach((size, i) => {
        if (i === axis) joined2[i] = addDim(joined2[i], size);
        else {
          check("concat.C3", eqDim(joined2[i], size), differ);
          if (typeof size === "number") joined2[i] = size;
        }
      });
    }
    return [{ dtype, shape: joined2 }];
  },
  reference(ins, { axis }, [out]) {
    const rows = countOf(out.shape.slice(0, axis));
    let at = 0;
    for (let row = 0; row < rows; row++) {
      for (const { data } of ins) {
        const length = data.length / rows;
        for (let i = 0; i < length; i++) out.data[at++] = data[row * length + i];
      }
    }
  },
  vjp(b, [g], ins, _outs, { axis }) {
    let end = 0;
    return ins.map(({ aval: { shape } }) => {
      const begin = end;
      end = addDim(end, shape[axis]);
      const start2 = shape.map((_, i) => i === axis ? begin : 0);
      const limit2 = shape.map((size, i) => i === axis ? end : size);
      return b.slice([g], { start: start2, limit: limit2, strides: shape.map(() => 1) });
    });
  },
  batch(b, ins, batched, { axis }, [out]) {
    const all2 = ins.map((x, i) => {
      const { shape } = x.aval;
      return batched[i] ? x : stretch(
        b,
        x,
        [out.shape[0], ...shape],
        shape.map((_, d) => d + 1)
      );
    });
    return [b.concat(all2, { axis: axis + 1 })];
  }
});
var concatCases = cases(concatOp, () => ({
  samples: [
    { ins: [[3]], attrs: { axis: 0 } },
    { ins: [[3], [17]], attrs: { axis: 0 } },
    { ins: [[3], [0], [2]], attrs: { axis: 0 } },
    {
      ins: [
        [2, 3],
        [2, 1]
      ],
      attrs: { axis: 1 }
    },
    {
      ins: [
        [2, 3],
        [1, 3],
        [4, 3]
      ],
      attrs: { axis: 0 }
    },
    {
      ins: [
        [2, 0],
        [2, 0]
      ],
      attrs: { axis: 0 }
    },
    {
      ins: [
        [2, 2, 3],
        [2, 5, 3]
      ],
      attrs: { axis: 1 }
    },
    {
      ins: [
        [1, 2, 1, 2, 1, 2],
        [1, 2, 1, 2, 3, 2]
      ],
      attrs: { axis: 4 }
    }
  ],
  edges: [
    {
      ins: [
        [[1], [-0]],
        [
          [NaN, 4],
          [5, 6]
        ]
      ],
      attrs: { axis: 1 },
      want: [
        [1, NaN, 4],
        [-0, 5, 6]
      ]
    }
  ],
  reject: [
    { ins: [[2], [2]], attrs: { axis: 1 }, code: "concat.C1" },
    { ins: [[]], attrs: { axis: 0 }, code: "concat.C1" },
    { ins: [[2], [2]], dtypes: ["float32", "int32"], attrs: { axis: 0 }, code: "concat.C2" },
    {
      ins: [
        [2, 3],
        [2, 4]
      ],
      attrs: { axis: 0 },
      code: "concat.C3"
    },
    { ins: [[2, 3], [2]], attrs: { axis: 0 }, code: "concat.C3" }
  ]
}));

// packages/core/src/ops/shape/identity.ts
function copy(ins, outs) {
  ins.forEach(({ data }, i) => {
    for (let j = 0; j < data.length; j++) outs[i].data[j] = data[j];
  });
}
var identityOp = defineOp({
  name: "identity",
  version: 1,
  kind: "shape",
  arity: 1,
  infer: ([x]) => [x],
  reference: (ins, _attrs, outs) => copy(ins, outs),
  vjp: (_b, [g]) => [g],
  batch: "elementwise"
});
var identityCases = cases(identityOp, () => ({
  samples: [[], [0], [17], [2, 3], [1, 2, 1, 2, 1, 2]].map((shape) => ({ ins: [shape], attrs: noAttrs })),
  edges: [{ ins: [[1, NaN, -0, Infinity]], attrs: noAttrs, want: [1, NaN, -0, Infinity] }]
}));
var stopGradientOp = defineOp({
  name: "stopGradient",
  version: 1,
  kind: "shape",
  arity: 1,
  infer: ([x]) => [x],
  reference: (ins, _attrs, outs) => copy(ins, outs),
  vjp: () => [null],
  batch: "elementwise"
});
function stopGradient(x) {
  return typed(apply1(stopGradientOp, toTensor(x)));
}
var stopGradientCases = cases(stopGradientOp, () => ({
  samples: [[], [0], [17], [2, 3], [1, 2, 1, 2, 1, 2]].map((shape) => ({
    ins: [shape],
    attrs: noAttrs,
    smooth: false
  })),
  edges: [{ ins: [[1, NaN, -0, Infinity]], attrs: noAttrs, want: [1, NaN, -0, Infinity] }]
}));
var optimizationBarrierOp = defineOp({
  name: "optimizationBarrier",
  version: 1,
  kind: "control",
  arity: [1, Number.POSITIVE_INFINITY],
  many: true,
  infer: (ins) => ins,
  reference: (ins, _attrs, outs) => copy(ins, outs),
  vjp: (_b, gs) => gs,
  batch: (b, ins, batched, _attrs, outs) => b.optimizationBarrier(
    ins.map(
      (x, i) => batched[i] ? x : stretch(
        b,
        x,
        outs[i].shape,
        x.aval.shape.map((_, d) => d + 1)
      )
    )
  )
});
var optimizationBarrierCases = cases(optimizationBarrierOp, () => ({
  samples: [
    { ins: [[2, 3]], attrs: noAttrs },
    { ins: [[], [17], [0, 2]], attrs: noAttrs }
  ],
  edges: [{ ins: [[1, NaN], [-0]], attrs: noAttrs, want: [[1, NaN], [-0]] }]
}));

// packages/core/src/ops/shape/reverse.ts
var reverseOp = defineOp({
  name: "reverse",
  version: 1,
  kind: "shape",
  arity: 1,
  infer([x], { axes: axes2 }) {
    const rank = x.shape.length;
    const rising = axes2.every((a, i) => Number.isInteger(a) && a >= 0 && a < rank && (i === 0 || a > axes2[i - 1]));
    checkAttr("reverse.C1", rising, () => `axes [${axes2}] must rise within rank ${rank}`);
    return [x];
  },
  reference([x], { axes: axes2 }, [out]) {
    const steps2 = stridesOf(x.shape);
    forEachIndex(x.shape, (index, flat) => {
      const at = index.reduce(
        (sum3, i, axis) => sum3 + steps2[axis] * (axes2.includes(axis) ? x.shape[axis] - 1 - i : i),
        0
      );
      out.data[at] = x.data[flat];
    });
  },
  vjp: (b, [g], _ins, _outs, attrs) => [b.reverse([g], attrs)],
  batch: (b, [x], _batched, { axes: axes2 }) => [b.reverse([x], { axes: axes2.map((a) => a + 1) })]
});
function reverse(x, axis) {
  const t = toTensor(x);
  return typed(apply1(reverseOp, t, { axes: axesFrom("reverse", axis, avalOf(t).shape.length) }));
}
var reverseCases = cases(reverseOp, () => ({
  samples: [
    { ins: [[]], attrs: { axes: [] } },
    { ins: [[17]], attrs: { axes: [0] } },
    { ins: [[3, 4]], attrs: { axes: [0] } },
    { ins: [[3, 4]], attrs: { axes: [1] } },
    { ins: [[2, 3, 5]], attrs: { axes: [0, 2] } },
    { ins: [[0, 3]], attrs: { axes: [0, 1] } },
    { ins: [[1, 2, 1, 3, 2, 2]], attrs: { axes: [1, 3, 4] } }
  ],
  edges: [{ ins: [[1, -0, NaN]], attrs: { axes: [0] }, want: [NaN, -0, 1] }],
  reject: [
    { ins: [[2, 3]], attrs: { axes: [2] }, code: "reverse.C1" },
    { ins: [[2, 3]], attrs: { axes: [1, 0] }, code: "reverse.C1" }
  ]
}));

// packages/core/src/ops/shape/transpose.ts
var transposeOp = defineOp({
  name: "transpose",
  version: 1,
  kind: "shape",
  arity: 1,
  infer([x], { perm }) {
    const { dtype, shape } = x;
    const isPermutation = perm.length === shape.length && shape.every((_, axis) => perm.includes(axis));
    checkAttr("transpose.C1", isPermutation, () => `perm [${perm}] is not a permutation of ${shape.length} axes`);
    return [{ dtype, shape: perm.map((axis) => shape[axis]) }];
  },
  reference([x], { perm }, [out]) {
    const from2 = stridesOf(x.shape);
    const steps2 = perm.map((axis) => from2[axis]);
    forEachIndex(out.shape, (index, flat) => {
      out.data[flat] = x.data[index.reduce((at, i, axis) => at + i * steps2[axis], 0)];
    });
  },
  vjp: (b, [g], _ins, _outs, { perm }) => [b.transpose([g], { perm: inversePerm(perm) })],
  batch: (b, [x], _batched, { perm }) => [b.transpose([x], { perm: [0, ...perm.map((axis) => axis + 1)] })]
});
function transpose(x, perm) {
  const t = toTensor(x);
  const given = perm;
  return typed(apply1(transposeOp, t, { perm: given ?? axesOf(avalOf(t).shape.length).reverse() }));
}
var transposeCases = cases(transposeOp, () => ({
  samples: [
    { ins: [[]], attrs: { perm: [] } },
    { ins: [[5]], attrs: { perm: [0] } },
    { ins: [[2, 3]], attrs: { perm: [1, 0] } },
    { ins: [[17, 15]], attrs: { perm: [1, 0] } },
    { ins: [[2, 3, 4]], attrs: { perm: [2, 0, 1] } },
    { ins: [[2, 0, 4]], attrs: { perm: [1, 2, 0] } },
    { ins: [[2, 1, 3, 1, 2, 2]], attrs: { perm: [5, 2, 0, 4, 1, 3] } }
  ],
  edges: [
    {
      ins: [
        [
          [1, -0, NaN],
          [4, 5, Infinity]
        ]
      ],
      attrs: { perm: [1, 0] },
      want: [
        [1, 4],
        [-0, 5],
        [NaN, Infinity]
      ]
    }
  ],
  reject: [
    { ins: [[2, 3]], attrs: { perm: [0, 0] }, code: "transpose.C1" },
    { ins: [[2, 3]], attrs: { perm: [0] }, code: "transpose.C1" },
    { ins: [[2, 3]], attrs: { perm: [0, 2] }, code: "transpose.C1" }
  ]
}));

// packages/core/src/ops/unary/cast.ts
function checkKnown(label, dtype) {
  checkDType(label, isDType(dtype), () => `there is no dtype ${dtype}; there are ${Object.keys(dtypes).join(", ")}`);
}
var castOp2 = defineOp({
  name: "cast",
  version: 1,
  kind: "cast",
  arity: 1,
  infer([x], { dtype }) {
    checkKnown("cast.C1", dtype);
    return [{ dtype, shape: x.shape }];
  },
  reference([x], { dtype }, [out]) {
    const wraps = dtypes[x.dtype].isInteger;
    const from2 = x.data;
    for (let i = 0; i < from2.length; i++) out.data[i] = toElement(dtype, wraps ? BigInt(from2[i]) : from2[i]);
  },
  vjp(b, [g], [x]) {
    const { dtype } = x.aval;
    return [dtypes[dtype].isFloat && dtypes[g.aval.dtype].isFloat ? b.cast([g], { dtype }) : null];
  },
  batch: "elementwise"
});
provideConversions({ cast: castOp2 });
function cast(x, dtype) {
  return typed(castTo(toTensor(x), dtype));
}
var castCases = cases(castOp2, () => ({
  samples: ["bool", "uint8", "int32", "int64", "float32", "float64"].flatMap(
    (dtype) => [[], [0], [17], [2, 3]].map((shape) => ({ ins: [shape], attrs: { dtype } }))
  ),
  edges: [
    {
      ins: [[1.9, -1.9, NaN, Infinity, -Infinity, -0]],
      attrs: { dtype: "int32" },
      want: [1, -1, 0, 2147483647, -2147483648, 0]
    },
    { ins: [[3e9, -3e9]], attrs: { dtype: "int32" }, want: [2147483647, -2147483648] },
    { ins: [[-1, 300, 2.5, NaN]], attrs: { dtype: "uint8" }, want: [0, 255, 2, 0] },
    { ins: [[1e19, NaN, -7.9]], attrs: { dtype: "int64" }, want: [9223372036854775807n, 0, -7] },
    { ins: [[0, -0, NaN, 0.5, -Infinity]], attrs: { dtype: "bool" }, want: [0, 0, 1, 1, 1] },
    { ins: [[257, -1]], dtypes: ["int32"], attrs: { dtype: "uint8" }, want: [1, 255] },
    { ins: [[4294967296, -4294967297]], dtypes: ["int64"], attrs: { dtype: "int32" }, want: [0, -1] },
    { ins: [[16777217]], dtypes: ["int32"], attrs: { dtype: "float32" }, want: [16777216] },
    { ins: [[255]], dtypes: ["uint8"], attrs: { dtype: "int64" }, want: [255] },
    { ins: [[1, 0]], dtypes: ["bool"], attrs: { dtype: "float32" }, want: [1, 0] },
    { ins: [[1e39, -0, NaN]], dtypes: ["float64"], attrs: { dtype: "float32" }, want: [Infinity, -0, NaN] }
  ],
  // What a caller without types may pass.
  reject: [{ ins: [[2]], attrs: { dtype: "float12" }, code: "cast.C1" }]
}));
var bitcastOp = defineOp({
  name: "bitcast",
  version: 1,
  kind: "cast",
  arity: 1,
  infer([x], { dtype }) {
    checkKnown("bitcast.C1", dtype);
    const [from2, to2] = [dtypes[x.dtype].bytes, dtypes[dtype].bytes];
    checkAttr("bitcast.C2", from2 === to2, () => `needs one width, ${x.dtype} has ${from2} bytes and ${dtype} ${to2}`);
    checkAttr("bitcast.C3", dtype !== "bool" || x.dtype === "bool", () => "a byte other than 0 and 1 is no bool");
    return [{ dtype, shape: x.shape }];
  },
  reference([x], { dtype }, [out]) {
    const bits2 = viewAs(dtype, bytesOf(x.data));
    for (let i = 0; i < bits2.length; i++) out.data[i] = bits2[i];
  },
  vjp: noRule("bits have no derivative"),
  batch: "elementwise"
});
var bitcastCases = cases(bitcastOp, () => ({
  samples: [
    { ins: [[2, 3]], dtypes: ["float32"], attrs: { dtype: "int32" } },
    { ins: [[0]], dtypes: ["int64"], attrs: { dtype: "float64" } },
    { ins: [[17]], dtypes: ["bool"], attrs: { dtype: "uint8" } }
  ],
  edges: [
    { ins: [[1, -0, Infinity]], attrs: { dtype: "int32" }, want: [1065353216, -2147483648, 2139095040] },
    { ins: [[1073741824]], dtypes: ["int32"], attrs: { dtype: "float32" }, want: [2] }
  ],
  reject: [
    { ins: [[2]], attrs: { dtype: "int64" }, code: "bitcast.C2" },
    { ins: [[2]], attrs: { dtype: "float12" }, code: "bitcast.C1" },
    { ins: [[2]], dtypes: ["uint8"], attrs: { dtype: "bool" }, code: "bitcast.C3" }
  ]
}));

// packages/core/src/ops/unary/exponential.ts
var expOp = defineUnary({
  name: "exp",
  accepts: floats,
  scalar: { float: Math.exp },
  vjp: (b, [g], _ins, [y]) => [b.mul([g, y])]
});
function exp(x) {
  return typed(apply1(expOp, toFloat(x)));
}
var expCases = cases(expOp, () => ({
  samples: elementwiseSamples(1, noAttrs, [-3, 3]),
  edges: [{ ins: [[-Infinity, 0, -0, Infinity, NaN]], attrs: noAttrs, want: [0, 1, 1, Infinity, NaN] }],
  reject: [{ ins: [[2]], dtypes: ["int32"], attrs: noAttrs, code: "exp.C1" }]
}));
var expm1Op = defineUnary({
  name: "expm1",
  accepts: floats,
  scalar: { float: Math.expm1 },
  vjp: (b, [g], _ins, [y]) => [b.mul([g, b.add([y, fillLike(b, y, 1)])])]
});
function expm1(x) {
  return typed(apply1(expm1Op, toFloat(x)));
}
var expm1Cases = cases(expm1Op, () => ({
  samples: elementwiseSamples(1, noAttrs, [-3, 3]),
  edges: [{ ins: [[-Infinity, 0, -0, Infinity, NaN]], attrs: noAttrs, want: [-1, 0, -0, Infinity, NaN] }]
}));
var logOp = defineUnary({
  name: "log",
  accepts: floats,
  scalar: { float: Math.log },
  vjp: (b, [g], [x]) => [b.div([g, x])]
});
function log(x) {
  return typed(apply1(logOp, toFloat(x)));
}
var logCases = cases(logOp, () => ({
  samples: elementwiseSamples(1, noAttrs, [0.2, 5]),
  edges: [
    { ins: [[0, -0, 1, Infinity, -1, NaN]], attrs: noAttrs, want: [-Infinity, -Infinity, 0, Infinity, NaN, NaN] }
  ]
}));
var log1pOp = defineUnary({
  name: "log1p",
  accepts: floats,
  scalar: { float: Math.log1p },
  vjp: (b, [g], [x]) => [b.div([g, b.add([x, fillLike(b, x, 1)])])]
});
function log1p(x) {
  return typed(apply1(log1pOp, toFloat(x)));
}
var log1pCases = cases(log1pOp, () => ({
  samples: elementwiseSamples(1, noAttrs, [-0.6, 4]),
  edges: [{ ins: [[0, -0, -1, Infinity, -2, NaN]], attrs: noAttrs, want: [0, -0, -Infinity, Infinity, NaN, NaN] }]
}));
var sqrtOp = defineUnary({
  name: "sqrt",
  accepts: floats,
  scalar: { float: Math.sqrt },
  vjp: (b, [g], _ins, [y]) => [b.div([scale(b, g, 0.5), y])]
});
function sqrt(x) {
  return typed(apply1(sqrtOp, toFloat(x)));
}
var sqrtCases = cases(sqrtOp, () => ({
  samples: elementwiseSamples(1, noAttrs, [0.3, 5]),
  edges: [{ ins: [[0, -0, 1, Infinity, -1, NaN]], attrs: noAttrs, want: [0, -0, 1, Infinity, NaN, NaN] }]
}));
var rsqrtOp = defineUnary({
  name: "rsqrt",
  accepts: floats,
  scalar: { float: (x) => 1 / Math.sqrt(x) },
  vjp: (b, [g], [x], [y]) => [b.mul([scale(b, g, -0.5), b.div([y, x])])]
});
function rsqrt(x) {
  return typed(apply1(rsqrtOp, toFloat(x)));
}
var rsqrtCases = cases(rsqrtOp, () => ({
  samples: elementwiseSamples(1, noAttrs, [0.3, 5]),
  edges: [{ ins: [[0, -0, 1, Infinity, -1, NaN]], attrs: noAttrs, want: [Infinity, -Infinity, 1, 0, NaN, NaN] }]
}));

// packages/core/src/ops/unary/logical.ts
var notOp = defineUnary({
  name: "not",
  accepts: bits,
  scalar: { bool: (x) => x === 0, small: (x) => ~x, int64: (x) => ~x },
  vjp: () => [null]
});
function logicalNot(x) {
  return typed(apply1(notOp, requireBool("logicalNot", toTensor(x))));
}
var notCases = cases(notOp, () => ({
  samples: elementwiseSamples(1, noAttrs),
  edges: [
    { ins: [[1, 0]], dtypes: ["bool"], attrs: noAttrs, want: [0, 1] },
    { ins: [[5, 0]], dtypes: ["uint8"], attrs: noAttrs, want: [250, 255] },
    { ins: [[5, -1]], dtypes: ["int64"], attrs: noAttrs, want: [-6, 0] }
  ],
  reject: [{ ins: [[2]], attrs: noAttrs, code: "not.C1" }]
}));
var isFiniteOp = defineUnary({
  name: "isFinite",
  accepts: floats,
  result: "bool",
  scalar: { float: Number.isFinite },
  vjp: () => [null]
});
function isFinite(x) {
  return typed(apply1(isFiniteOp, toFloat(x)));
}
var isFiniteCases = cases(isFiniteOp, () => ({
  samples: elementwiseSamples(1, noAttrs),
  edges: [{ ins: [[-Infinity, 0, -0, 3e38, Infinity, NaN]], attrs: noAttrs, want: [0, 1, 1, 1, 0, 0] }],
  reject: [{ ins: [[2]], dtypes: ["int32"], attrs: noAttrs, code: "isFinite.C1" }]
}));
function isNaN(x) {
  const t = toFloat(x);
  return typed(binary(neOp, t, t));
}
function isInf(x) {
  return typed(binary(eqOp, apply1(absOp, toFloat(x)), Infinity));
}

// packages/core/src/ops/unary/rounding.ts
function rounded(op, x) {
  const t = toTensor(x);
  const dtype = t.dtype;
  return dtypes[dtype].isInteger ? t : apply1(op, t);
}
var floorOp = defineUnary({
  name: "floor",
  accepts: floats,
  scalar: { float: Math.floor },
  vjp: (b, [g]) => [zeroLike(b, g)]
});
function floor(x) {
  return typed(rounded(floorOp, x));
}
var floorCases = cases(floorOp, () => ({
  samples: elementwiseSamples(1, noAttrs),
  edges: [{ ins: [[-0, 0.5, -0.5, Infinity, NaN]], attrs: noAttrs, want: [-0, 0, -1, Infinity, NaN] }],
  reject: [{ ins: [[2]], dtypes: ["int32"], attrs: noAttrs, code: "floor.C1" }]
}));
var ceilOp = defineUnary({
  name: "ceil",
  accepts: floats,
  scalar: { float: Math.ceil },
  vjp: (b, [g]) => [zeroLike(b, g)]
});
function ceil(x) {
  return typed(rounded(ceilOp, x));
}
var ceilCases = cases(ceilOp, () => ({
  samples: elementwiseSamples(1, noAttrs),
  edges: [{ ins: [[-0, 0.5, -0.5, -Infinity, NaN]], attrs: noAttrs, want: [-0, 1, -0, -Infinity, NaN] }]
}));
function roundHalfEven(x) {
  const below = Math.floor(x);
  const above = x - below;
  if (above !== 0.5) return above > 0.5 ? Math.ceil(x) : below;
  return below % 2 === 0 ? below : Math.ceil(x);
}
var roundOp = defineUnary({
  name: "round",
  accepts: floats,
  scalar: { float: roundHalfEven },
  vjp: (b, [g]) => [zeroLike(b, g)]
});
function round(x) {
  return typed(rounded(roundOp, x));
}
var roundCases = cases(roundOp, () => ({
  samples: elementwiseSamples(1, noAttrs),
  edges: [
    { ins: [[0.5, 1.5, 2.5, -0.5, -1.5, -2.5]], attrs: noAttrs, want: [0, 2, 2, -0, -2, -2] },
    { ins: [[-0, -0.2, 8388609, Infinity, NaN]], attrs: noAttrs, want: [-0, -0, 8388609, Infinity, NaN] },
    { ins: [[0.49999999999999994]], dtypes: ["float64"], attrs: noAttrs, want: [0] }
  ]
}));

// packages/core/src/ops/error-function.ts
var nearP = [0.18577770618460315, 3.1611237438705655, 113.86415415105016, 377.485237685302, 3209.377589138469];
var nearQ = [1, 23.601290952344122, 244.02463793444417, 1282.6165260773723, 2844.236833439171];
var middleP = [
  21531153547440383e-24,
  0.5641884969886701,
  8.883149794388377,
  66.11919063714163,
  298.6351381974001,
  881.952221241769,
  1712.0476126340707,
  2051.0783778260716,
  1230.3393547979972
];
var middleQ = [
  1,
  15.744926110709835,
  117.6939508913125,
  537.1811018620099,
  1621.3895745666903,
  3290.7992357334597,
  4362.619090143247,
  3439.3676741437216,
  1230.3393548037495
];
var farP = [
  0.016315387137302097,
  0.30532663496123236,
  0.36034489994980445,
  0.12578172611122926,
  0.01608378514874228,
  6587491615298378e-19
];
var farQ = [1, 2.568520192289822, 1.8729528499234604, 0.5279051029514285, 0.06051834131244132, 0.0023352049762686918];
var horner = (coefficients, x) => coefficients.reduce((sum3, c) => sum3 * x + c, 0);
function complement(x) {
  if (x <= 4) return Math.exp(-x * x) * (horner(middleP, x) / horner(middleQ, x));
  const z = 1 / (x * x);
  return Math.exp(-x * x) / x * (1 / Math.sqrt(Math.PI) - z * horner(farP, z) / horner(farQ, z));
}
function errorFunction(x) {
  const size = Math.abs(x);
  if (size <= 0.46875) return x * (horner(nearP, x * x) / horner(nearQ, x * x));
  if (size > 6) return Math.sign(x);
  return Number.isNaN(x) ? NaN : Math.sign(x) * (1 - complement(size));
}

// packages/core/src/ops/unary/sigmoidal.ts
var tanhOp = defineUnary({
  name: "tanh",
  accepts: floats,
  scalar: { float: Math.tanh },
  vjp: (b, [g], _ins, [y]) => [b.mul([g, b.sub([fillLike(b, y, 1), b.mul([y, y])])])]
});
function tanh(x) {
  return typed(apply1(tanhOp, toFloat(x)));
}
var tanhCases = cases(tanhOp, () => ({
  samples: elementwiseSamples(1, noAttrs),
  edges: [{ ins: [[-Infinity, 0, -0, 50, Infinity, NaN]], attrs: noAttrs, want: [-1, 0, -0, 1, 1, NaN] }],
  reject: [{ ins: [[2]], dtypes: ["int32"], attrs: noAttrs, code: "tanh.C1" }]
}));
function logistic(x) {
  if (x >= 0) return 1 / (1 + Math.exp(-x));
  const e = Math.exp(x);
  return e / (1 + e);
}
var logisticOp = defineUnary({
  name: "logistic",
  accepts: floats,
  scalar: { float: logistic },
  vjp: (b, [g], _ins, [y]) => [b.mul([g, b.mul([y, b.sub([fillLike(b, y, 1), y])])])]
});
function sigmoid(x) {
  return typed(apply1(logisticOp, toFloat(x)));
}
var logisticCases = cases(logisticOp, () => ({
  samples: elementwiseSamples(1, noAttrs),
  edges: [
    { ins: [[-Infinity, 0, -0, 100, Infinity, NaN]], attrs: noAttrs, want: [0, 0.5, 0.5, 1, 1, NaN] },
    { ins: [[-100]], dtypes: ["float64"], attrs: noAttrs, want: [37200759760208356e-60] }
  ]
}));
var erfOp = defineUnary({
  name: "erf",
  accepts: floats,
  scalar: { float: errorFunction },
  vjp(b, [g], [x]) {
    const bell = b.exp([b.neg([b.mul([x, x])])]);
    return [b.mul([g, scale(b, bell, 2 / Math.sqrt(Math.PI))])];
  }
});
function erf(x) {
  return typed(apply1(erfOp, toFloat(x)));
}
var erfCases = cases(erfOp, () => ({
  samples: elementwiseSamples(1, noAttrs),
  edges: [
    {
      ins: [[-Infinity, 0, -0, 0.5, 6, Infinity, NaN]],
      attrs: noAttrs,
      want: [-1, 0, -0, 0.5204998778130465, 1, 1, NaN]
    }
  ]
}));

// packages/core/src/ops/unary/trigonometric.ts
var nowhereAtInfinity = { ins: [[Infinity, -Infinity, NaN]], attrs: noAttrs, want: [NaN, NaN, NaN] };
var sinOp = defineUnary({
  name: "sin",
  accepts: floats,
  scalar: { float: Math.sin },
  vjp: (b, [g], [x]) => [b.mul([g, b.cos([x])])]
});
function sin(x) {
  return typed(apply1(sinOp, toFloat(x)));
}
var sinCases = cases(sinOp, () => ({
  samples: elementwiseSamples(1, noAttrs),
  edges: [nowhereAtInfinity, { ins: [[0, -0]], attrs: noAttrs, want: [0, -0] }]
}));
var cosOp = defineUnary({
  name: "cos",
  accepts: floats,
  scalar: { float: Math.cos },
  vjp: (b, [g], [x]) => [b.neg([b.mul([g, b.sin([x])])])]
});
function cos(x) {
  return typed(apply1(cosOp, toFloat(x)));
}
var cosCases = cases(cosOp, () => ({
  samples: elementwiseSamples(1, noAttrs),
  edges: [nowhereAtInfinity, { ins: [[0, -0]], attrs: noAttrs, want: [1, 1] }]
}));
var tanOp = defineUnary({
  name: "tan",
  accepts: floats,
  scalar: { float: Math.tan },
  vjp: (b, [g], _ins, [y]) => [b.mul([g, shift(b, b.mul([y, y]), 1)])]
});
function tan(x) {
  return typed(apply1(tanOp, toFloat(x)));
}
var tanCases = cases(tanOp, () => ({
  samples: elementwiseSamples(1, noAttrs, [-1.2, 1.2]),
  edges: [nowhereAtInfinity, { ins: [[0, -0]], attrs: noAttrs, want: [0, -0] }]
}));

// packages/core/src/ops/window/reduce-window.ts
function windowedShape(name, x, { window, strides, low, high }) {
  const rank = x.shape.length;
  checkDType(`${name}.C1`, numeric.has(x.dtype), () => `needs ${numeric.words}, got ${x.dtype}`);
  const complete = isCounts(window, rank, 1) && isCounts(strides, rank, 1) && low.length === rank && high.length === rank;
  checkAttr(
    `${name}.C2`,
    complete,
    () => `needs a window, a stride and paddings for each axis of ${formatShape(x.shape)}`
  );
  return x.shape.map(
    (size, i) => windowCount(`${name}.C3`, addDim(addDim(size, low[i]), high[i]), window[i], strides[i])
  );
}
function withLeadingAxis({ window, strides, low, high }) {
  return { window: [1, ...window], strides: [1, ...strides], low: [0, ...low], high: [0, ...high] };
}
function forEachInWindows(x, out, { window, strides, low }, visit) {
  const steps2 = stridesOf(x);
  forEachIndex(out, (index, flat) => {
    forEachIndex(window, (offset) => {
      let at = 0;
      for (let axis = 0; axis < x.length; axis++) {
        const i = index[axis] * strides[axis] + offset[axis] - Number(low[axis]);
        if (i < 0 || i >= x[axis]) return;
        at += i * steps2[axis];
      }
      visit(flat, at);
    });
  });
}
function defineReduceWindow(spec) {
  const { name, vjp, batch } = spec;
  return defineOp({
    name,
    version: 1,
    kind: "window",
    arity: 1,
    sizeAttrs: ["low", "high"],
    infer: ([x], attrs) => [{ dtype: x.dtype, shape: windowedShape(name, x, attrs) }],
    reference: ([x], attrs, [out]) => fold3(spec, x, attrs, out),
    vjp,
    batch: (b, [x], _batched, attrs) => [batch(b)([x], withLeadingAxis(attrs))]
  });
}
function fold3(spec, x, attrs, out) {
  const initial = spec.initial(x.dtype);
  if (x.dtype === "int64") {
    const sums = new Array(out.data.length).fill(initial.int64);
    forEachInWindows(x.shape, out.shape, attrs, (to2, from2) => {
      sums[to2] = spec.int64(sums[to2], BigInt(x.data[from2]));
    });
    for (const [i, sum3] of sums.entries()) out.data[i] = sum3;
  } else {
    const sums = new Float64Array(out.data.length).fill(initial.float);
    forEachInWindows(x.shape, out.shape, attrs, (to2, from2) => {
      sums[to2] = spec.float(sums[to2], Number(x.data[from2]));
    });
    for (const [i, sum3] of sums.entries()) out.data[i] = sum3;
  }
}
var reduceWindowSumOp = defineReduceWindow({
  name: "reduceWindowSum",
  initial: () => ({ float: 0, int64: 0n }),
  float: (sum3, x) => sum3 + x,
  int64: (sum3, x) => sum3 + x,
  batch: (b) => b.reduceWindowSum,
  vjp(b, [g], [x], _outs, { window, strides, low }) {
    const { shape } = x.aval;
    const before3 = window.map((n, i) => subDim(n - 1, low[i]));
    const extent = g.aval.shape.map((count2, i) => dilatedDim(count2, strides[i]));
    const after = shape.map((size, i) => addDim(subDim(size, extent[i]), low[i]));
    const zero = scalarOf(b, g.aval.dtype, 0);
    const spread = b.pad([g, zero], { low: before3, high: after, interior: strides.map((s) => s - 1) });
    const none2 = shape.map(() => 0);
    return [b.reduceWindowSum([spread], { window, strides: shape.map(() => 1), low: none2, high: none2 })];
  }
});
var reduceWindowSumCases = cases(reduceWindowSumOp, () => ({
  samples: windowSamples(),
  edges: windowEdges(4, 0),
  reject: windowRejects("reduceWindowSum")
}));
var reduceWindowMaxOp = defineReduceWindow({
  name: "reduceWindowMax",
  initial: (dtype) => limit(dtype, 0),
  float: Math.max,
  int64: greaterOf,
  batch: (b) => b.reduceWindowMax,
  vjp: (b, [g], [x], _outs, attrs) => [b.selectAndScatterAdd([x, g], attrs)]
});
var reduceWindowMaxCases = cases(reduceWindowMaxOp, () => ({
  samples: windowSamples(),
  edges: windowEdges(3, -Infinity),
  reject: windowRejects("reduceWindowMax")
}));
var reduceWindowMinOp = defineReduceWindow({
  name: "reduceWindowMin",
  initial: (dtype) => limit(dtype, 1),
  float: Math.min,
  int64: lesserOf,
  batch: (b) => b.reduceWindowMin,
  // The least of x is where the greatest of −x is.
  vjp: (b, [g], [x], _outs, attrs) => [b.selectAndScatterAdd([b.neg([x]), g], attrs)]
});
var reduceWindowMinCases = cases(reduceWindowMinOp, () => ({
  samples: windowSamples(),
  edges: windowEdges(1, Infinity),
  reject: windowRejects("reduceWindowMin")
}));
function windowSamples() {
  const sample2 = (shape, window, strides, low, high) => ({
    ins: [shape],
    attrs: { window, strides, low, high }
  });
  return [
    sample2([], [], [], [], []),
    sample2([7], [3], [1], [0], [0]),
    sample2([7], [3], [2], [1], [1]),
    sample2([7], [2], [3], [0], [2]),
    sample2([17], [5], [4], [2], [0]),
    sample2([3], [1], [1], [0], [0]),
    sample2([2], [3], [1], [0], [0]),
    sample2([0, 3], [1, 2], [1, 1], [0, 0], [0, 0]),
    sample2([5, 4], [2, 3], [2, 1], [1, 1], [0, 1]),
    sample2([2, 5, 6, 3], [1, 2, 2, 1], [1, 2, 2, 1], [0, 0, 0, 0], [0, 0, 0, 0]),
    sample2([2, 5, 6, 3], [1, 3, 3, 1], [1, 2, 1, 1], [0, 1, 1, 0], [0, 1, 1, 0])
  ];
}
function windowEdges(pair, padding) {
  const plain3 = { window: [2], strides: [1], low: [0], high: [0] };
  return [
    { ins: [[1, 3]], attrs: plain3, want: [pair] },
    { ins: [[1, NaN, 2]], attrs: plain3, want: [NaN, NaN] },
    { ins: [[5]], attrs: { window: [1], strides: [1], low: [1], high: [0] }, want: [padding, 5] }
  ];
}
function windowRejects(name) {
  const plain3 = { window: [2], strides: [1], low: [0], high: [0] };
  return [
    { ins: [[3]], dtypes: ["bool"], attrs: plain3, code: `${name}.C1` },
    { ins: [[3]], attrs: { ...plain3, window: [0] }, code: `${name}.C2` },
    { ins: [[3]], attrs: { ...plain3, low: [0, 0] }, code: `${name}.C2` },
    { ins: [[3]], attrs: { ...plain3, window: [5] }, code: `${name}.C3` }
  ];
}

// packages/core/src/ops/window/select-and-scatter.ts
var selectAndScatterAddOp = defineOp({
  name: "selectAndScatterAdd",
  version: 1,
  kind: "window",
  arity: 2,
  sizeAttrs: ["low", "high"],
  infer([x, cotangent2], attrs) {
    const want = windowedShape("selectAndScatterAdd", x, attrs);
    checkDType(
      "selectAndScatterAdd.C4",
      cotangent2.dtype === x.dtype,
      () => `needs one dtype, got ${x.dtype} and ${cotangent2.dtype}`
    );
    const fits2 = sameShape(want, cotangent2.shape);
    check(
      "selectAndScatterAdd.C5",
      fits2,
      () => `needs a cotangent of shape ${formatShape(want)}, got ${formatShape(cotangent2.shape)}`
    );
    return [x];
  },
  reference([x, cotangent2], attrs, [out]) {
    const chosen = new Int32Array(cotangent2.data.length).fill(-1);
    forEachInWindows(x.shape, cotangent2.shape, attrs, (window, element) => {
      const [best, next] = [x.data[chosen[window]], x.data[element]];
      if (best === void 0 || !(next <= best) && !Number.isNaN(best)) chosen[window] = element;
    });
    const wide2 = x.dtype === "int64";
    const sums = Array.from(out.data);
    chosen.forEach((element, window) => {
      const [sum3, more] = [sums[element], cotangent2.data[window]];
      if (sum3 !== void 0) sums[element] = wide2 ? BigInt(sum3) + BigInt(more) : Number(sum3) + Number(more);
    });
    sums.forEach((sum3, i) => {
      out.data[i] = sum3;
    });
  },
  vjp: (b, [g], [x, cotangent2], _outs, attrs) => [null, atMaximum(b, x, g, cotangent2.aval, attrs)],
  batch(b, [x, cotangent2], batched, attrs, [out]) {
    const size = out.shape[0];
    const ins = [withBatch(b, x, batched[0], size), withBatch(b, cotangent2, batched[1], size)];
    return [b.selectAndScatterAdd(ins, withLeadingAxis(attrs))];
  }
});
function atMaximum(b, x, values, out, attrs) {
  const { window, strides, low, high } = attrs;
  const { dtype } = x.aval;
  if (out.shape.some((n) => n === 0)) return stretch(b, scalarOf(b, dtype, 0), out.shape, []);
  const padding = { low, high, interior: window.map(() => 0) };
  const padded = (y, value) => b.pad([y, scalarOf(b, y.aval.dtype, value)], padding);
  const isPadded = [...low, ...high].some((n) => n !== 0);
  const elements = padded(x, limit(dtype, 0).float);
  const real = isPadded ? padded(stretch(b, scalarOf(b, "bool", true), x.aval.shape, []), false) : void 0;
  const results = padded(values, 0);
  const at = (y, offset) => {
    const limits = out.shape.map((count2, i) => addDim(offset[i], dilatedDim(count2, strides[i])));
    return b.slice([y], { start: offset, limit: limits, strides });
  };
  let best;
  forEachIndex(window, (index) => {
    const offset = [...index];
    const next = { element: at(elements, offset), result: at(results, offset), found: real && at(real, offset) };
    if (best === void 0) {
      best = next;
      return;
    }
    const [old, fresh] = [best.element, next.element];
    const beats = b.or([b.gt([fresh, old]), b.and([b.ne([fresh, fresh]), b.eq([old, old])])]);
    const taken = next.found && best.found ? b.and([next.found, b.or([b.not([best.found]), beats])]) : beats;
    best = {
      element: b.select([taken, fresh, old]),
      result: b.select([taken, next.result, best.result]),
      found: next.found && best.found && b.or([next.found, best.found])
    };
  });
  return best?.result ?? fillLike(b, values, 0);
}
var pairs2 = { window: [2], strides: [1], low: [0], high: [0] };
var selectAndScatterAddCases = cases(selectAndScatterAddOp, () => ({
  samples: windowSamples().map(({ ins: [x], attrs }) => ({
    ins: [x, windowedShape("selectAndScatterAdd", { dtype: "float32", shape: x }, attrs).map(Number)],
    attrs
  })),
  edges: [
    {
      ins: [
        [1, 1, 0],
        [10, 20]
      ],
      attrs: pairs2,
      want: [10, 20, 0]
    },
    {
      ins: [
        [1, NaN, 3],
        [10, 20]
      ],
      attrs: pairs2,
      want: [0, 30, 0]
    },
    // Padding never wins, not even against −∞.
    {
      ins: [
        [-Infinity, -Infinity],
        [10, 20, 40]
      ],
      attrs: { ...pairs2, low: [1], high: [1] },
      want: [30, 40]
    }
  ],
  reject: [
    { ins: [[3], [2]], dtypes: ["bool", "bool"], attrs: pairs2, code: "selectAndScatterAdd.C1" },
    { ins: [[3], [2]], attrs: { ...pairs2, window: [0] }, code: "selectAndScatterAdd.C2" },
    { ins: [[3], [2]], attrs: { ...pairs2, window: [5] }, code: "selectAndScatterAdd.C3" },
    { ins: [[3], [2]], dtypes: ["float32", "float64"], attrs: pairs2, code: "selectAndScatterAdd.C4" },
    { ins: [[3], [3]], attrs: pairs2, code: "selectAndScatterAdd.C5" }
  ]
}));

// packages/core/src/ops/table.ts
var coreOps = collect();
function collect() {
  const ops = Object.values(families_gen_exports).filter(
    (x) => typeof x === "object" && "version" in x
  );
  return ops.sort((a, b) => a.name < b.name ? -1 : 1);
}
function findOp(name) {
  return allOps().get(name);
}

// packages/core/src/passes/rewrite.ts
function rewriteGraph(graph, rewrite, stage = graph.stage) {
  const builder = new GraphBuilder();
  const params = new Map(graph.params.map((p) => [p, builder.param(p.aval)]));
  const made2 = /* @__PURE__ */ new Map();
  const read = (v) => v.node ? made2.get(v.node)[v.index] : params.get(v);
  for (const guard2 of graph.guards) builder.guard(guard2);
  for (const node of graph.nodes) {
    const ins = node.inputs.map(read);
    const { regions } = node;
    const inner = regions.length === 0 ? regions : regions.map((r) => rewriteGraph(r, rewrite, stage));
    builder.sites = node.sites;
    made2.set(node, rewrite(builder, node.op, ins, node.attrs, inner, node) ?? builder.adopt(node, ins, inner));
  }
  return builder.finish(graph.results.map(read), stage);
}

// packages/core/src/passes/lower.ts
function lower(claims) {
  return {
    name: "lower",
    from: "traced",
    to: "lowered",
    run: (graph) => rewriteGraph(
      graph,
      (builder, op, ins, attrs, regions) => decompose(builder, claims, op, ins, attrs, regions),
      "lowered"
    )
  };
}
function decompose(builder, claims, op, ins, attrs, regions) {
  if (!op.lower || claims(
    op,
    ins.map((v) => v.aval),
    attrs
  ))
    return void 0;
  const b = makeOps((inner, args, innerAttrs, innerRegions) => {
    const made2 = decompose(builder, claims, inner, args, innerAttrs, innerRegions);
    if (made2) return made2;
    const lowered2 = innerRegions.map((r) => r.stage === "lowered" ? r : lower(claims).run(r));
    return builder.apply(inner, args, innerAttrs, lowered2);
  });
  return op.lower(b, ins, attrs, regions);
}

// packages/core/src/passes/merge-regions.ts
var mergeRegions = { name: "mergeRegions", from: "lowered", to: "lowered", run: merge };
function merge(graph) {
  return hasTwins(graph) ? rewriteGraph(graph, mergeOne()) : graph;
}
function hasTwins(graph) {
  const inside2 = graph.nodes.flatMap((node) => node.regions);
  const owners = graph.nodes.filter((node) => node.regions.length > 0 && !node.effect);
  return owners.length > 1 || inside2.some(hasTwins);
}
function mergeOne() {
  const numbers2 = /* @__PURE__ */ new Map();
  const number = (v) => remember(numbers2, v, () => numbers2.size);
  const seen = /* @__PURE__ */ new Map();
  return (builder, op, ins, attrs, regions) => {
    if (regions.length === 0) return void 0;
    const known3 = remember(seen, builder, () => /* @__PURE__ */ new Map());
    const key = `${op.name}(${ins.map(number)})${attrsKey(attrs)}
${regions.map((r) => printGraph(r)).join("\n")}`;
    const merged = known3.get(key);
    if (merged) return merged;
    const made2 = builder.apply(op, ins, attrs, regions);
    if (!made2[0]?.node?.effect) known3.set(key, made2);
    return made2;
  };
}

// packages/core/src/passes/pipeline.ts
var simplify = (...rewrites) => ({
  name: "simplify",
  from: "lowered",
  to: "lowered",
  run: (graph) => rewriteGraph(graph, (...node) => {
    for (const rewrite of rewrites) {
      const made2 = rewrite(...node);
      if (made2) return made2;
    }
    return void 0;
  })
});
function passesFor(claims) {
  return [lower(claims), dce, mergeRegions, simplify(fold, algebra), dce];
}
function optimize(graph, claims, after) {
  return runPasses(graph, passesFor(claims), after);
}
function runPasses(graph, passes, after) {
  return passes.reduce((g, pass) => {
    const next = pass.run(g);
    after?.(pass, next);
    return next;
  }, graph);
}

// packages/core/src/schedule/op-ids.ts
var opIds = new Map(coreOps.map((op, i) => [op.name, i]));
var opTableHash = coreOps.reduce(
  (hash, op) => fnv1a(hash, `${op.name}@${op.version}
`),
  0xcbf29ce484222325n
);
function fnv1a(start2, text) {
  let hash = start2;
  for (const byte of new platform.TextEncoder().encode(text))
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  return hash;
}
function opName(id) {
  return coreOps[id]?.name;
}

// packages/core/src/schedule/program.ts
var programFormat = 1;
var exprOperations = ["add", "mul", "floorDiv", "mod", "max", "min"];
function evaluateExprs(exprs, sizes) {
  const values = [];
  for (const e of exprs) values.push(evaluateExpr(e, values, sizes));
  return values;
}
function evaluateExpr(e, values, sizes) {
  if (e.kind === "constant") return e.value;
  if (e.kind === "symbol") {
    const size = sizes[e.index];
    if (size === void 0)
      throw new MillraceError("E_ARGUMENT", `bind: ${sizes.length} sizes, but the program has more`);
    return size;
  }
  const [a, b] = [values[e.a], values[e.b]];
  switch (e.kind) {
    case "add":
      return a + b;
    case "mul":
      return a * b;
    case "floorDiv":
      return Math.floor(a / b);
    case "mod":
      return a - Math.floor(a / b) * b;
    case "max":
      return Math.max(a, b);
    case "min":
      return Math.min(a, b);
  }
}

// packages/core/src/schedule/encode.ts
var magic = 1347570765;
var none = 4294967295;
var recordKinds = ["constant", "alias", "library", "loop"];
var attrTags = { integer: 0, float: 1, boolean: 2, string: 3, list: 4, expr: 5, bytes: 6 };
var firstOperationTag = 2;
var constantAlignment = 64;
var Writer = class {
  bytes = new Uint8Array(1024);
  view = new DataView(this.bytes.buffer);
  length = 0;
  reserve(more) {
    if (this.length + more <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(this.bytes.length * 2, this.length + more));
    grown.set(this.bytes);
    this.bytes = grown;
    this.view = new DataView(grown.buffer);
  }
  u32(value) {
    this.reserve(4);
    this.view.setUint32(this.length, value, true);
    this.length += 4;
  }
  u64(value) {
    this.reserve(8);
    this.view.setBigUint64(this.length, BigInt.asUintN(64, value), true);
    this.length += 8;
  }
  f64(value) {
    this.reserve(8);
    this.view.setFloat64(this.length, value, true);
    this.length += 8;
  }
  raw(data) {
    this.reserve(data.length);
    this.bytes.set(data, this.length);
    this.length += data.length;
  }
  pad(to2) {
    this.raw(new Uint8Array((to2 - this.length % to2) % to2));
  }
  list(items, write) {
    this.u32(items.length);
    for (const item of items) write(item);
  }
  words(items) {
    this.list(items, (x) => this.u32(x));
  }
  string(text) {
    const bytes = new platform.TextEncoder().encode(text);
    this.u32(bytes.length);
    this.raw(bytes);
    this.pad(4);
  }
  patch32(at, value) {
    this.view.setUint32(at, value, true);
  }
  patch64(at, value) {
    this.view.setBigUint64(at, value, true);
  }
  finish() {
    return this.bytes.slice(0, this.length);
  }
};
function encodeProgram(program) {
  const w = new Writer();
  w.u32(magic);
  w.u32(programFormat);
  w.u64(opTableHash);
  const lengthAt = w.length;
  w.u64(0n);
  w.u32(program.symbols.length);
  w.list(program.exprs, (e) => writeExpr(w, e));
  w.list(program.guards, (g) => {
    w.u32(g.kind === "eq" ? 0 : 1);
    w.u32(g.lhs);
    w.u32(g.rhs);
  });
  w.u32(program.constants.length);
  const constantsAt = program.constants.map((bytes) => {
    const at = w.length;
    w.u64(0n);
    w.u64(BigInt(bytes.length));
    return at;
  });
  writeRegion(w, program.root);
  program.constants.forEach((bytes, i) => {
    w.pad(constantAlignment);
    w.patch64(constantsAt[i], BigInt(w.length));
    w.raw(bytes);
  });
  w.pad(constantAlignment);
  w.patch64(lengthAt, BigInt(w.length));
  return w.finish();
}
function writeExpr(w, e) {
  if (e.kind === "constant") {
    w.u32(0);
    w.u64(BigInt(e.value));
  } else if (e.kind === "symbol") {
    w.u32(1);
    w.u32(e.index);
    w.u32(0);
  } else {
    w.u32(firstOperationTag + exprOperations.indexOf(e.kind));
    w.u32(e.a);
    w.u32(e.b);
  }
}
function writeRegion(w, region2) {
  w.list(region2.slots, (slot) => {
    w.u32(dtypes[slot.dtype].id);
    w.words(slot.dims);
  });
  w.u32(region2.params);
  w.words(region2.results);
  w.list(region2.records, (record) => {
    w.u32(recordKinds.indexOf(record.kind));
    const lengthAt = w.length;
    w.u32(0);
    writeRecord(w, record);
    w.patch32(lengthAt, (w.length - lengthAt - 4) / 4);
  });
}
function writeRecord(w, record) {
  switch (record.kind) {
    case "constant":
      w.u32(record.slot);
      w.u32(record.constant);
      break;
    case "alias":
      w.u32(record.from);
      w.u32(record.to);
      break;
    case "library":
      w.u32(opId(record.op));
      w.u32(record.version);
      w.words(record.ins);
      w.words(record.outs);
      writeAttrs(w, record.attrs);
      w.list(record.regions, (r) => writeRegion(w, r));
      break;
    case "loop":
      w.words(record.extents);
      w.list(record.loads, (l) => {
        w.u32(l.slot);
        w.u32(l.offset);
        w.words(l.strides);
      });
      w.list(record.instructions, (i) => writeInstruction(w, i));
      w.list(record.stores, (s) => {
        w.u32(s.slot);
        w.u32(s.value);
        w.u32(s.reduce ? opId(s.reduce.op) : none);
        w.u32(s.reduce?.mask ?? 0);
      });
  }
}
function writeInstruction(w, i) {
  w.u32(opId(i.op));
  w.u32(dtypes[i.dtype].id);
  for (let k = 0; k < 3; k++) w.u32(i.args[k] ?? none);
  w.u64(i.immediate);
}
function opId(name) {
  const id = opIds.get(name);
  if (id === void 0) throw new RangeError(`${name} has no number in programs: only ops of core do`);
  return id;
}
function writeAttrs(w, attrs) {
  w.list(
    [...attrs].sort(([a], [b]) => a < b ? -1 : 1),
    ([name, value]) => {
      w.string(name);
      writeAttr(w, value);
    }
  );
}
function writeAttr(w, value) {
  if (typeof value === "number") {
    const whole = Number.isSafeInteger(value) && !Object.is(value, -0);
    w.u32(whole ? attrTags.integer : attrTags.float);
    if (whole) w.u64(BigInt(value));
    else w.f64(value);
  } else if (typeof value === "boolean") {
    w.u32(attrTags.boolean);
    w.u32(value ? 1 : 0);
  } else if (typeof value === "string") {
    w.u32(attrTags.string);
    w.string(value);
  } else if ("expr" in value) {
    w.u32(attrTags.expr);
    w.u32(value.expr);
  } else if ("bytes" in value) {
    w.u32(attrTags.bytes);
    w.u32(value.bytes.length);
    w.raw(value.bytes);
    w.pad(4);
  } else {
    w.u32(attrTags.list);
    w.list(value, (v) => writeAttr(w, v));
  }
}

// packages/core/src/schedule/kinds.ts
var isReduction = (node) => node.op.kind === "reduce" && node.op.name.startsWith("reduce");
var isPointwise = (node) => isElementwise(node.op) || node.op.name === "iota";
var isFusible = (node) => isPointwise(node) || isReduction(node) || node.op.kind === "constant" || node.op.kind === "shape";
var isScalarConstant = (node) => node?.op.name === "constant" && node.attrs.data.length === 1;
var renaming = /* @__PURE__ */ new Set(["reshape", "bitcast", "identity", "stopGradient"]);
var isAlias = (node) => renaming.has(node.op.name);

// packages/core/src/schedule/views.ts
function identityView(value) {
  return { root: value, axes: value.aval.shape.map((_, i) => ({ extent: i, offset: 0, step: 1 })) };
}
function isIdentity({ root, axes: axes2 }, space) {
  const isWhole = sameShape(root.aval.shape, space) === true;
  return isWhole && axes2.every((a, i) => a.extent === i && a.offset === 0 && a.step === 1);
}
var fixed = { extent: -1, offset: 0, step: 0 };
function along2(inner, offset, step2) {
  return { extent: inner.extent, offset: addDim(offset, mulDim(step2, inner.offset)), step: mulDim(step2, inner.step) };
}
function resolveView(value) {
  let view = identityView(value);
  for (; ; ) {
    const next = throughOne(view);
    if (!next) return view;
    view = next;
  }
}
function isView(value) {
  return resolveView(value).root !== value;
}
function throughOne({ root, axes: axes2 }) {
  const { node } = root;
  if (!node) return void 0;
  const [source] = node.inputs;
  const rule = viewRules[node.op.name];
  const inner = source && rule?.(axes2, source, node.attrs, root);
  return inner && { root: source, axes: inner };
}
var viewRules = {
  broadcastInDim: (axes2, source, { dims }, root) => source.aval.shape.map((d, j) => d === 1 && root.aval.shape[dims[j]] !== 1 ? fixed : axes2[dims[j]]),
  transpose: (axes2, _source, { perm }) => perm.map((_, j) => axes2[perm.indexOf(j)]),
  slice: (axes2, _source, { start: start2, strides }) => axes2.map((a, i) => along2(a, start2[i], strides[i])),
  reverse: (axes2, source, attrs) => axes2.map((a, i) => attrs.axes.includes(i) ? along2(a, subDim(source.aval.shape[i], 1), -1) : a),
  reshape: (axes2, source, _attrs, root) => throughReshape(axes2, source.aval.shape, root.aval.shape),
  stopGradient: (axes2) => [...axes2],
  identity: (axes2) => [...axes2]
};
function throughReshape(axes2, from2, to2) {
  const kept = to2.map((_, i) => i).filter((i) => to2[i] !== 1);
  const real = from2.filter((d) => d !== 1);
  if (kept.length !== real.length || !kept.every((i, k) => dimKey(to2[i]) === dimKey(real[k]))) return void 0;
  let next = 0;
  return from2.map((d) => d === 1 ? fixed : axes2[kept[next++]]);
}
function stridesOfView(view, rank) {
  const { shape } = view.root.aval;
  const strides = new Array(rank).fill(0);
  let offset = 0;
  view.axes.forEach((a, i) => {
    const row = productDim(shape.slice(i + 1));
    offset = addDim(offset, mulDim(a.offset, row));
    if (a.extent >= 0) strides[a.extent] = addDim(strides[a.extent], mulDim(a.step, row));
  });
  return { offset, strides };
}

// packages/core/src/schedule/loop-body.ts
var LoopBody = class {
  loads = [];
  loadNumbers = /* @__PURE__ */ new Map();
  instructions = [];
  numbers = /* @__PURE__ */ new Map();
  constants = /* @__PURE__ */ new Map();
  stores = [];
  scheduler;
  shape;
  constructor(scheduler, shape) {
    this.scheduler = scheduler;
    this.shape = shape;
  }
  // Loads are numbered from 0, instructions from −1 downwards until the number of loads is known.
  load(view) {
    const { offset, strides } = stridesOfView(view, this.shape.length);
    const slot = this.scheduler.slotOf(view.root);
    const key = `${slot} ${dimKey(offset)} ${strides.map(dimKey).join()}`;
    const seen = this.loadNumbers.get(key);
    if (seen !== void 0) return seen;
    const size = (d) => this.scheduler.size(d);
    const number = this.loads.push({ slot, offset: size(offset), strides: strides.map(size) }) - 1;
    this.loadNumbers.set(key, number);
    return number;
  }
  push(instruction) {
    const number = -1 - this.instructions.length;
    this.instructions.push({ instruction, number });
    return number;
  }
  constant(node) {
    let number = this.constants.get(node);
    if (number === void 0) {
      const bytes = new Uint8Array(8);
      bytes.set(bytesOf(node.attrs.data));
      const immediate = new DataView(bytes.buffer).getBigUint64(0, true);
      number = this.push({ op: "constant", dtype: node.outs[0].dtype, args: [], immediate });
      this.constants.set(node, number);
    }
    return number;
  }
  iota(node) {
    const immediate = BigInt(Number(node.attrs.axis));
    this.numbers.set(node, this.push({ op: "iota", dtype: node.outs[0].dtype, args: [], immediate }));
  }
  apply(node, args) {
    this.numbers.set(node, this.push({ op: node.op.name, dtype: node.outs[0].dtype, args, immediate: 0n }));
  }
  rename(node, number) {
    this.numbers.set(node, number);
  }
  result(node) {
    return this.numbers.get(node);
  }
  store(node) {
    this.stores.push({ slot: this.scheduler.define(node)[0], value: this.numbers.get(node) });
  }
  reduce(node, value) {
    const mask = node.attrs.axes.reduce((m, axis) => m | 1 << axis, 0);
    this.stores.push({ slot: this.scheduler.define(node)[0], value, reduce: { op: node.op.name, mask } });
  }
  record() {
    const final = (n) => n >= 0 ? n : this.loads.length - 1 - n;
    return {
      kind: "loop",
      extents: this.shape.map((d) => this.scheduler.size(d)),
      loads: this.loads,
      instructions: this.instructions.map(({ instruction: i }) => ({ ...i, args: i.args.map(final) })),
      stores: this.stores.map((s) => ({ ...s, value: final(s.value) }))
    };
  }
};

// packages/core/src/schedule/order.ts
function placingOrder(graph) {
  const level = /* @__PURE__ */ new Map();
  let lastEffect = 0;
  for (const node of graph.nodes) {
    let own = node.effect ? lastEffect : 0;
    for (const { node: source } of node.inputs)
      if (source) own = Math.max(own, level.get(source) + (isFusible(source) ? 0 : 1));
    level.set(node, own);
    if (node.effect) lastEffect = own;
  }
  const rank = /* @__PURE__ */ new Map();
  const firstReader = /* @__PURE__ */ new Map();
  for (let i = graph.nodes.length - 1; i >= 0; i--) {
    const node = graph.nodes[i];
    const waits = isFusible(node) && node.outs[0].shape.length > 0;
    const own = waits ? firstReader.get(node) ?? level.get(node) : level.get(node);
    rank.set(node, own);
    for (const { node: source } of node.inputs) {
      if (source) firstReader.set(source, Math.min(firstReader.get(source) ?? Number.POSITIVE_INFINITY, own));
    }
  }
  const ranks = [...rank.values()].reduce((most, r) => Math.max(most, r), 0);
  const byRank = Array.from({ length: ranks + 1 }, () => []);
  for (const node of graph.nodes) byRank[rank.get(node)].push(node);
  return byRank.flat();
}
function runningOrder(units, bytesOf2) {
  const readers = units.map(() => []);
  const waiting = units.map(({ reads }) => new Set(reads.values()).size);
  const unread = /* @__PURE__ */ new Map();
  units.forEach(({ reads }, i) => {
    for (const from2 of new Set(reads.values())) readers[from2].push(i);
    for (const buffer of reads.keys()) unread.set(buffer, (unread.get(buffer) ?? 0) + 1);
  });
  let stopping = units.filter((unit) => unit.stops).length;
  const done = units.map(() => false);
  const order = [];
  const follows = (i) => {
    const { movable, renews, reads, made: made2 } = units[i];
    if (done[i] || !movable || waiting[i] > 0 || renews && stopping > 0) return false;
    let freed = 0;
    for (const buffer of reads.keys()) if (unread.get(buffer) === 1) freed += bytesOf2(buffer);
    return made2 <= freed;
  };
  const run = (first2) => {
    const queue = [first2];
    for (let i = queue.pop(); i !== void 0; i = queue.pop()) {
      if (done[i]) continue;
      done[i] = true;
      order.push(i);
      if (units[i].stops) stopping--;
      for (const buffer of units[i].reads.keys()) unread.set(buffer, unread.get(buffer) - 1);
      for (const reader of readers[i]) waiting[reader]--;
      queue.push(...readers[i].filter(follows).reverse());
    }
  };
  for (let i = 0; i < units.length; i++) run(i);
  for (let at = 0; at < order.length; at++) before2(units, order, at);
  return order;
}
var small = 1 << 16;
function before2(units, order, at) {
  const kernel = order[at];
  if (units[kernel].movable || units[kernel].stops) return;
  let made2 = 0;
  for (let next = at + 1; next < order.length; next++) {
    const unit = units[order[next]];
    made2 += unit.made;
    if (!unit.movable) return;
    if ([...unit.reads.values()].includes(kernel)) {
      order.splice(at, next - at, ...order.slice(at + 1, next), kernel);
      return;
    }
    if (made2 > small || unit.renews) return;
  }
}

// packages/core/src/schedule/loops.ts
var maxNodes = 48;
var recent = 8;
var few = 4096;
var isLoop = (unit) => "nodes" in unit;
function formLoops(graph) {
  const former = new LoopFormer(graph);
  former.run();
  return former;
}
var LoopFormer = class {
  units = [];
  unitOf = /* @__PURE__ */ new Map();
  /** Loops by iteration space, the latest last. */
  loops = /* @__PURE__ */ new Map();
  /** Values that need memory: somebody reads them who is not in their loop. */
  stored = /* @__PURE__ */ new Set();
  results = /* @__PURE__ */ new Set();
  numbers = /* @__PURE__ */ new Map();
  outputs = /* @__PURE__ */ new Map();
  /** How many nodes read a value. */
  readers = /* @__PURE__ */ new Map();
  freedBy = /* @__PURE__ */ new Map();
  chains = /* @__PURE__ */ new Map();
  graph;
  constructor(graph) {
    this.graph = graph;
  }
  run() {
    const { nodes, results } = this.graph;
    nodes.forEach((node, i) => {
      this.numbers.set(node, i);
      for (const v of node.inputs) {
        if (v.node && v.index === 0) this.outputs.set(v.node, v);
        this.readers.set(v, (this.readers.get(v) ?? 0) + 1);
      }
    });
    for (const v of results) {
      if (v.node && v.index === 0) this.outputs.set(v.node, v);
    }
    for (const v of results) this.results.add(behindAliases(v));
    for (const node of placingOrder(this.graph)) this.place(node);
    for (const v of results) this.needs(v);
  }
  valueOf(node) {
    return this.outputs.get(node);
  }
  /** What nobody reads, as an effect may be, is no view. */
  isView(node) {
    const value = this.outputs.get(node);
    return value !== void 0 && isView(value);
  }
  place(node) {
    if (this.unitOf.has(node)) return;
    if (!this.outputs.has(node) && node.outs.length === 1 && !node.effect) return;
    if (node.op.name === "constant" || this.isView(node)) return;
    if (isPointwise(node)) {
      const value = this.valueOf(node);
      const isWanted = node.outs[0].shape.length === 0 || this.results.has(value);
      if (isWanted || this.freed(node) > roughBytes(value) || this.chain(node) >= maxNodes) this.join(node);
    } else if (isReduction(node)) this.join(node);
    else {
      for (const v of node.inputs) this.needs(v);
      this.unitOf.set(node, this.units[this.units.push({ order: this.units.length, node }) - 1]);
    }
  }
  /** Bytes that nobody else will read once a node has run, with those that wait for it. */
  freed(node) {
    let bytes = 0;
    for (const { root } of node.inputs.map(resolveView)) {
      if (!root.node || this.readers.get(root) !== 1) continue;
      bytes += this.waits(root.node) ? this.freedBy.get(root.node) : this.unitBehind(root) ? roughBytes(root) : 0;
    }
    this.freedBy.set(node, bytes);
    return bytes;
  }
  /** How many nodes that wait stand one behind the other, up to this one. */
  chain(node) {
    let longest2 = 0;
    for (const { root } of node.inputs.map(resolveView)) {
      let source = root.node;
      while (source && isAlias(source)) source = source.inputs[0].node;
      if (source && this.waits(source)) longest2 = Math.max(longest2, this.chains.get(source));
    }
    this.chains.set(node, longest2 + 1);
    return longest2 + 1;
  }
  /** Puts a node, and what waits for it, into a loop over its iteration space. */
  join(node) {
    const { shape } = isReduction(node) ? node.inputs[0].aval : node.outs[0];
    let group = this.gather(node, shape);
    if (this.hoist(group, node, shape)) group = this.gather(node, shape);
    const axes2 = isReduction(node) ? String(node.attrs.axes) : void 0;
    this.add(this.choose(shape, group, axes2), group, axes2);
  }
  add(loop, { nodes, reads }, axes2) {
    for (const node of [...nodes].sort((a, b) => this.numbers.get(a) - this.numbers.get(b))) {
      loop.nodes.push(node);
      this.unitOf.set(node, loop);
    }
    loop.axes ??= axes2;
    for (const view of reads) {
      if (this.unitBehind(view.root) !== loop) this.stored.add(view.root);
      if (isIdentity(view, loop.shape)) loop.reads.add(view.root);
    }
  }
  /** Whether a node is elementwise and still without a loop. */
  waits(node) {
    return node !== null && isPointwise(node) && !this.unitOf.has(node);
  }
  /** A node with all that waits and that it reads element by element. Whatever else it reads has a unit after this. */
  gather(node, space) {
    for (; ; ) {
      const nodes = /* @__PURE__ */ new Set([node]);
      const reads = [];
      const units = this.unitOf.size;
      for (const member of nodes) {
        for (const view of member.inputs.map(resolveView)) {
          const source = view.root.node;
          if (isScalarConstant(source)) continue;
          const together = source && this.waits(source) && isIdentity(view, space);
          if (together && (nodes.has(source) || nodes.size < maxNodes)) nodes.add(source);
          else {
            this.prepare(view.root);
            reads.push(view);
          }
        }
      }
      if (this.unitOf.size === units) return { nodes, reads };
    }
  }
  /** Gives a unit to what must run before a value can be read. */
  prepare(value) {
    const { node } = value;
    if (!node) return;
    if (this.waits(node)) this.join(node);
    else if (isAlias(node)) this.needs(node.inputs[0]);
  }
  choose(shape, { nodes, reads }, axes2) {
    const small2 = isFew(shape);
    const loops = this.loopsOver(shape);
    for (let i = loops.length - 1; i >= Math.max(0, loops.length - recent); i--) {
      const loop = loops[i];
      if (loop.nodes.length + nodes.size > maxNodes) continue;
      if (axes2 !== void 0 && loop.axes !== void 0 && axes2 !== loop.axes) continue;
      const related = small2 || reads.some((v) => isIdentity(v, shape) && (loop.reads.has(v.root) || this.unitBehind(v.root) === loop));
      if (related && this.mayRead(loop, reads)) return loop;
    }
    return this.newLoop(shape);
  }
  loopsOver(shape) {
    const key = formatShape(shape);
    const known3 = this.loops.get(key);
    if (known3) return known3;
    const made2 = [];
    this.loops.set(key, made2);
    return made2;
  }
  newLoop(shape) {
    const loop = { order: this.units.length, shape, nodes: [], reads: /* @__PURE__ */ new Set(), axes: void 0 };
    this.units.push(loop);
    this.loopsOver(shape).push(loop);
    return loop;
  }
  /** Whether a loop comes after all that is read, or has it at hand. */
  mayRead(loop, reads) {
    return reads.every((view) => {
      const unit = this.unitBehind(view.root);
      if (!unit) return true;
      return unit === loop ? this.isAtHand(view, loop) : unit.order < loop.order;
    });
  }
  /** A value of the loop itself is at hand at its own index only, and a reduction's result only after the loop. */
  isAtHand(view, loop) {
    const { node } = view.root;
    return isIdentity(view, loop.shape) && node !== null && this.unitOf.get(node) === loop && !isReduction(node);
  }
  /** The unit that must have run before a value can be read; undefined for parameters and constants. */
  unitBehind(value) {
    let { node } = value;
    while (node && !this.unitOf.has(node)) node = node.inputs[0]?.node ?? null;
    return node ? this.unitOf.get(node) : void 0;
  }
  /**
   * Moves the part of a group that an earlier loop could compute into that loop, where fewer bytes are stored for it then:
   * a derivative instead of the two values that it is made of. Says whether it did.
   */
  hoist({ nodes, reads }, sink, shape) {
    const homes = new Set(reads.map((view) => this.unitBehind(view.root)));
    for (const home of homes) {
      if (!home || !isLoop(home) || formatShape(home.shape) !== formatShape(shape)) continue;
      const early = this.computableIn(home, nodes);
      early.delete(sink);
      if (early.size === 0 || early.size + home.nodes.length > maxNodes) continue;
      const inputs = (node) => node.inputs.map(resolveView);
      const needed = new Set([...early].flatMap(inputs).flatMap((v) => this.isAtHand(v, home) ? [v.root] : []));
      const fresh = [...needed].filter((v) => !this.stored.has(v));
      const late = [...nodes].filter((node) => !early.has(node)).flatMap(inputs);
      const kept = new Set(late.flatMap((v) => v.root.node && early.has(v.root.node) ? [v.root] : []));
      if (width(kept) >= width(fresh)) continue;
      const outside = [...early].flatMap(inputs).filter((v) => !v.root.node || !early.has(v.root.node));
      this.add(home, { nodes: early, reads: outside.filter((v) => !isScalarConstant(v.root.node)) });
      return true;
    }
    return false;
  }
  /** The nodes of a group that depend on values of a loop, and on nothing that comes later. */
  computableIn(loop, nodes) {
    const early = /* @__PURE__ */ new Set();
    const inOrder = [...nodes].sort((a, b) => this.numbers.get(a) - this.numbers.get(b));
    for (const node of inOrder) {
      if (isReduction(node)) continue;
      const views = node.inputs.map(resolveView).filter((v) => !isScalarConstant(v.root.node));
      const depends = views.some((v) => this.isAtHand(v, loop) || v.root.node && early.has(v.root.node));
      const able = views.every((v) => {
        const source = v.root.node;
        if (source && nodes.has(source)) return early.has(source);
        return this.mayRead(loop, [v]);
      });
      if (depends && able) early.add(node);
    }
    return early;
  }
  /** A value is read from memory. */
  needs(value) {
    const { node } = value;
    if (node && this.isView(node) && !isAlias(node)) this.materialise(node);
    else {
      this.prepare(value);
      this.stored.add(value);
    }
  }
  /** Copies a view into memory, by a loop that reads the same, or one of its own. */
  materialise(node) {
    const value = this.valueOf(node);
    this.stored.add(value);
    if (this.unitOf.has(node)) return;
    const view = resolveView(value);
    const { root } = view;
    const reads = isScalarConstant(root.node) ? [] : [view];
    if (reads.length > 0) this.prepare(root);
    const { shape } = node.outs[0];
    const loop = this.loopsOver(shape).at(-1);
    const joins = loop?.reads.has(root) && loop.nodes.length < maxNodes && this.mayRead(loop, reads);
    const chosen = loop && joins ? loop : this.newLoop(shape);
    chosen.reads.add(root);
    this.add(chosen, { nodes: /* @__PURE__ */ new Set([node]), reads });
  }
};
function behindAliases(value) {
  let at = value;
  while (at.node && isAlias(at.node)) at = at.node.inputs[0];
  return at;
}
function isFew(shape) {
  return shape.reduce((n, d) => typeof d === "number" ? n * d : Number.POSITIVE_INFINITY, 1) <= few;
}
function width(values) {
  let bytes = 0;
  for (const v of values) bytes += dtypes[v.aval.dtype].bytes;
  return bytes;
}
function roughBytes({ aval: { dtype, shape } }) {
  return shape.reduce((n, d) => n * (typeof d === "number" ? d : 64), dtypes[dtype].bytes);
}

// packages/core/src/schedule/emit-loops.ts
function emitLoops(scheduler, graph) {
  new LoopEmitter(scheduler, formLoops(graph)).run(graph);
}
var LoopEmitter = class {
  emitted = /* @__PURE__ */ new Set();
  scheduler;
  formed;
  constructor(scheduler, formed) {
    this.scheduler = scheduler;
    this.formed = formed;
  }
  valueOf(node) {
    return this.formed.outputs.get(node);
  }
  run(graph) {
    for (const i of this.running()) {
      const unit = this.formed.units[i];
      if (isLoop(unit)) this.loop(unit);
      else {
        for (const v of unit.node.inputs) this.memory(v);
        this.scheduler.record(unit.node);
        this.emitted.add(unit.node);
      }
    }
    for (const v of graph.results) this.memory(v);
  }
  /** The units in the order in which they run. */
  running() {
    const units = this.formed.units.map((unit) => {
      const nodes = isLoop(unit) ? unit.nodes : [unit.node];
      const reads = /* @__PURE__ */ new Map();
      for (const node of nodes) {
        for (const v of node.inputs) {
          const value = this.inMemory(isLoop(unit) ? resolveView(v).root : v);
          const from2 = value.node && this.formed.unitOf.get(value.node);
          if (from2 && from2 !== unit) reads.set(value, from2.order);
        }
      }
      const made2 = nodes.flatMap((node) => this.formed.outputs.get(node) ?? []).filter((v) => this.formed.stored.has(v));
      const stops = !isLoop(unit) && (unit.node.effect || unit.node.regions.length > 0);
      const kept = made2.filter((v) => !this.formed.results.has(v));
      const bytes = kept.reduce((sum3, v) => sum3 + roughBytes(v), 0);
      return { movable: isLoop(unit), stops, reads, made: bytes, renews: kept.length < made2.length };
    });
    return runningOrder(units, (v) => this.formed.results.has(v) ? 0 : roughBytes(v));
  }
  /** The value whose bytes these are: an alias has the memory of what it renames. */
  inMemory(value) {
    let at = value;
    while (at.node && !this.formed.unitOf.has(at.node) && at.node.inputs[0]) at = at.node.inputs[0];
    return at;
  }
  /** Makes sure that a value without a unit, a constant or an alias, has its record before it is read. */
  memory(value) {
    const { node } = value;
    if (!node || this.emitted.has(node) || this.formed.unitOf.has(node)) return;
    for (const v of node.inputs) this.memory(v);
    this.scheduler.record(node);
    this.emitted.add(node);
  }
  loop(loop) {
    const body = new LoopBody(this.scheduler, loop.shape);
    const inside2 = new Set(loop.nodes);
    const read = (value) => {
      const view = resolveView(value);
      const { node } = view.root;
      if (isScalarConstant(node)) return body.constant(node);
      if (node && inside2.has(node) && !isReduction(node)) return body.result(node);
      this.memory(view.root);
      return body.load(view);
    };
    for (const node of loop.nodes) {
      if (isReduction(node)) body.reduce(node, read(node.inputs[0]));
      else if (isView(this.valueOf(node))) body.rename(node, read(this.valueOf(node)));
      else if (node.op.name === "iota") body.iota(node);
      else body.apply(node, node.inputs.map(read));
    }
    for (const node of loop.nodes) {
      this.emitted.add(node);
      if (!isReduction(node) && this.formed.stored.has(this.valueOf(node))) body.store(node);
    }
    this.scheduler.add(body.record(), loop.nodes);
  }
};

// packages/core/src/schedule/exprs.ts
var ExprTable = class {
  exprs = [];
  symbols;
  known = /* @__PURE__ */ new Map();
  constructor(symbols) {
    this.symbols = new Map(symbols.map((name, i) => [name, i]));
  }
  /** The number of the expression for a size. */
  of(dim) {
    return this.once(dimKey(dim), () => {
      if (typeof dim === "number") return this.add({ kind: "constant", value: dim });
      return dim.terms.map((t) => this.product(t.coefficient, t.atoms)).reduce((a, b) => this.operation("add", a, b));
    });
  }
  product(coefficient, atoms) {
    const factors = atoms.map((a) => this.atom(a));
    if (coefficient !== 1 || factors.length === 0) factors.push(this.of(coefficient));
    return factors.reduce((a, b) => this.operation("mul", a, b));
  }
  atom(atom) {
    if (atom.kind !== "symbol") return this.operation(atom.kind, this.of(atom.a), this.of(atom.b));
    const index = this.symbols.get(atom.name);
    if (index === void 0) throw new RangeError(`the size ${atom.name} is not among the program's symbols`);
    return this.once(`symbol ${index}`, () => this.add({ kind: "symbol", index }));
  }
  operation(kind, a, b) {
    return this.once(`${kind} ${a} ${b}`, () => this.add({ kind, a, b }));
  }
  once(key, make) {
    const seen = this.known.get(key);
    if (seen !== void 0) return seen;
    const made2 = make();
    this.known.set(key, made2);
    return made2;
  }
  add(expr) {
    this.exprs.push(expr);
    return this.exprs.length - 1;
  }
};

// packages/core/src/schedule/schedule.ts
function schedule(graph, symbols, options) {
  const shared = { exprs: new ExprTable(symbols), constants: [], options };
  const root = new RegionScheduler(shared).run(graph);
  const guards = allGuards(graph).map((g) => ({ kind: g.kind, lhs: shared.exprs.of(g.a), rhs: shared.exprs.of(g.b) }));
  return { symbols, exprs: shared.exprs.exprs, guards, constants: shared.constants, root };
}
function allGuards(graph) {
  const guards = [...graph.guards];
  for (const node of graph.nodes) for (const region2 of node.regions) guards.push(...allGuards(region2));
  return guards;
}
function symbolsOfGraph(graph, into = /* @__PURE__ */ new Set()) {
  const ofAval = (a) => {
    for (const d of a.shape) symbolsOf(d, into);
  };
  const ofAttr = (a) => {
    if (a instanceof SymDim) symbolsOf(a, into);
    else if (typeof a === "object" && isAttrList(a)) a.forEach(ofAttr);
  };
  for (const p of graph.params) ofAval(p.aval);
  for (const node of graph.nodes) {
    Object.values(node.attrs).forEach(ofAttr);
    node.outs.forEach(ofAval);
    for (const region2 of node.regions) symbolsOfGraph(region2, into);
  }
  return into;
}
var RegionScheduler = class _RegionScheduler {
  slots = [];
  slotByValue = /* @__PURE__ */ new Map();
  outputs = /* @__PURE__ */ new Map();
  records = [];
  shared;
  constructor(shared) {
    this.shared = shared;
  }
  run(graph) {
    for (const p of graph.params) this.slotByValue.set(p, this.newSlot(p.aval));
    if (this.shared.options.fusion) emitLoops(this, graph);
    else for (const node of graph.nodes) this.record(node);
    const results = graph.results.map((v) => this.slotOf(v));
    return { slots: this.slots, params: graph.params.length, results, records: this.records };
  }
  newSlot(aval) {
    this.slots.push({ dtype: aval.dtype, dims: aval.shape.map((d) => this.shared.exprs.of(d)) });
    return this.slots.length - 1;
  }
  slotOf(value) {
    const slot = value.node ? this.outputs.get(value.node)?.[value.index] : this.slotByValue.get(value);
    if (slot === void 0) throw new TypeError("schedule: a value is used before it has a slot");
    return slot;
  }
  /** Gives a node's outputs their slots. */
  define(node) {
    const slots = node.outs.map((aval) => this.newSlot(aval));
    this.outputs.set(node, slots);
    return slots;
  }
  /** Adds a record, which computes these nodes. */
  add(record, nodes) {
    this.records.push(record);
    this.shared.options.onRecord?.(record, nodes);
  }
  /** One record for one node. */
  record(node) {
    const { op } = node;
    const data = node.outs.length === 1 && op.name === "constant" ? node.attrs.data : void 0;
    if (data) this.constant(node, data);
    else if (isAlias(node)) this.alias(node, node.inputs[0], this.define(node)[0]);
    else if (op.name === "optimizationBarrier") {
      const outs = this.define(node);
      for (const [i, v] of node.inputs.entries()) this.alias(node, v, outs[i]);
    } else this.library(node);
  }
  constant(node, data) {
    this.shared.constants.push(bytesOf(data));
    const constant = this.shared.constants.length - 1;
    this.add({ kind: "constant", slot: this.define(node)[0], constant }, [node]);
  }
  alias(node, from2, to2) {
    this.add({ kind: "alias", from: this.slotOf(from2), to: to2 }, [node]);
  }
  library(node) {
    const { op } = node;
    const ins = node.inputs.map((v) => this.slotOf(v));
    const regions = node.regions.map((g) => new _RegionScheduler(this.shared).run(g));
    const outs = this.define(node);
    const { name, version: version3 } = op;
    this.add({ kind: "library", op: name, version: version3, ins, outs, attrs: this.attrs(node), regions }, [node]);
  }
  attrs(node) {
    return new Map(Object.entries(node.attrs).map(([name, value]) => [name, this.attr(value)]));
  }
  attr(value) {
    if (value instanceof SymDim) return { expr: this.shared.exprs.of(value) };
    if (typeof value === "bigint") return Number(value);
    if (typeof value !== "object") return value;
    return isAttrList(value) ? value.map((v) => this.attr(v)) : { bytes: bytesOf(value) };
  }
  /** The number of the expression for a size. */
  size(dim) {
    return this.shared.exprs.of(dim);
  }
};

// packages/core/src/runtime/recent-map.ts
var RecentMap = class {
  entries = /* @__PURE__ */ new Map();
  most;
  giveBack;
  onEvict;
  /**
   * @param most entries that are kept
   * @param giveBack is called with each value that leaves
   * @param onEvict is called after a half has left: whoever remembers values must forget them, so that must be rare
   */
  constructor(most, giveBack, onEvict) {
    this.most = most;
    this.giveBack = giveBack;
    this.onEvict = onEvict;
  }
  get size() {
    return this.entries.size;
  }
  /** The value of a key, which is now the one used last. */
  get(key) {
    const value = this.entries.get(key);
    if (value === void 0) return void 0;
    this.entries.delete(key);
    this.entries.set(key, value);
    return value;
  }
  /** Adds a value under a key that has none. */
  add(key, value) {
    if (this.entries.size >= this.most) this.evict();
    this.entries.set(key, value);
  }
  /** Gives all values back. */
  clear() {
    for (const value of this.entries.values()) this.giveBack(value);
    this.entries.clear();
  }
  evict() {
    for (const [key, value] of this.entries) {
      if (this.entries.size <= this.most / 2) break;
      this.giveBack(value);
      this.entries.delete(key);
    }
    this.onEvict();
  }
};

// packages/core/src/runtime/compiled-graph.ts
var maxBounds = 1024;
function claimsOf(backend) {
  return (op, ins, attrs) => findOp(op.name) === op && backend.claims(op, ins, attrs);
}
var CompiledGraph = class {
  symbols;
  compiler;
  programs;
  exe;
  results;
  nameOf;
  bounds;
  /**
   * @param symbols the sizes that `bind` takes, in order
   * @param lowered the graph that was compiled
   * @param nameOf what the compiler's `onBind` is told of the results
   */
  constructor(compiler, programs, exe, symbols, lowered2, nameOf4 = () => "program") {
    this.nameOf = nameOf4;
    this.compiler = compiler;
    this.programs = programs;
    this.exe = exe;
    this.symbols = symbols;
    this.results = lowered2.results.map((v) => v.aval);
    this.bounds = new RecentMap(
      maxBounds,
      (entry) => this.giveBack(entry),
      () => compiler.onEvict()
    );
  }
  /** The program for these values of the symbols. */
  bind(sizes) {
    const key = sizes.join();
    const seen = this.bounds.get(key);
    if (seen) return seen;
    const values = new Map(this.symbols.map((s, i) => [s, sizes[i]]));
    const outs = this.results.map((a) => {
      return this.compiler.typeOf({ dtype: a.dtype, shape: a.shape.map((d) => evaluateDim(d, values)) });
    });
    const bound2 = this.programs.bind(this.exe, sizes);
    const origin = this.compiler.onBind?.(bound2, outs, this.nameOf) ?? 0;
    const made2 = { bound: bound2, outs, origin, isLong: this.programs.isLong?.(bound2) ?? false, released: false };
    this.bounds.add(key, made2);
    return made2;
  }
  giveBack(entry) {
    entry.released = true;
    this.compiler.onRelease?.(entry);
    this.programs.releaseBound(entry.bound);
  }
  /** Gives the program and its bounds back. */
  release() {
    this.bounds.clear();
    this.programs.releaseExecutable(this.exe);
  }
};

// packages/core/src/runtime/slot-map.ts
var slotBits = 20;
var generations = 1 << 10;
var SlotMap = class {
  values = [];
  generation = [];
  free = [];
  size = 0;
  add(value) {
    const slot = this.free.pop() ?? this.values.length;
    this.values[slot] = value;
    this.generation[slot] ??= 0;
    this.size++;
    return this.generation[slot] * (1 << slotBits) + slot;
  }
  get(id, what) {
    const slot = id & (1 << slotBits) - 1;
    const value = this.generation[slot] === id >> slotBits ? this.values[slot] : void 0;
    if (value === void 0) throw new MillraceError("E_DISPOSED", `${what} ${id} is not there any more`);
    return value;
  }
  /** Every value. */
  *all() {
    for (const value of this.values) if (value !== void 0) yield value;
  }
  /** Takes a value out; undefined where it has gone already. */
  remove(id) {
    const slot = id & (1 << slotBits) - 1;
    if (this.generation[slot] !== id >> slotBits) return void 0;
    const value = this.values[slot];
    if (value === void 0) return void 0;
    this.values[slot] = void 0;
    this.generation[slot] = (this.generation[slot] + 1) % generations;
    this.free.push(slot);
    this.size--;
    return value;
  }
};

// packages/core/src/runtime/host-calls.ts
var isHostCall = (node) => node.op.kind === "custom" || node.regions.some(hasHostCalls);
function hasHostCalls(graph) {
  return graph.nodes.some(isHostCall);
}
function customOpsOf(graph) {
  return graph.nodes.flatMap((node) => [
    ...node.op.kind === "custom" ? [node] : [],
    ...node.regions.flatMap(customOpsOf)
  ]);
}
function programsOf(graph) {
  return planStages(graph).filter(({ part: part2 }) => part2 !== null).length;
}
function planStages(graph) {
  const groups = groupByDepth(graph);
  return groups.map((nodes, i) => {
    const own = new Set(nodes.filter((node) => !isHostCall(node)));
    const calls = nodes.filter(isHostCall);
    const isLast2 = i === groups.length - 1;
    const later = [...calls, ...groups.slice(i + 1).flat()].flatMap((node) => node.inputs);
    const made2 = [...later, ...graph.results].filter((v) => v.node && own.has(v.node));
    const results = isLast2 ? graph.results : [...new Set(made2)];
    const used = [...[...own].flatMap((node) => node.inputs), ...results];
    const args = [...new Set(used.filter((v) => !v.node || !own.has(v.node)))];
    const part2 = own.size > 0 || isLast2 ? partOf2(graph, own, args, results, i === 0) : null;
    return { part: part2, args, results, calls };
  });
}
function groupByDepth(graph) {
  const groups = [[]];
  const after = /* @__PURE__ */ new Map();
  let afterEffects = 0;
  for (const node of graph.nodes) {
    const depths = node.inputs.map((v) => v.node ? after.get(v.node) : 0);
    const depth = Math.max(0, node.effect ? afterEffects : 0, ...depths);
    after.set(node, depth + (isHostCall(node) ? 1 : 0));
    if (node.effect) afterEffects = after.get(node);
    groups[depth] ??= [];
    groups[depth].push(node);
  }
  if (groups.at(-1).some(isHostCall)) groups.push([]);
  return groups;
}
function partOf2(graph, own, args, results, isFirst) {
  const builder = new GraphBuilder();
  if (isFirst) for (const guard2 of graph.guards) builder.guard(guard2);
  const params = new Map(args.map((v) => [v, builder.param(v.aval)]));
  const copies = /* @__PURE__ */ new Map();
  const copy2 = (v) => params.get(v) ?? copies.get(v.node)[v.index];
  for (const node of own)
    copies.set(node, builder.apply(node.op, node.inputs.map(copy2), node.attrs, node.regions, node.sites));
  return builder.finish(results.map(copy2), graph.stage);
}
var HostCalls = class {
  graphs = new SlotMap();
  bounds = new SlotMap();
  backend;
  device;
  constructor(backend, device2) {
    this.backend = backend;
    this.device = device2;
  }
  compile(graph, symbols) {
    const stages = planStages(graph).map(({ part: part2, calls, ...plan }) => ({
      ...plan,
      exe: part2 && this.compileWhole(part2, symbols),
      calls: calls.map((node) => ({ node, regions: node.regions.map((region2) => this.compileAny(region2, symbols)) }))
    }));
    return ~this.graphs.add({ symbols, stages });
  }
  compileWhole(graph, symbols) {
    const program = encodeProgram(schedule(graph, symbols, { fusion: this.backend.fusion }));
    return this.backend.compile(program, this.device);
  }
  compileAny(graph, symbols) {
    return hasHostCalls(graph) ? this.compile(graph, symbols) : this.compileWhole(graph, symbols);
  }
  bind(exe, sizes) {
    const split2 = this.graphs.get(~exe, "executable");
    const bindAny = (one) => one < 0 ? this.bind(one, sizes) : this.backend.bind(one, sizes);
    const stages = split2.stages.map((stage) => ({
      part: stage.exe === null ? null : this.backend.bind(stage.exe, sizes),
      regions: stage.calls.map(({ regions }) => regions.map(bindAny))
    }));
    return ~this.bounds.add({ split: split2, stages, sizes: new Map(split2.symbols.map((s, i) => [s, sizes[i]])) });
  }
  run(bound2, args) {
    const { split: split2, stages, sizes } = this.bounds.get(~bound2, "bound program");
    const known3 = /* @__PURE__ */ new Map([[null, [...args]]]);
    const read = (v) => known3.get(v.node)[v.index];
    const made2 = [];
    let results = [];
    try {
      for (const [i, stage] of split2.stages.entries()) {
        const { part: part2, regions } = stages[i];
        results = part2 === null ? [] : this.backend.run(part2, stage.args.map(read), []);
        if (i === split2.stages.length - 1) break;
        made2.push(...results);
        for (const [k, v] of stage.results.entries()) {
          if (!known3.has(v.node)) known3.set(v.node, []);
          known3.get(v.node)[v.index] = results[k];
        }
        for (const [k, { node }] of stage.calls.entries()) {
          const ins = node.inputs.map(read);
          const outs = this.call(node, regions[k], ins, sizes);
          made2.push(...outs.filter((buf) => !ins.includes(buf)));
          known3.set(node, [...outs]);
        }
      }
      return results;
    } finally {
      for (const buf of made2) this.backend.free(buf);
    }
  }
  releaseBound(bound2) {
    for (const { part: part2, regions } of this.bounds.remove(~bound2)?.stages ?? []) {
      if (part2 !== null) this.backend.releaseBound(part2);
      for (const region2 of regions.flat()) (region2 < 0 ? this : this.backend).releaseBound(region2);
    }
  }
  releaseExecutable(exe) {
    for (const { exe: part2, calls } of this.graphs.remove(~exe)?.stages ?? []) {
      if (part2 !== null) this.backend.releaseExecutable(part2);
      for (const region2 of calls.flatMap((call) => call.regions))
        (region2 < 0 ? this : this.backend).releaseExecutable(region2);
    }
  }
  call(node, regions, ins, sizes) {
    const { name } = node.op;
    if (node.op.kind === "custom") return this.callReference(node, ins, sizes);
    if (name === "cond") {
      const isTrue = this.readBytes(name, ins[0])[0] !== 0;
      return this.runAny(regions[isTrue ? 0 : 1], ins.slice(1));
    }
    if (name === "whileLoop") return this.loop(node, regions, ins);
    return this.runAny(regions[0], ins);
  }
  runAny(bound2, args) {
    return bound2 < 0 ? this.run(bound2, args) : this.backend.run(bound2, args, []);
  }
  loop(node, [condition, body], ins) {
    const { backend } = this;
    const { carried } = node.attrs;
    const constants = ins.slice(carried);
    let carry = ins.slice(0, carried);
    const free = (bufs) => {
      for (const buf of bufs) if (!ins.includes(buf)) backend.free(buf);
    };
    try {
      for (; ; ) {
        const tests = this.runAny(condition, [...carry, ...constants]);
        const goesOn = this.readBytes(node.op.name, tests[0])[0] !== 0;
        free(tests);
        if (!goesOn) return carry;
        const next = this.runAny(body, [...carry, ...constants]);
        free(carry);
        carry = next;
      }
    } catch (error) {
      free(carry);
      throw error;
    }
  }
  readBytes(name, buf) {
    const { backend } = this;
    if (backend.readSync) return backend.readSync(buf);
    const why = `the ${backend.name} backend cannot read at once, as an op from outside of core needs`;
    throw new MillraceError("E_UNIMPLEMENTED", `${name}: ${why}`, { op: name });
  }
  /** Runs one op by its definition. */
  callReference(node, ins, sizes) {
    const { backend } = this;
    const { op } = node;
    const shapeOf3 = (v) => v.shape.map((d) => evaluateDim(d, sizes));
    const read = ({ aval }, buf) => {
      return { dtype: aval.dtype, shape: shapeOf3(aval), data: viewAs(aval.dtype, this.readBytes(op.name, buf)) };
    };
    const attrs = Object.fromEntries(
      Object.entries(node.attrs).map(([name, value]) => [name, mapAttr(value, (d) => evaluateDim(d, sizes))])
    );
    const outs = node.outs.map((aval) => hostArray(aval.dtype, shapeOf3(aval)));
    op.reference(
      node.inputs.map((v, i) => read(v, ins[i])),
      attrs,
      outs
    );
    return outs.map((out) => backend.upload(bytesOf(out.data), { dtype: out.dtype, shape: out.shape }, this.device));
  }
};

// packages/core/src/passes/watch-numerics.ts
var watchNumerics = { name: "watchNumerics", from: "traced", to: "traced", run: watch };
var moves = /* @__PURE__ */ new Set(["constant", "shape", "select", "effect", "control"]);
function watch(graph) {
  const checked = /* @__PURE__ */ new Set();
  const infinite = /* @__PURE__ */ new Map();
  return rewriteGraph(graph, (builder, op, ins, attrs, regions, node) => {
    const b = buildingOps(builder);
    const goesOn = node.outs.some((aval) => isFloat({ aval })) && op.kind !== "effect" && op.name !== "identity";
    for (const [i, x] of ins.entries()) {
      if (!goesOn || !isFloat(x) || !comesFromOutside(x) || checked.has(x)) continue;
      checked.add(x);
      stop(b, b.not([anyOf(b, isNaN2(b, x))]), `operand ${i} of ${op.name} has NaN from outside`, node);
    }
    const outs = builder.apply(op, ins, attrs, regions);
    if (moves.has(op.kind) || regions.length > 0) return outs;
    const isInfinite = (x) => remember(infinite, x, () => anyOf(b, isInf2(b, x)));
    for (const y of outs.filter(isFloat)) {
      const name = nameOf(op, outs, y);
      stop(b, b.not([anyOf(b, isNaN2(b, y))]), `${name} made NaN`, node);
      const given = ins.filter(isFloat).map(isInfinite);
      stop(
        b,
        [b.not([isInfinite(y)]), ...given].reduce((p, q) => b.or([p, q])),
        `${name} made \u221E of finite operands`,
        node
      );
    }
    return outs;
  });
}
var comesFromOutside = (x) => x.node === null || x.node.op.kind === "constant";
var nameOf = ({ name }, outs, y) => outs.length > 1 ? `${name} (result ${outs.indexOf(y)})` : name;
var isNaN2 = (b, x) => b.ne([x, x]);
var isInf2 = (b, x) => b.not([b.or([b.isFinite([x]), isNaN2(b, x)])]);
var anyOf = (b, x) => b.reduceOr([x], { axes: axesOf(x.aval.shape.length) });
function stop(b, holds, what, { sites: [site] }) {
  b.assert([holds, holds], { message: withSite(`tf.debugging.enableCheckNumerics: ${what}`, site) });
}

// packages/core/src/runtime/numerics.ts
var numerics = { watched: false };
function withChecks(graph) {
  const located2 = asserts(graph) ? locateAsserts(graph) : graph;
  return numerics.watched ? watchNumerics.run(located2) : located2;
}
function asserts(graph) {
  return graph.nodes.some((node) => node.op === assertOp || node.regions.some(asserts));
}
function locateAsserts(graph) {
  return rewriteGraph(graph, (builder, op, ins, _attrs, regions, node) => {
    return op === assertOp ? builder.apply(op, ins, { message: located(node) }, regions) : void 0;
  });
}
var located = ({ attrs, sites: [site] }) => withSite(String(attrs.message), site);

// packages/core/src/runtime/origins.ts
var uploaded = "upload";
var inVariable = "variable";
var keptNumber = "number";
var functionName = (name) => `${name || "fn"}()`;
var minSweep = 4096;
var OriginTable = class {
  /** Whether buffers are told apart by the line that asked for them. A stack costs more than an op. */
  tracksSites = false;
  entries = /* @__PURE__ */ new Map();
  /** Those that are no results of bound programs, by type, then name and site. */
  shared = /* @__PURE__ */ new Map();
  keepers = /* @__PURE__ */ new Set();
  next = 1;
  sweepAt = minSweep;
  /** Numbers for the results of a new bound program; the first one, or 0 where the backend keeps none. */
  enter({ origins: origins2 }, bound2, outs, nameOf4) {
    if (!origins2) return 0;
    this.makeRoom(origins2);
    const first2 = this.next;
    for (const [i, type] of outs.entries()) this.add({ op: nameOf4(i), type, site: void 0, held: true });
    if (bound2 >= 0) origins2.setBound(bound2, first2);
    return first2;
  }
  /** The bound program was given back; what it made may live on. */
  leave({ origin, outs }) {
    for (const i of outs.keys()) {
      const entry = this.entries.get(origin + i);
      if (entry) entry.held = false;
    }
  }
  /** Says what made a buffer that no bound program made, or what it is from now on. */
  mark(type, buf, op) {
    const { origins: origins2 } = type.device.backend;
    origins2?.set(buf, this.of(origins2, type, op, op === keptNumber ? void 0 : this.site()));
  }
  /** As `mark`, for the results of a program with host calls: those that are no argument passed through. */
  markResults({ origin, outs }, bufs) {
    for (const [i, { device: device2 }] of outs.entries()) device2.backend.origins?.set(bufs[i], origin + i, 0);
  }
  /** Tells the results of a program apart by the user's line that is running it. */
  markSite({ origin, outs }, bufs) {
    const site = this.site();
    for (const [i, type] of outs.entries()) {
      const { origins: origins2 } = type.device.backend;
      const entry = this.entries.get(origin + i);
      if (origins2 && entry) origins2.set(bufs[i], this.of(origins2, type, entry.op, site), origin + i);
    }
  }
  /** The meaning of a number; undefined for 0. */
  get(origin) {
    return this.entries.get(origin);
  }
  /** How many numbers have a meaning. */
  get size() {
    return this.entries.size;
  }
  site() {
    return this.tracksSites ? captureSites(1)[0] : void 0;
  }
  of(keeper, type, op, site) {
    const key = keyOf2(op, site);
    const known3 = this.shared.get(type)?.get(key);
    if (known3 !== void 0) return known3;
    this.makeRoom(keeper);
    const made2 = this.add({ op, type, site, held: false });
    remember(this.shared, type, () => /* @__PURE__ */ new Map()).set(key, made2);
    return made2;
  }
  add(entry) {
    this.entries.set(this.next, entry);
    return this.next++;
  }
  /** Forgets what no live buffer is of, whenever the table has doubled. */
  makeRoom(keeper) {
    this.keepers.add(keeper);
    if (this.entries.size < this.sweepAt) return;
    const live = new Set([...this.keepers].flatMap((one) => [...one.live()].map(({ origin }) => origin)));
    for (const [origin, { op, type, site, held }] of this.entries) {
      if (held || live.has(origin)) continue;
      this.entries.delete(origin);
      const names = this.shared.get(type);
      const key = keyOf2(op, site);
      if (names?.get(key) !== origin) continue;
      names.delete(key);
      if (names.size === 0) this.shared.delete(type);
    }
    this.sweepAt = Math.max(minSweep, 2 * this.entries.size);
  }
};
function keyOf2(op, site) {
  return site ? `${op} ${formatSite(site)}` : op;
}
var origins = new OriginTable();

// packages/core/src/runtime/tensor-type.ts
var TensorType = class {
  id;
  dtype;
  shape;
  device;
  /** Elements; NaN where a size is not known. */
  size;
  bytes;
  constructor(id, aval, device2) {
    this.id = id;
    this.dtype = aval.dtype;
    this.shape = Object.freeze([...aval.shape]);
    this.device = device2;
    this.size = this.shape.reduce((n, d) => n * (typeof d === "number" ? d : Number.NaN), 1);
    this.bytes = this.size * dtypes[this.dtype].bytes;
  }
};
var TypeTable = class {
  types = /* @__PURE__ */ new Map();
  scalars = /* @__PURE__ */ new Map();
  device;
  next = 1;
  constructor(device2) {
    this.device = device2;
  }
  /** The type of rank 0; asked for in eager calls with a number. */
  scalar(dtype) {
    return remember(this.scalars, dtype, () => this.of({ dtype, shape: [] }));
  }
  of(aval) {
    return remember(this.types, formatAval(aval), () => new TensorType(this.next++, aval, this.device));
  }
};

// packages/core/src/runtime/device.ts
var Device = class {
  name;
  backend;
  index;
  types;
  hostCalls;
  /** Called when a bound is given back: whoever remembers bounds must forget them. */
  onEvict = () => {
  };
  constructor(backend, index) {
    this.backend = backend;
    this.index = index;
    this.name = backend.devices()[index].name;
    this.types = new TypeTable(this);
    this.hostCalls = new HostCalls(backend, index);
  }
  typeOf(aval) {
    return this.types.of(aval);
  }
  /**
   * Runs a program that an assertion may stop: nothing is donated, and it is waited for, so that variables are as they
   * were when it fails, also where it was queued.
   */
  runToEnd(program, args) {
    const { outs } = program;
    const made2 = this.run(program, args, []);
    const smallest = outs.reduce((best, type, i) => type.bytes < outs[best].bytes ? i : best, 0);
    try {
      this.backend.readSync?.(made2[smallest]);
    } catch (error) {
      for (const buf of made2) this.backend.free(buf);
      throw error;
    }
    return made2;
  }
  /** A traced graph after the passes for this device. */
  lower(graph) {
    return optimize(graph, claimsOf(this.backend));
  }
  /**
   * Compiles a traced graph. `nameOf` says what tf.memory() calls its results. `symbols` fixes the order in which sizes
   * are given; else it is that of appearance.
   */
  compile(graph, nameOf4, symbols = [...symbolsOfGraph(graph)]) {
    const { backend, hostCalls } = this;
    const lowered2 = this.lower(withChecks(graph));
    if (hasHostCalls(lowered2))
      return new CompiledGraph(this, hostCalls, hostCalls.compile(lowered2, symbols), symbols, lowered2, nameOf4);
    const program = encodeProgram(schedule(lowered2, symbols, { fusion: backend.fusion }));
    return new CompiledGraph(this, backend, backend.compile(program, this.index), symbols, lowered2, nameOf4);
  }
  /** Runs a bound program; those with host calls have negative numbers. `renew` as `Backend.run` says. */
  run(program, args, donate, renew = []) {
    const { bound: bound2 } = program;
    const made2 = bound2 < 0 ? this.hostCalls.run(bound2, args) : this.backend.run(bound2, args, donate, renew);
    if (bound2 < 0) origins.markResults(program, made2);
    if (origins.tracksSites) origins.markSite(program, made2);
    return made2;
  }
  onBind(bound2, outs, nameOf4) {
    return origins.enter(this.backend, bound2, outs, nameOf4);
  }
  onRelease(program) {
    origins.leave(program);
  }
};

// packages/core/src/runtime/backends.ts
var registrations = /* @__PURE__ */ new Map();
var devices = /* @__PURE__ */ new Map();
var current = null;
function addBackend(name, factory, priority) {
  if (!registrations.has(name)) registrations.set(name, { name, factory, priority });
}
function byPriority() {
  return [...registrations.values()].sort((a, b) => b.priority - a.priority);
}
function start(r) {
  if (r.started) return r.started;
  if (r.starting) return r.starting;
  if (r.failure !== void 0) throw r.failure;
  try {
    const made2 = r.factory();
    if (!(made2 instanceof Promise)) return adopt(r, made2);
    r.starting = made2.then((b) => adopt(r, b));
    r.starting.catch((error) => {
      r.failure = error;
    });
    return r.starting;
  } catch (error) {
    r.failure = error;
    throw error;
  }
}
function adopt(r, backend) {
  if (backend.version !== void 0 && backend.version !== version) {
    const both2 = `the ${r.name} backend is version ${backend.version}, @millrace/core ${version}`;
    throw new MillraceError("E_VERSION", `${both2}: install one version of both`);
  }
  const taken = backend.devices().find((info) => devices.has(info.name));
  if (taken) {
    const why = `the ${r.name} backend has a device called ${taken.name}, as the ${devices.get(taken.name).backend.name} backend has`;
    throw new MillraceError("E_BACKEND", `${why}: give it another name`);
  }
  r.started = backend;
  for (const [i, info] of backend.devices().entries()) devices.set(info.name, new Device(backend, i));
  return backend;
}
function firstDevice(backend) {
  return devices.get(backend.devices()[0].name);
}
function currentDevice() {
  if (current) return current;
  const reasons = [];
  let waiting;
  for (const r of byPriority()) {
    try {
      const backend = start(r);
      if (!(backend instanceof Promise)) {
        current = firstDevice(backend);
        return current;
      }
      waiting ??= r.name;
    } catch (error) {
      reasons.push(reasonOf(r, error));
    }
  }
  if (waiting)
    throw new MillraceError(
      "E_BACKEND_NOT_READY",
      `the ${waiting} backend starts asynchronously: await tf.ready() first`
    );
  throw new MillraceError("E_BACKEND", `no backend could be started${reasons.map((x) => `
  ${x}`).join("")}`);
}
function reasonOf({ name }, error) {
  if (isMillraceError(error, "E_VERSION") || isMillraceError(error, "E_ARGUMENT")) throw error;
  return `${name}: ${messageOf(error)}`;
}
function messageOf(error) {
  if (isMillraceError(error)) return error.reason;
  return error instanceof Error ? error.message : String(error);
}
function deviceNamed(name) {
  const exact = devices.get(name) ?? devices.get(`${name}:0`);
  if (exact) return exact;
  const r = registrations.get(name.split(":")[0]);
  if (r && !r.started) {
    const backend = start(r);
    if (backend instanceof Promise)
      throw new MillraceError(
        "E_BACKEND_NOT_READY",
        `the ${r.name} backend starts asynchronously: await tf.setBackend("${r.name}") first`
      );
    return deviceNamed(name);
  }
  throw new MillraceError(
    "E_DEVICE",
    `no device is called ${name}; there are ${[...devices.keys()].join(", ") || "none"}`
  );
}

// packages/core/src/runtime/call-cache.ts
var tableSize = 64;
var CallCache = class {
  inline1 = [];
  inline2 = [];
  tables = [];
  find(op, device2, ins, attrs) {
    const entry = this.tables[op.id]?.[slotOf(ins)];
    if (!entry || entry.device !== device2 || entry.ins.length !== ins.length) return void 0;
    for (let i = 0; i < ins.length; i++) if (entry.ins[i] !== ins[i].type) return void 0;
    if (!sameAttrs(attrs, entry.attrs)) return void 0;
    this.fillInline(op, ins, attrs, entry.bound);
    return entry.bound;
  }
  add(op, device2, ins, attrs, bound2) {
    this.tables[op.id] ??= new Array(tableSize);
    const table = this.tables[op.id];
    table[slotOf(ins)] = { device: device2, ins: ins.map((x) => x.type), attrs, bound: bound2 };
    this.fillInline(op, ins, attrs, bound2);
  }
  clear() {
    this.inline1 = [];
    this.inline2 = [];
    this.tables = [];
  }
  fillInline(op, ins, attrs, { bound: bound2, outs, isLong }) {
    const [out, a, b] = [outs[0], ins[0]?.type, ins[1]?.type];
    if (outs.length !== 1 || !out || !a || bound2 < 0 || isLong) return;
    const { backend } = a.device;
    if (ins.length === 1) {
      const run1 = backend.run1?.bind(backend) ?? ((id, x) => backend.run(id, [x], [])[0]);
      this.inline1[op.id] = { a, attrs, out, bound: bound2, run1 };
    } else if (ins.length === 2 && b && sameAttrs(attrs, noAttrs)) {
      const run2 = backend.run2?.bind(backend) ?? ((id, x, y) => backend.run(id, [x, y], [])[0]);
      this.inline2[op.id] = { a, b, out, bound: bound2, run2 };
    }
  }
};
function slotOf(ins) {
  let hash = 0;
  for (let i = 0; i < ins.length; i++) hash = hash * 31 + ins[i].type.id | 0;
  return hash & tableSize - 1;
}

// packages/core/src/runtime/eager.ts
var SizePattern = class {
  sizes = [];
  symbols = [];
  /** 0, 1, or the number of the symbol plus 2. */
  code(size) {
    if (size === 0 || size === 1) return size;
    let at = this.sizes.indexOf(size);
    if (at < 0) at = this.sizes.push(size) - 1;
    return at + 2;
  }
  dim(size) {
    const code = this.code(size);
    if (code < 2) return code;
    while (this.symbols.length < this.sizes.length) {
      const value = this.sizes[this.symbols.length];
      this.symbols.push(symbol(`s${this.symbols.length}`, value < 0 ? Number.MIN_SAFE_INTEGER : 2));
    }
    return this.symbols[code - 2];
  }
};
var maxPrograms = 1024;
var EagerPrograms = class {
  programs;
  device;
  constructor(device2) {
    this.device = device2;
    this.programs = new RecentMap(
      maxPrograms,
      (program) => program.release(),
      () => device2.onEvict()
    );
  }
  get count() {
    return this.programs.size;
  }
  release() {
    this.programs.clear();
  }
  /** The program for an op on these operands, whose rules already hold. */
  bind(op, ins, attrs) {
    const pattern = new SizePattern();
    let key = `${op.id}`;
    for (const { dtype, shape } of ins) key += `|${dtype}${shape.map((d) => pattern.code(Number(d))).join()}`;
    for (const name in attrs) key += `|${name}:${this.attrPart(op, name, attrs[name], pattern)}`;
    return this.program(key, op, ins, attrs).bind(pattern.sizes);
  }
  program(key, op, ins, attrs) {
    const seen = this.programs.get(key);
    if (seen) return seen;
    const made2 = this.compile(op, ins, attrs);
    this.programs.add(key, made2);
    return made2;
  }
  attrPart(op, name, value, pattern) {
    if (!op.sizeAttrs?.includes(name)) return attrKey(value);
    return attrKey(mapAttr(value, (d) => pattern.code(Number(d))));
  }
  compile(op, ins, attrs) {
    const pattern = new SizePattern();
    const builder = new GraphBuilder();
    const params = ins.map((a) => builder.param({ dtype: a.dtype, shape: a.shape.map((d) => pattern.dim(Number(d))) }));
    const entries = Object.entries(attrs).map(([name, value]) => {
      return [name, op.sizeAttrs?.includes(name) ? mapAttr(value, (d) => pattern.dim(Number(d))) : value];
    });
    const results = builder.apply(op, params, Object.fromEntries(entries));
    return this.device.compile(
      builder.finish(results),
      () => op.name,
      pattern.sizes.map((_, i) => `s${i}`)
    );
  }
};
var EagerDevices = class {
  programs = /* @__PURE__ */ new Map();
  onEvict;
  /** `onEvict` is called when bounds were given back: whoever remembers them must forget them. */
  constructor(onEvict) {
    this.onEvict = onEvict;
  }
  of(device2) {
    return remember(this.programs, device2, () => {
      device2.onEvict = this.onEvict;
      return new EagerPrograms(device2);
    });
  }
  /** Gives them all back. */
  release() {
    for (const programs of this.programs.values()) programs.release();
    this.programs.clear();
  }
};

// packages/core/src/runtime/explain.ts
function explainRule(error, op, ins, attrs) {
  if (!(error instanceof RuleError)) return error;
  const repair = offerRepair(op, ins, attrs);
  const parts2 = [
    error.reason,
    ins.length > 0 ? `  operands: ${ins.map(formatAval).join(", ")}` : "",
    `  rule: ${error.rule}`,
    repair ? `  ${repair}` : ""
  ];
  return new MillraceError(error.code, parts2.filter(Boolean).join("\n"), {
    op: error.op ?? op.name,
    shapes: ins.map((a) => a.shape.map((d) => typeof d === "number" ? d : d.key)),
    dtypes: ins.map((a) => a.dtype),
    ...error.rule === void 0 ? {} : { rule: error.rule },
    ...error.site ? { site: error.site } : {}
  });
}

// packages/core/src/runtime/graph-programs.ts
var GraphPrograms = class {
  programs = /* @__PURE__ */ new WeakMap();
  wrapped = /* @__PURE__ */ new WeakMap();
  names = /* @__PURE__ */ new WeakMap();
  numbers = /* @__PURE__ */ new WeakMap();
  nextNumber = 0;
  /** Says what tf.memory() calls the results of a graph. */
  nameResults(graph, nameOf4) {
    this.names.set(graph, nameOf4);
  }
  /** The program of a graph, bound to the sizes of these arguments. */
  bind(graph, device2, args) {
    const byDevice = remember(this.programs, graph, () => /* @__PURE__ */ new Map());
    const key = numerics.watched ? `${device2.name} watched` : device2.name;
    const program = remember(byDevice, key, () => device2.compile(graph, this.names.get(graph)));
    const { symbols } = program;
    return program.bind(
      symbols.length === 0 ? [] : symbolValues(
        graph,
        args.map((x) => x.aval),
        symbols
      )
    );
  }
  /** Gives a graph's programs back. It is compiled anew where it is run again. */
  release(graph) {
    for (const program of this.programs.get(graph)?.values() ?? []) program.release();
    this.programs.delete(graph);
  }
  /** Runs an op that has regions: its graph is the op alone. */
  runOp(engine2, device2, op, ins, attrs, regions) {
    return engine2.runBound(device2, this.bind(this.wrap(op, ins, attrs, regions), device2, ins), ins);
  }
  /** A number for each graph that was asked for, so that keys tell them apart. */
  numberOf(graph) {
    return remember(this.numbers, graph, () => this.nextNumber++);
  }
  /** A graph of one op, the same for the same regions, attributes and operand types. */
  wrap(op, ins, attrs, regions) {
    const [region2] = regions;
    if (op.name === "call" && region2) return region2;
    const known3 = remember(this.wrapped, region2, () => /* @__PURE__ */ new Map());
    const others = regions.slice(1).map((other) => this.numberOf(other));
    const key = `${op.name}${attrsKey(attrs)} ${others.join()} ${ins.map((x) => formatAval(x.aval)).join()}`;
    return remember(known3, key, () => {
      const builder = new GraphBuilder();
      const params = ins.map((x) => builder.param(x.aval));
      const graph = builder.finish(builder.apply(op, params, attrs, regions));
      this.nameResults(graph, () => op.name);
      return graph;
    });
  }
};

// packages/core/src/runtime/host-values.ts
var tagOf = (x) => Object.prototype.toString.call(x).slice(8, -1);
var dtypeOfArray = {
  Float32Array: "float32",
  Float64Array: "float64",
  Int32Array: "int32",
  BigInt64Array: "int64",
  Uint8Array: "uint8",
  Uint8ClampedArray: "uint8"
};
function readLiteral(value, dtype) {
  if (dtype !== void 0 && !isDType(dtype)) {
    const known3 = Object.keys(dtypes).join(", ");
    throw new MillraceError("E_DTYPE", `there is no dtype ${String(dtype)}; there are ${known3}`);
  }
  const own = ArrayBuffer.isView(value) ? dtypeOfArray[tagOf(value)] : void 0;
  if (own) {
    const data2 = value;
    return { dtype: dtype ?? own, shape: [data2.length], data: dtype && dtype !== own ? convert(data2, dtype) : data2 };
  }
  const shape = shapeOf(value);
  const leaves = [];
  flatten3(value, shape, 0, leaves);
  const type = dtype ?? dtypeOfLeaf(leaves[0]);
  const data = allocate(type, leaves.length);
  for (let i = 0; i < leaves.length; i++) data[i] = toElement(type, leaves[i]);
  return { dtype: type, shape, data };
}
function convert(data, dtype) {
  const out = allocate(dtype, data.length);
  for (let i = 0; i < data.length; i++) out[i] = toElement(dtype, data[i]);
  return out;
}
function dtypeOfLeaf(leaf) {
  if (typeof leaf === "boolean") return "bool";
  return typeof leaf === "bigint" ? "int64" : "float32";
}
function shapeOf(value) {
  const shape = [];
  let at = value;
  while (isList(at)) {
    shape.push(at.length);
    at = at[0];
  }
  return shape;
}
function isList(value) {
  return Array.isArray(value) || ArrayBuffer.isView(value) && "length" in value;
}
function flatten3(value, shape, axis, into) {
  if (axis === shape.length) {
    if (isList(value)) throw ragged(axis);
    const kind = typeof value;
    if (kind !== "number" && kind !== "bigint" && kind !== "boolean") {
      throw new MillraceError("E_DTYPE", `tensor: ${value === null ? "null" : kind} is no element of a tensor`);
    }
    into.push(value);
    return;
  }
  if (!isList(value) || value.length !== shape[axis]) throw ragged(axis);
  for (let i = 0; i < value.length; i++) flatten3(value[i], shape, axis + 1, into);
}
function ragged(axis) {
  return new MillraceError("E_SHAPE", `tensor: rows have different lengths along axis ${axis}`);
}
function nest(data, dtype, shape) {
  let at = 0;
  const level = (axis) => {
    if (axis === shape.length) {
      const x = data[at++];
      return dtype === "bool" ? x !== 0 : x;
    }
    return Array.from({ length: shape[axis] }, () => level(axis + 1));
  };
  return level(0);
}
function previewOf(data, dtype, shape) {
  const edge3 = countOf(shape) > 1e3 ? 3 : Number.POSITIVE_INFINITY;
  const strides = shape.map((_, i) => countOf(shape.slice(i + 1)));
  const show2 = (offset) => {
    const x = data[offset];
    if (dtype === "bool") return x ? "true" : "false";
    return dtypes[dtype].isFloat ? `${Number(Number(x).toPrecision(7))}` : `${x}`;
  };
  const level = (axis, offset) => {
    if (axis === shape.length) return show2(offset);
    const n = shape[axis];
    const skip = n > 2 * edge3;
    const rows = [];
    for (let i = 0; i < n; i++) {
      if (skip && i === edge3) rows.push("\u2026");
      if (skip && i >= edge3 && i < n - edge3) continue;
      rows.push(level(axis + 1, offset + i * strides[axis]));
    }
    return `[${rows.join(axis === shape.length - 1 ? ", " : `,
${" ".repeat(axis + 1)}`)}]`;
  };
  return level(0, 0);
}

// packages/core/src/runtime/moving.ts
var Mover = class {
  host;
  op;
  constructor(host) {
    this.host = host;
    this.op = internalComposite({
      name: "to",
      version: 1,
      arity: 1,
      infer: ([x]) => [x],
      lower: (_b, [x]) => [x],
      // boundary: only eager code moves, and its values are tensors
      vjp: (_b, [g], [x]) => [this.move(g, x.type.device)],
      batch: "lower"
    });
  }
  move(x, device2) {
    const made2 = this.host.copy(x, device2);
    this.host.record(this.op, x, made2);
    return made2;
  }
};

// packages/core/src/runtime/pages.ts
var pageTensors = 64;
var pageBytes = 16384;
var tensorOverhead = 256;
var OpenPage = class {
  /** What the next tensor holds. */
  token = {};
  bufs = [];
  bytes = 0;
  /** Bytes since the reclaimer last had its turn. */
  allocated = 0;
  /**
   * Enters a buffer; its tensor holds the token that was there before the call. One that takes another's place is no new
   * memory: an optimizer's step, which renews every weight, leaves nothing to collect.
   */
  add(type, buf, isNew = true) {
    this.bufs.push(buf);
    this.bytes += type.bytes;
    if (isNew) this.allocated += type.bytes + tensorOverhead;
    if (this.bufs.length === pageTensors || this.bytes >= pageBytes) this.close(type);
  }
  close(type) {
    const { reclaimer } = type.device.backend;
    reclaimer.page(this.token, this.bufs);
    this.token = {};
    this.bufs.length = 0;
    this.bytes = 0;
    if (this.allocated < reclaimer.due) return;
    this.allocated = 0;
    reclaimer.pressure();
  }
};

// packages/core/src/runtime/scalars.ts
var maxScalars = 256;
var Scalars = class {
  known = /* @__PURE__ */ new Map();
  of(type, value, make) {
    const values = remember(this.known, type, () => /* @__PURE__ */ new Map());
    if (values.size >= maxScalars) values.clear();
    return remember(values, value, make);
  }
  /** How many numbers of a type are kept. */
  count(type) {
    return this.known.get(type)?.size ?? 0;
  }
  /** What is kept, so that tf.memory() can leave it out. */
  owned() {
    let tensors = 0;
    let bytes = 0;
    for (const [type, values] of this.known) {
      tensors += values.size;
      bytes += values.size * type.bytes;
    }
    return { tensors, bytes };
  }
};

// packages/core/src/types/signal.ts
function throwIfAborted(signal) {
  if (signal?.aborted) throw signal.reason;
}
function untilAborted(pending, signal, late) {
  if (!signal?.addEventListener) return pending;
  return new Promise((resolve, reject) => {
    let isLate = false;
    const abort = () => {
      isLate = true;
      reject(signal.reason);
    };
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort);
    const settle = (then) => {
      signal.removeEventListener?.("abort", abort);
      then();
    };
    Promise.resolve(pending).then(
      (value) => settle(() => isLate ? late(value) : resolve(value)),
      (error) => settle(() => reject(error))
    ).catch(() => {
    });
  });
}

// packages/core/src/runtime/logger.ts
var nothing = () => {
};
var silent = { debug: nothing, info: nothing, warn: nothing, error: nothing };
var standard = {
  debug: nothing,
  info: (m) => print("error", m),
  warn: (m) => print("warn", m),
  error: (m) => print("error", m)
};
function print(method, message) {
  unwatched(platform.console[method]).call(platform.console, message);
}
var current2 = standard;
var warned = /* @__PURE__ */ new Set();
function setLogger(logger = standard) {
  current2 = logger === null ? silent : { ...silent, ...logger };
}
function log2() {
  return current2;
}
function warnOnce(code, place2, message) {
  const key = `${code} ${place2}`;
  if (warned.has(key)) return;
  warned.add(key);
  current2.warn(`${code}: ${message}`);
}

// packages/core/src/runtime/tensor.ts
var nextId2 = 0;
var inspect = /* @__PURE__ */ Symbol.for("nodejs.util.inspect.custom");
var TensorImpl = class {
  /** Changes only when the tensor is disposed of, to a type that no cache knows. */
  type;
  buf;
  /** Keeps the page of this buffer alive; see Reclaimer. */
  page;
  id;
  constructor(type, buf, page) {
    this.type = type;
    this.buf = buf;
    this.page = page;
    this.id = nextId2++;
  }
  get aval() {
    return this.type;
  }
  get dtype() {
    return this.type.dtype;
  }
  get shape() {
    return this.type.shape;
  }
  get rank() {
    return this.type.shape.length;
  }
  get size() {
    return this.type.size;
  }
  get device() {
    return this.type.device.name;
  }
  get isDisposed() {
    return this.buf < 0;
  }
  async data(options) {
    return this.elements("data", options);
  }
  dataSync() {
    return this.elementsNow("dataSync", "data");
  }
  async array(options) {
    const { dtype, shape } = this;
    return nest(await this.elements("array", options), dtype, shape);
  }
  arraySync() {
    return nest(this.elementsNow("arraySync", "array"), this.type.dtype, this.shape);
  }
  async item(options) {
    const { dtype } = this;
    return nest(await this.elements("item", options, true), dtype, []);
  }
  itemSync() {
    return nest(this.elementsNow("itemSync", "item", true), this.type.dtype, []);
  }
  async elements(what, options, one = false) {
    const { dtype, device: device2 } = this.type;
    const signal = options && withDefaults(what, options, { signal: null }).signal;
    throwIfAborted(signal);
    const reading = device2.backend.read(this.readable(what, one), signal);
    return viewAs(dtype, await untilAborted(reading, signal, () => {
    }));
  }
  elementsNow(what, awaited, one = false) {
    const buf = this.readable(what, one);
    const { dtype, device: device2 } = this.type;
    const { backend } = device2;
    if (backend.readSync) return viewAs(dtype, backend.readSync(buf));
    throw new MillraceError(
      "E_SYNC_READ",
      `${what}: the ${backend.name} backend cannot read at once, use await ${awaited}()`
    );
  }
  readable(what, one) {
    const buf = this.live(what);
    if (!one || this.size === 1) return buf;
    throw new MillraceError("E_SHAPE", `${what}: needs exactly one element, got shape ${formatShape(this.type.shape)}`);
  }
  print() {
    log2().info(`${this.toString()}
${previewOf(this.dataSync(), this.type.dtype, this.shape)}`);
  }
  clone() {
    return engine.clone(this);
  }
  to(device2) {
    return engine.toDevice(this, device2);
  }
  dispose() {
    engine.dispose(this);
  }
  [Symbol.dispose]() {
    this.dispose();
  }
  toString() {
    return `Tensor ${this.type.dtype}${formatShape(this.type.shape)} on ${this.device}${this.isDisposed ? " (disposed)" : ""}`;
  }
  toJSON() {
    const shape = this.type.shape.map((d) => typeof d === "number" ? d : d.key);
    return { dtype: this.type.dtype, shape, device: this.device };
  }
  [Symbol.toPrimitive](hint) {
    if (hint === "string") return this.toString();
    throw new MillraceError(
      "E_ARGUMENT",
      "a tensor is no number: use tf.add and its like to compute, await item() to read"
    );
  }
  /** The buffer to read from. */
  live(what) {
    if (this.isDisposed) throw new MillraceError("E_DISPOSED", `${what}: the ${this.toString()} was disposed of`);
    return this.buf;
  }
};
var cheapToRead = 1e6;
Object.defineProperty(TensorImpl.prototype, inspect, {
  value() {
    const readable = !this.isDisposed && this.type.device.backend.readSync !== void 0 && this.size <= cheapToRead;
    return readable && !(this instanceof TracerTensor) ? `${this.toString()}
${previewOf(this.dataSync(), this.type.dtype, this.shape)}` : this.toString();
  }
});
var TracerTensor = class extends TensorImpl {
  trace;
  value;
  constructor(type, trace, value) {
    super(type, 0, null);
    this.trace = trace;
    this.value = value;
  }
  live(what) {
    const made2 = this.value.node?.sites[0] ?? this.trace.site;
    const where2 = made2 ? ` (made at ${formatSite(made2)})` : "";
    throw this.trace.open ? new MillraceError(
      "E_SYNC_READ",
      `${what}: this tensor${where2} has no value yet, its function is being traced; return it and read the result, or use tf.print`
    ) : new MillraceError(
      "E_TRACER_LEAK",
      `${what}: this tensor${where2} belongs to a function whose trace has ended; return it from the function instead`
    );
  }
  toString() {
    return `Tensor ${this.type.dtype}${formatShape(this.type.shape)} (traced)`;
  }
};
function isVariable(x) {
  return "trainable" in x;
}

// packages/core/src/runtime/tracers.ts
var Tracers = class {
  known = /* @__PURE__ */ new WeakMap();
  host;
  constructor(host) {
    this.host = host;
  }
  /** The one tensor that stands for a value, so that a tape meets the same object each time. */
  of(trace, value) {
    return remember(this.known, value, () => {
      return new TracerTensor(new TensorType(0, value.aval, this.host.defaultDevice()), trace, value);
    });
  }
  /** A tensor as a value of `trace`: its own tracer, or a parameter that stands for it. */
  enter(trace, x) {
    if (x instanceof TracerTensor) {
      if (x.trace === trace) return x;
      if (!x.trace.open || !isWithin(trace, x.trace)) x.live("an op");
      return this.lift(trace, x);
    }
    this.host.check("an op", x);
    return isVariable(x) ? this.read(trace, x) : this.of(trace, trace.capture(x));
  }
  /** A tracer of an enclosing trace becomes an operand of every region between. */
  lift(trace, x) {
    const outer = trace.parent === x.trace ? x : this.lift(trace.parent, x);
    return this.of(trace, trace.capture(outer));
  }
  read(trace, variable2) {
    const tracer = this.of(
      trace,
      trace.read(variable2, (parent) => this.read(parent, variable2))
    );
    this.host.onRead(variable2, tracer);
    return tracer;
  }
};
function isWithin(inner, outer) {
  return inner !== null && (inner === outer || isWithin(inner.parent, outer));
}

// packages/core/src/runtime/engine.ts
var Engine = class {
  /** Whether ops may go straight to the backend: nothing traces, records or asks who called. */
  plain = true;
  trace = null;
  recorders = [];
  scope = null;
  calls = new CallCache();
  eager = new EagerDevices(() => this.calls.clear());
  graphs = new GraphPrograms();
  page = new OpenPage();
  device = null;
  // ---- dispatch -------------------------------------------------------------------------------------------------
  hit2(op, a, b) {
    const [x, y] = [a, b];
    const entry = this.calls.inline2[op.id];
    if (!this.plain || entry === void 0 || x.type !== entry.a || y.type !== entry.b) return void 0;
    return this.adopt(entry.out, entry.run2(entry.bound, x.buf, y.buf));
  }
  isPlain() {
    return this.trace === null && this.recorders.length === 0;
  }
  apply1(op, x, attrs) {
    const t = x;
    const entry = this.calls.inline1[op.id];
    if (this.plain && entry !== void 0 && t.type === entry.a && sameAttrs(attrs, entry.attrs)) {
      return this.adopt(entry.out, entry.run1(entry.bound, t.buf));
    }
    return this.applyImpl(op, [t], attrs, [])[0];
  }
  apply2(op, a, b) {
    return this.hit2(op, a, b) ?? this.applyImpl(op, [a, b], noAttrs, [])[0];
  }
  apply(op, ins, attrs, regions = []) {
    return this.applyImpl(op, ins, attrs, regions);
  }
  applyImpl(op, ins, attrs, regions) {
    if (this.trace) return this.traceOp(this.trace, op, ins, attrs, regions);
    for (const x of ins) this.check(op.name, x);
    const recorded = this.recorders.length > 0 ? ins.map((x) => this.snapshot(x)) : ins;
    const outs = this.run(op, recorded, attrs, regions);
    for (const r of this.recorders) r.applied(op, recorded, attrs, regions, outs);
    return outs;
  }
  /** Refuses what is no tensor of this engine, or no longer one. */
  check(what, x) {
    if (x instanceof TensorImpl) return void x.live(what);
    const why = "the tensor belongs to another copy of @millrace/core, or to this one before it was loaded again";
    throw new MillraceError("E_DUPLICATE_CORE", `${what}: ${why}`);
  }
  run(op, ins, attrs, regions) {
    const device2 = this.commonDevice(op, ins);
    if (regions.length > 0) return this.graphs.runOp(this, device2, op, ins, attrs, regions);
    if (op === constantOp) return [this.upload(device2, attrs)];
    const known3 = this.calls.find(op, device2, ins, attrs);
    if (known3) return this.runBound(device2, known3, ins);
    this.infer(op, ins, attrs, regions);
    const bound2 = this.eager.of(device2).bind(
      op,
      ins.map((x) => x.aval),
      attrs
    );
    this.calls.add(op, device2, ins, attrs, bound2);
    return this.runBound(device2, bound2, ins);
  }
  /** Holds the op's rules; what is wrong is explained to the user. */
  infer(op, ins, attrs, regions) {
    const avals = ins.map((x) => x.aval);
    try {
      return inferOp(op, avals, attrs, regions, []);
    } catch (error) {
      throw explainRule(error, op, avals, attrs);
    }
  }
  /** Runs a bound program and adopts its results. */
  runBound(device2, program, ins) {
    const bufs = device2.run(
      program,
      ins.map((x) => x.buf),
      []
    );
    return program.outs.map((type, i) => this.adopt(type, bufs[i]));
  }
  commonDevice(op, ins) {
    const device2 = ins[0]?.type.device ?? this.defaultDevice();
    for (const x of ins) {
      if (x.type.device === device2) continue;
      throw new MillraceError(
        "E_DEVICE",
        `${op.name}: operands are on ${device2.name} and ${x.device}; move one with x.to("${device2.name}")`,
        { op: op.name }
      );
    }
    return device2;
  }
  /** Gives the programs of eager ops back: what is compiled anew may differ. */
  forgetPrograms() {
    this.calls.clear();
    this.eager.release();
  }
  // ---- tracing --------------------------------------------------------------------------------------------------
  traceOp(trace, op, ins, attrs, regions) {
    const tracers = ins.map((x) => this.inTrace(trace, x));
    const operands = tracers.map((x) => x.value);
    let values;
    try {
      values = trace.builder.apply(op, operands, attrs, regions, captureSites());
    } catch (error) {
      const avals = operands.map((v) => v.aval);
      throw explainRule(error, op, avals, attrs);
    }
    const outs = values.map((v) => this.tracer(trace, v));
    for (const r of this.recorders) r.applied(op, tracers, attrs, regions, outs);
    return outs;
  }
  /** A tensor as a value of `trace`; see Tracers. */
  inTrace(trace, x) {
    return this.tracers.enter(trace, x);
  }
  tracers = new Tracers({
    defaultDevice: () => this.defaultDevice(),
    check: (what, x) => this.check(what, x),
    onRead: (variable2, value) => {
      for (const r of this.recorders) r.read(variable2, value);
    }
  });
  /** The tensor that stands for a value of a graph. */
  tracer(trace, value) {
    return this.tracers.of(trace, value);
  }
  /** Runs `f` with `trace` as the innermost trace. Recorders from outside do not see what happens inside. */
  within(trace, f) {
    const outer = this.trace;
    const recorders = this.recorders.splice(0);
    const { scope } = this;
    this.scope = null;
    this.trace = trace;
    this.settle();
    try {
      return f();
    } finally {
      this.trace = outer;
      this.scope = scope;
      this.recorders.splice(0, this.recorders.length, ...recorders);
      this.settle();
    }
  }
  /** Runs `f` as if no function were being traced and nobody recorded. */
  outside(f) {
    const { trace, scope } = this;
    this.trace = null;
    this.scope = null;
    try {
      return this.unrecorded(f);
    } finally {
      this.trace = trace;
      this.scope = scope;
      this.settle();
    }
  }
  /** Whoever changes what stands between ops and the backend calls this. */
  settle() {
    this.plain = this.isPlain() && !origins.tracksSites;
  }
  /** Starts and ends recording. */
  addRecorder(recorder) {
    this.recorders.push(recorder);
    this.settle();
  }
  removeRecorder(recorder) {
    const at = this.recorders.indexOf(recorder);
    if (at >= 0) this.recorders.splice(at, 1);
    this.settle();
  }
  /** Runs `f` with nobody recording. */
  unrecorded(f) {
    const recorders = this.recorders.splice(0);
    this.settle();
    try {
      return f();
    } finally {
      this.recorders.push(...recorders);
      this.settle();
    }
  }
  get recording() {
    return this.recorders.length > 0;
  }
  /** Tells the recorders of an op that was run by other means, as a call of a compiled function is. */
  recordCall(...call) {
    for (const r of this.recorders) r.applied(...call);
  }
  /** A variable's value as a tensor that later assignments do not change; other tensors as they are. */
  snapshot(x) {
    if (!isVariable(x)) return x;
    const value = x.snapshot();
    for (const r of this.recorders) r.read(x, value);
    return value;
  }
  // ---- tensors --------------------------------------------------------------------------------------------------
  toTensor(value, dtype, shape, beside) {
    const read = readLiteral(value, dtype);
    const host = shape ? { ...read, shape } : read;
    if (this.trace) {
      const attrs = { dtype: host.dtype, shape: host.shape, data: host.data.slice() };
      return this.traceOp(this.trace, constantOp, [], attrs, [])[0];
    }
    return this.upload(this.deviceBeside(beside), host);
  }
  deviceBeside(x) {
    return x instanceof TensorImpl ? x.type.device : this.defaultDevice();
  }
  /** Numbers that are kept as tensors. */
  scalars = new Scalars();
  scalar(value, dtype, beside) {
    if (this.trace || Object.is(value, -0)) return this.toTensor(value, dtype, void 0, beside);
    const type = this.deviceBeside(beside).types.scalar(dtype);
    const make = () => {
      return this.outside(() => this.upload(type.device, readLiteral(value, dtype), keptNumber));
    };
    return this.scalars.of(type, value, make);
  }
  upload(device2, host, madeBy = uploaded) {
    const type = device2.types.of(host);
    const buf = device2.backend.upload(bytesOf(host.data), type, device2.index);
    origins.mark(type, buf, madeBy);
    return this.adopt(type, buf);
  }
  /** Takes a new buffer into a tensor. */
  adopt(type, buf) {
    const tensor2 = new TensorImpl(type, buf, this.page.token);
    this.page.add(type, buf);
    this.scope?.made.push(tensor2);
    return tensor2;
  }
  /** Gives a variable a new buffer in place of the old one. */
  renew(variable2, buf) {
    const { token } = this.page;
    this.page.add(variable2.type, buf, false);
    variable2.replace(buf, token);
  }
  clone(x) {
    return this.apply1(identityOp, x, noAttrs);
  }
  toDevice(x, name) {
    const device2 = deviceNamed(name);
    this.needHere(device2, `to("${name}")`);
    if (this.trace || x.type.device === device2) return this.clone(x);
    return this.mover.move(this.snapshot(x), device2);
  }
  mover = new Mover({
    copy: (x, to2) => this.upload(to2, { dtype: x.dtype, shape: x.shape, data: x.dataSync() }),
    record: (op, x, made2) => this.recordCall(op, [x], noAttrs, [], [made2])
  });
  dispose(x) {
    if (x.isDisposed || x instanceof TracerTensor) return;
    x.type.device.backend.free(x.buf);
    x.type = new TensorType(0, x.type, x.type.device);
    x.buf = -1;
    x.page = null;
  }
  /** Where new tensors go: the innermost tf.device scope, else the default backend. */
  defaultDevice() {
    return this.device ?? currentDevice();
  }
  /** Runs `f` with the device of this name as the default. */
  onDevice(name, f) {
    const device2 = deviceNamed(name);
    this.needHere(device2, `tf.device("${name}")`);
    return this.withDevice(device2, f);
  }
  /** Inside of a function that is being traced there is one device. */
  needHere(device2, what) {
    const here = this.defaultDevice();
    if (!this.trace || device2 === here) return;
    const why = `inside of tf.function all tensors are on its device, ${here.name}`;
    throw new MillraceError("E_UNIMPLEMENTED", `${what}: ${why}`);
  }
  near(x, f) {
    return this.trace ? f() : this.withDevice(this.deviceBeside(x), f);
  }
  /** Runs `f` with another default device. */
  withDevice(device2, f) {
    const outer = this.device;
    this.device = device2;
    try {
      return f();
    } finally {
      this.device = outer;
    }
  }
};
var engine = new Engine();
function connectEngine() {
  dispatch.current = engine;
}

// packages/core/src/runtime/variable.ts
var nextName = 0;
var VariableImpl = class extends TensorImpl {
  trainable;
  name;
  current = null;
  constructor(initial, options) {
    const value = copyOf(initial);
    super(value.type, value.buf, value.page);
    origins.mark(this.type, this.buf, inVariable);
    this.trainable = options.trainable;
    this.name = options.name ?? `variable_${nextName++}`;
  }
  /** The value now, as a tensor that stays; the same object until the next assignment. */
  snapshot() {
    if (!this.current || this.current.isDisposed) {
      const { scope } = engine;
      engine.scope = null;
      this.current = engine.unrecorded(() => copyOf(this));
      engine.scope = scope;
    }
    return this.current;
  }
  read() {
    if (engine.trace) return engine.inTrace(engine.trace, this);
    return engine.clone(this.snapshot());
  }
  assign(value) {
    const x = this.operand(value);
    this.live("assign");
    this.needSame(x);
    if (engine.trace) {
      const tracer = engine.inTrace(engine.trace, x);
      engine.trace.assign(this, tracer.value);
      return this;
    }
    const copy2 = engine.unrecorded(() => copyOf(x));
    origins.mark(this.type, copy2.buf, inVariable);
    this.replace(copy2.buf, copy2.page);
    return this;
  }
  assignAdd(value) {
    return this.step(addOp, "assignAdd", value);
  }
  assignSub(value) {
    return this.step(subOp, "assignSub", value);
  }
  /** A plain value goes where the variable is. */
  operand(value) {
    return isTensor(value) ? value : engine.toTensor(value, this.dtype, void 0, this);
  }
  step(op, name, value) {
    const x = this.operand(value);
    if (x.dtype !== this.dtype)
      throw new MillraceError("E_DTYPE", `${name}: ${this.name} is ${this.dtype}, got ${x.dtype}`);
    const { shape } = this.type;
    const together = broadcastShapes(avalOf(x).shape, shape);
    if (!together || sameShape(together, shape) === false) {
      const got = formatShape(avalOf(x).shape);
      throw new MillraceError(
        "E_SHAPE",
        `${name}: ${this.name} has shape ${formatShape(shape)}, to which ${got} does not stretch`
      );
    }
    const wide2 = stretchTo(x, shape);
    const next = binary(op, this, wide2);
    this.assign(next);
    if (!engine.trace && !engine.recording) next.dispose();
    return this;
  }
  needSame(x) {
    const { aval, device: device2 } = x;
    if (!engine.trace && device2 !== this.device)
      throw new MillraceError(
        "E_DEVICE",
        `assign: ${this.name} is on ${this.device}, got ${device2}; pass x.to("${this.device}")`
      );
    if (aval.dtype !== this.dtype)
      throw new MillraceError("E_DTYPE", `assign: ${this.name} is ${this.dtype}, got ${aval.dtype}`);
    if (sameShape(this.type.shape, aval.shape) !== true) {
      throw new MillraceError(
        "E_SHAPE",
        `assign: ${this.name} has shape ${formatShape(this.type.shape)}, got ${formatShape(aval.shape)}`
      );
    }
  }
  /** Puts a new buffer in place of the old one, which is freed. */
  replace(buf, page) {
    this.type.device.backend.free(this.buf);
    this.forget();
    this.buf = buf;
    this.page = page;
  }
  /** Drops the snapshot: the value is about to change or to go. */
  forget() {
    if (this.current && !engine.recording) engine.dispose(this.current);
    this.current = null;
  }
  toString() {
    return `Variable ${this.name} ${this.type.dtype}${formatShape(this.type.shape)} on ${this.device}`;
  }
};
function copyOf(x) {
  const { scope } = engine;
  engine.scope = null;
  try {
    return engine.apply1(identityOp, x, noAttrs);
  } finally {
    engine.scope = scope;
  }
}
function makeVariable(initial, given) {
  const options = withDefaults("variable", given, { trainable: true, name: void 0, dtype: void 0 });
  if (engine.trace) {
    throw new MillraceError(
      "E_VARIABLE",
      "tf.variable: make variables outside of a function that is being traced, and use them inside"
    );
  }
  const value = toTensor(initial, options.dtype);
  if (options.dtype && value.dtype !== options.dtype) {
    throw new MillraceError(
      "E_DTYPE",
      `tf.variable: the initial value is ${value.dtype}, not ${options.dtype}; cast it first`
    );
  }
  const variable2 = new VariableImpl(value, options);
  if (value !== initial) value.dispose();
  return variable2;
}

// packages/core/src/runtime/random-state.ts
var inFunctions = 1 << 30;
var EngineRandomState = class {
  eager = hostState();
  byDevice = /* @__PURE__ */ new Map();
  words;
  take() {
    return engine.trace ? this.onDevice(engine.defaultDevice()).take() : this.eager.take();
  }
  reset(words) {
    this.eager.reset(words);
    this.words = words.map((word, i) => i === 1 ? word ^ inFunctions : word);
    for (const state of this.byDevice.values()) state.reset(this.words);
  }
  onDevice(device2) {
    let state = this.byDevice.get(device2);
    if (!state) {
      state = variableState(
        (words) => engine.outside(() => makeVariable(words, { trainable: false, name: "random_state" }))
      );
      if (this.words) state.reset(this.words);
      this.byDevice.set(device2, state);
    }
    return state;
  }
};

// packages/core/src/schedule/decode.ts
var dtypeById = new Map(
  // boundary: the keys of the dtype table are the dtypes
  Object.keys(dtypes).map((d) => [dtypes[d].id, d])
);
var maxSymbols = 65536;
var maxDepth = 64;
function broken(what) {
  return new MillraceError("E_FORMAT", `not a valid program: ${what}`);
}
var Reader = class {
  view;
  bytes;
  at = 0;
  constructor(bytes) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
  take(n) {
    if (n > this.bytes.length - this.at) throw broken(`it ends at byte ${this.bytes.length}, inside a value`);
    this.at += n;
    return this.at - n;
  }
  u32() {
    return this.view.getUint32(this.take(4), true);
  }
  u64() {
    return this.view.getBigUint64(this.take(8), true);
  }
  f64() {
    return this.view.getFloat64(this.take(8), true);
  }
  raw(length) {
    const at = this.take(length);
    return this.bytes.subarray(at, at + length);
  }
  padded(length) {
    const data = this.raw(length);
    this.take((4 - length % 4) % 4);
    return data;
  }
  string() {
    return new platform.TextDecoder().decode(this.padded(this.u32()));
  }
  list(read) {
    const count2 = this.u32();
    if (count2 * 4 > this.bytes.length - this.at) throw broken(`a list of ${count2} items does not fit`);
    return Array.from({ length: count2 }, read);
  }
  /** An index below `limit`. */
  index(limit2, what) {
    const i = this.u32();
    if (i >= limit2) throw broken(`${what} ${i} of ${limit2}`);
    return i;
  }
};
function decodeProgram(bytes) {
  const r = new Reader(bytes);
  if (r.u32() !== magic) throw broken("it does not begin as one");
  const format = r.u32();
  if (format !== programFormat)
    throw new MillraceError("E_VERSION", `program format ${format}: this reader knows ${programFormat}`);
  if (r.u64() !== opTableHash) throw new MillraceError("E_VERSION", "the program was made with another op table");
  if (r.u64() !== BigInt(bytes.length)) throw broken("its length is not what it says");
  const symbolCount = r.index(maxSymbols, "symbol count");
  const exprs = [];
  r.list(() => exprs.push(readExpr(r, symbolCount, exprs.length)));
  const guards = r.list(() => {
    const kind = r.index(2, "guard kind") === 0 ? "eq" : "le";
    return { kind, lhs: r.index(exprs.length, "expression"), rhs: r.index(exprs.length, "expression") };
  });
  const constants = r.list(() => {
    const [offset, length] = [Number(r.u64()), Number(r.u64())];
    if (offset + length > bytes.length) throw broken("a constant lies outside");
    return bytes.subarray(offset, offset + length);
  });
  const root = readRegion(r, { exprs: exprs.length, constants: constants.length }, 0);
  return { symbols: Array.from({ length: symbolCount }, (_, i) => `s${i}`), exprs, guards, constants, root };
}
function readExpr(r, symbols, before3) {
  const tag = r.u32();
  if (tag === 0) return { kind: "constant", value: Number(BigInt.asIntN(64, r.u64())) };
  if (tag === 1) {
    const index = r.index(symbols, "symbol");
    r.u32();
    return { kind: "symbol", index };
  }
  const kind = exprOperations[tag - firstOperationTag];
  if (!kind) throw broken(`expression tag ${tag}`);
  return { kind, a: r.index(before3, "expression"), b: r.index(before3, "expression") };
}
function readRegion(r, limits, depth) {
  if (depth > maxDepth) throw broken("regions are nested too deeply");
  const expr = () => r.index(limits.exprs, "expression");
  const slots = r.list(() => ({ dtype: readDType(r), dims: r.list(expr) }));
  const slot = () => r.index(slots.length, "slot");
  const params = r.u32();
  if (params > slots.length) throw broken(`${params} parameters of ${slots.length} slots`);
  const results = r.list(slot);
  const records = r.list(() => {
    const kind = recordKinds[r.u32()];
    const words = r.u32();
    const start2 = r.at;
    const record = readRecord(r, kind, slot, expr, limits, depth);
    if (r.at - start2 !== words * 4) throw broken(`a ${kind} record is not as long as it says`);
    return record;
  });
  return { slots, params, results, records };
}
function readDType(r) {
  const id = r.u32();
  const dtype = dtypeById.get(id);
  if (!dtype) throw broken(`dtype ${id}`);
  return dtype;
}
function readOp(r) {
  const id = r.u32();
  const name = opName(id);
  if (name === void 0) throw broken(`op ${id}`);
  return name;
}
function readRecord(r, kind, slot, expr, limits, depth) {
  switch (kind) {
    case "constant":
      return { kind, slot: slot(), constant: r.index(limits.constants, "constant") };
    case "alias":
      return { kind, from: slot(), to: slot() };
    case "library":
      return {
        kind,
        op: readOp(r),
        version: r.u32(),
        ins: r.list(slot),
        outs: r.list(slot),
        attrs: new Map(r.list(() => [r.string(), readAttr(r, expr, 0)])),
        regions: r.list(() => readRegion(r, limits, depth + 1))
      };
    case "loop":
      return readLoop(r, slot, expr);
    default:
      throw broken("an unknown kind of record");
  }
}
function readLoop(r, slot, expr) {
  const extents2 = r.list(expr);
  const loads = r.list(() => {
    const load = { slot: slot(), offset: expr(), strides: r.list(expr) };
    if (load.strides.length !== extents2.length) throw broken("a load has strides for another iteration space");
    return load;
  });
  let values = loads.length;
  const instructions = r.list(() => {
    const [op, dtype] = [readOp(r), readDType(r)];
    const args = [r.u32(), r.u32(), r.u32()].filter((a) => a !== none);
    if (args.some((a) => a >= values)) throw broken("an instruction reads a later value");
    values++;
    return { op, dtype, args, immediate: r.u64() };
  });
  const stores = r.list(() => {
    const target = { slot: slot(), value: r.index(values, "value") };
    const [op, mask] = [r.u32(), r.u32()];
    if (op === none) return target;
    const name = opName(op);
    if (name === void 0) throw broken(`op ${op}`);
    return { ...target, reduce: { op: name, mask } };
  });
  return { kind: "loop", extents: extents2, loads, instructions, stores };
}
function readAttr(r, expr, depth) {
  if (depth > maxDepth) throw broken("attributes are nested too deeply");
  const tag = r.u32();
  switch (tag) {
    case attrTags.integer:
      return Number(BigInt.asIntN(64, r.u64()));
    case attrTags.float:
      return r.f64();
    case attrTags.boolean:
      return r.u32() !== 0;
    case attrTags.string:
      return r.string();
    case attrTags.list:
      return r.list(() => readAttr(r, expr, depth + 1));
    case attrTags.expr:
      return { expr: expr() };
    case attrTags.bytes:
      return { bytes: r.padded(r.u32()) };
    default:
      throw broken(`attribute tag ${tag}`);
  }
}

// packages/core/src/schedule/evaluate-loop.ts
function runLoop(loop, values, read, make) {
  const shape = loop.extents.map((e) => values[e]);
  const computed = loop.loads.map((load) => {
    const from2 = read(load.slot);
    const strides = load.strides.map((s) => values[s]);
    const out = hostArray(from2.dtype, shape);
    forEachIndex(shape, (index, flat) => {
      out.data[flat] = from2.data[index.reduce((at, i, axis) => at + i * strides[axis], values[load.offset])];
    });
    return out;
  });
  for (const instruction of loop.instructions) computed.push(runInstruction(instruction, computed, shape));
  for (const store of loop.stores) runStore(store, computed[store.value], make(store.slot), shape);
}
function runInstruction(i, values, shape) {
  const out = hostArray(i.dtype, shape);
  if (i.op === "constant") fillBits(out.data, i.immediate);
  else if (i.op === "iota") {
    forEachIndex(shape, (index, flat) => {
      const at = index[Number(i.immediate)];
      out.data[flat] = i.dtype === "int64" ? BigInt(at) : at;
    });
  } else
    findOp(i.op).reference(
      i.args.map((a) => values[a]),
      { dtype: i.dtype },
      [out]
    );
  return out;
}
function fillBits(data, bits2) {
  const bytes = new DataView(new ArrayBuffer(8));
  bytes.setBigUint64(0, bits2, true);
  const one = new data.constructor(
    bytes.buffer,
    0,
    1
  );
  for (let i = 0; i < data.length; i++) data[i] = one[0];
}
function runStore(store, value, out, shape) {
  const { reduce: reduce2 } = store;
  if (!reduce2) {
    for (let i = 0; i < out.data.length; i++) out.data[i] = value.data[i];
    return;
  }
  const axes2 = shape.map((_, axis) => axis).filter((axis) => reduce2.mask & 1 << axis);
  findOp(reduce2.op).reference([value], { axes: axes2 }, [out]);
}

// packages/core/src/runtime/finalization-reclaimer.ts
var FinalizationReclaimer = class {
  registry;
  due = Number.POSITIVE_INFINITY;
  constructor(free) {
    this.registry = new FinalizationRegistry((bufs) => bufs.forEach(free));
  }
  page(token, bufs) {
    this.registry.register(token, [...bufs]);
  }
  poll() {
  }
  pressure() {
  }
};

// packages/core/src/runtime/kept-origins.ts
function originOf(first2, result) {
  return first2 === 0 ? 0 : first2 + result;
}
var KeptOrigins = class {
  buffers;
  bounds;
  constructor(buffers, bounds) {
    this.buffers = buffers;
    this.bounds = bounds;
  }
  setBound(bound2, first2) {
    this.bounds.get(bound2, "bound program").origin = first2;
  }
  set(buf, origin, from2) {
    const kept = this.buffers.get(buf, "buffer");
    if (from2 === void 0 || kept.origin === from2) kept.origin = origin;
  }
  live() {
    const found = /* @__PURE__ */ new Map();
    for (const { origin, bytes } of this.buffers.all()) {
      const sum3 = remember(found, origin, () => ({ origin, buffers: 0, bytes: 0 }));
      sum3.buffers++;
      sum3.bytes += bytes;
    }
    return found.values();
  }
};

// packages/core/src/runtime/reference-backend.ts
var largeProgram = 4e6;
var ReferenceBackend = class {
  name;
  fusion;
  buffers = new SlotMap();
  executables = new SlotMap();
  bounds = new SlotMap();
  origins = new KeptOrigins(this.buffers, this.bounds);
  liveBytes = 0;
  peakBytes = 0;
  runs = 0;
  kernels = 0;
  reclaimer = new FinalizationReclaimer((buf) => this.free(buf));
  /** `fusion` makes it run loop kernels as a fusing backend does: that is how the scheduler is proven. */
  constructor(options = {}) {
    this.name = options.name ?? "reference";
    this.fusion = options.fusion ?? false;
  }
  devices() {
    return [{ name: `${this.name}:0`, description: "the ops' definitions, in JavaScript: exact and slow" }];
  }
  claims() {
    return false;
  }
  compile(bytes) {
    return this.executables.add(decodeProgram(bytes));
  }
  bind(exe, sizes) {
    const program = this.executables.get(exe, "executable");
    const values = evaluateExprs(program.exprs, sizes);
    for (const g of program.guards) {
      const [lhs, rhs] = [values[g.lhs], values[g.rhs]];
      if (g.kind === "eq" ? lhs === rhs : lhs <= rhs) continue;
      throw new MillraceError("E_GUARD", `the program needs ${lhs} ${g.kind === "eq" ? "=" : "<="} ${rhs}`);
    }
    this.warnIfLarge(program, values);
    return this.bounds.add({ program, values, origin: 0 });
  }
  /** This backend is what runs where nothing else is installed, which may not be what was wanted. */
  warnIfLarge({ root }, values) {
    const sizes = root.slots.map((slot) => countOf(slot.dims.map((d) => values[d])));
    if (sizes.reduce((sum3, size) => sum3 + size, 0) < largeProgram) return;
    warnOnce(
      "W_REFERENCE_BACKEND",
      this.name,
      "a large program runs on the reference backend, which is exact and slow; tf.getBackend() says what runs"
    );
  }
  run(bound2, args) {
    const { program, values, origin } = this.bounds.get(bound2, "bound program");
    this.runs++;
    const run = new ProgramRun(program, values);
    const results = run.region(
      program.root,
      args.map((b) => this.buffers.get(b, "buffer").array)
    );
    this.kernels += run.kernels;
    return results.map((r, i) => this.store(r, originOf(origin, i)));
  }
  releaseExecutable(exe) {
    this.executables.remove(exe);
  }
  releaseBound(bound2) {
    this.bounds.remove(bound2);
  }
  upload(bytes, aval) {
    return this.store({ dtype: aval.dtype, shape: aval.shape.map(Number), data: viewAs(aval.dtype, bytes.slice()) }, 0);
  }
  // Programs have run when `run` returns: there is nothing to cancel.
  async read(buf) {
    return this.readSync(buf);
  }
  readSync(buf) {
    return bytesOf(this.buffers.get(buf, "buffer").array.data).slice();
  }
  free(buf) {
    this.liveBytes -= this.buffers.remove(buf)?.bytes ?? 0;
  }
  async sync() {
  }
  stats() {
    return {
      liveBytes: this.liveBytes,
      peakBytes: this.peakBytes,
      mappedBytes: 0,
      liveBuffers: this.buffers.size,
      cachedBytes: 0,
      packedBytes: 0,
      executables: this.executables.size,
      bounds: this.bounds.size,
      runs: this.runs,
      kernels: this.kernels,
      javaScriptCalls: 0
    };
  }
  store(array, origin) {
    const bytes = array.data.byteLength;
    this.liveBytes += bytes;
    this.peakBytes = Math.max(this.peakBytes, this.liveBytes);
    return this.buffers.add({ array, bytes, origin });
  }
};
var ProgramRun = class {
  kernels = 0;
  program;
  values;
  constructor(program, values) {
    this.program = program;
    this.values = values;
  }
  region(region2, args) {
    const slots = [...args];
    const shapeOf3 = (slot) => region2.slots[slot].dims.map((d) => this.values[d]);
    const make = (slot) => slots[slot] = hostArray(region2.slots[slot].dtype, shapeOf3(slot));
    const read = (slot) => slots[slot];
    for (const record of region2.records) {
      if (record.kind === "constant") {
        const { dtype } = region2.slots[record.slot];
        slots[record.slot] = {
          dtype,
          shape: shapeOf3(record.slot),
          data: viewAs(dtype, this.program.constants[record.constant])
        };
      } else if (record.kind === "alias") {
        slots[record.to] = aliased(read(record.from), region2.slots[record.to].dtype, shapeOf3(record.to));
      } else if (record.kind === "loop") {
        this.kernels++;
        runLoop(record, this.values, read, make);
      } else {
        this.kernels++;
        this.library(record, record.ins.map(read), record.outs, make, (slot, value) => {
          slots[slot] = value;
        });
      }
    }
    return region2.results.map(read);
  }
  library(record, ins, outs, make, set) {
    if (record.op === "cond") {
      const [pred, ...operands] = ins;
      const region2 = record.regions[pred.data[0] ? 0 : 1];
      this.region(region2, operands).forEach((value, i) => {
        set(outs[i], value);
      });
    } else if (record.op === "print") {
      const [x] = ins;
      log2().info(`${record.attrs.get("message")} ${x.dtype}[${x.shape}] ${previewOf(x.data, x.dtype, x.shape)}`);
      set(outs[0], x);
    } else if (record.op === "whileLoop") {
      this.whileLoop(record, ins).forEach((value, i) => {
        set(outs[i], value);
      });
    } else {
      const op = findOp(record.op);
      if (!op?.reference) throw new MillraceError("E_VERSION", `the reference backend knows no op called ${record.op}`);
      if (op.version !== record.version)
        throw new MillraceError("E_VERSION", `${record.op}@${record.version}: this build has version ${op.version}`);
      op.reference(ins, this.attrs(record), outs.map(make));
    }
  }
  whileLoop(record, ins) {
    const carried = record.outs.length;
    const constants = ins.slice(carried);
    let carry = ins.slice(0, carried);
    const [condition, body] = record.regions;
    while (this.region(condition, [...carry, ...constants])[0].data[0])
      carry = this.region(body, [...carry, ...constants]);
    return [...carry];
  }
  attrs(record) {
    return Object.fromEntries([...record.attrs].map(([name, value]) => [name, this.attr(value)]));
  }
  attr(value) {
    if (typeof value !== "object") return value;
    if ("expr" in value) return this.values[value.expr];
    return "bytes" in value ? value.bytes : value.map((v) => this.attr(v));
  }
};
function aliased(from2, dtype, shape) {
  const data = dtype === from2.dtype ? from2.data : viewAs(dtype, bytesOf(from2.data));
  if (data.length !== countOf(shape))
    throw new MillraceError(
      "E_SHAPE",
      `alias: ${data.length} elements of ${dtypes[dtype].bytes} bytes do not make ${shape}`
    );
  return { dtype, shape, data };
}

// packages/core/src/ops/conv/conv.ts
function conv1d(x, filter, stride, pad2, dataFormat, dilation, dimRoundingMode) {
  notBuilt("conv1d", "dimRoundingMode", dimRoundingMode, "floor");
  checkAttr(
    "conv1d.C0",
    dataFormat === void 0 || dataFormat === "NWC",
    () => `dataFormat must be "NWC", got ${dataFormat}`
  );
  const operands = promoted("conv1d", x, filter);
  return typed(convolution("conv1d", operands, stride, pad2, dilation, 1));
}
function conv2d(x, filter, strides, pad2, dataFormat, dilations, dimRoundingMode) {
  notBuilt("conv2d", "dimRoundingMode", dimRoundingMode, "floor");
  checkFormat("conv2d", dataFormat);
  const operands = promoted("conv2d", x, filter);
  return typed(convolution("conv2d", operands, strides, pad2, dilations, 2));
}
function depthwiseConv2d(x, filter, strides, pad2, dataFormat, dilations, dimRoundingMode) {
  notBuilt("depthwiseConv2d", "dimRoundingMode", dimRoundingMode, "floor");
  checkFormat("depthwiseConv2d", dataFormat);
  const operands = promoted("depthwiseConv2d", x, filter);
  return typed(depthwise("depthwiseConv2d", operands, strides, pad2, dilations));
}
function separableConv2d(x, depthwiseFilter, pointwiseFilter, strides, pad2, dilations, dataFormat) {
  checkFormat("separableConv2d", dataFormat);
  const between = depthwise(
    "separableConv2d",
    promoted("separableConv2d", x, depthwiseFilter),
    strides,
    pad2,
    dilations
  );
  const operands = promoted("separableConv2d", between, pointwiseFilter);
  return typed(convolution("separableConv2d", operands, 1, "valid", 1, 2));
}
function conv2dTranspose(x, filter, outputShape, strides, pad2, dimRoundingMode) {
  notBuilt("conv2dTranspose", "dimRoundingMode", dimRoundingMode, "floor");
  const name = "conv2dTranspose";
  const [t, w] = promoted(name, x, filter);
  const to2 = outputShape;
  checkAttr(`${name}.C4`, to2.length === 4, () => `outputShape must be [n,h,w,c], got ${formatShape(to2)}`);
  const { lhsDilation: _, ...attrs } = convAttrs(name, { shape: to2 }, avalOf(w), strides, pad2, void 0, 2);
  return typed(apply(convInputGradOp, [t, w], { ...attrs, inputShape: to2 }));
}
function convAttrs(name, x, filter, strides, pad2, dilations, spatial) {
  const [image, window] = spatial === 1 ? ["[n,w,c]", "[w,in,out]"] : ["[n,h,w,c]", "[h,w,in,out]"];
  check(`${name}.C5`, x.shape.length === spatial + 2, () => `input must be ${image}, got ${formatShape(x.shape)}`);
  check(
    `${name}.C6`,
    filter.shape.length === spatial + 2,
    () => `filter must be ${window}, got ${formatShape(filter.shape)}`
  );
  const steps2 = perAxis(name, "strides", strides ?? 1, spatial);
  const gaps = perAxis(name, "dilations", dilations ?? 1, spatial);
  const taps = filter.shape.slice(0, spatial);
  const known3 = taps.every((n) => typeof n === "number");
  checkAttr(`${name}.C7`, known3, () => `the filter's sizes must be known, got ${formatShape(filter.shape)}`);
  const sliding = taps.map((size, i) => ({ size: Number(size), stride: steps2[i], dilation: gaps[i] }));
  const sizes = x.shape.slice(1, -1);
  const padding = paddingOf(name, pad2 ?? "valid", sizes, sliding);
  checkFits(name, "filter", sizes, sliding, padding);
  return { strides: steps2, ...padding, lhsDilation: steps2.map(() => 1), rhsDilation: gaps, groups: 1 };
}
function convolution(name, [x, filter], strides, pad2, dilations, spatial) {
  const [p, q] = [avalOf(x), avalOf(filter)];
  const attrs = convAttrs(name, p, q, strides, pad2, dilations, spatial);
  checkChannels(name, p.shape[spatial + 1], q.shape[spatial]);
  return apply(convGeneralOp, [x, filter], attrs);
}
function depthwise(name, [x, filter], strides, pad2, dilations) {
  const [p, q] = [avalOf(x), avalOf(filter)];
  const attrs = convAttrs(name, p, q, strides, pad2, dilations, 2);
  const [h, w, channels, multiplier] = [q.shape[0], q.shape[1], q.shape[2], q.shape[3]];
  checkChannels(name, p.shape[3], channels);
  checkAttr(
    `${name}.C8`,
    typeof channels === "number",
    () => `the channels of the filter must be known, got ${formatShape(q.shape)}`
  );
  const apart = apply1(reshapeOp, filter, { shape: [h, w, 1, mulDim(channels, multiplier)] });
  return apply(convGeneralOp, [x, apart], { ...attrs, groups: Number(channels) });
}
function checkChannels(name, have, expected) {
  check(`${name}.C9`, eqDim(have, expected) !== false, () => `input has ${have} channels, filter expects ${expected}`);
}
function checkFormat(name, dataFormat) {
  checkAttr(
    `${name}.C0`,
    dataFormat === void 0 || dataFormat === "NHWC",
    () => `dataFormat must be "NHWC", got ${dataFormat}`
  );
}

// packages/core/src/ops/nn/batch-norm.ts
function batchNorm(x, mean2, variance, offset, scale2, varianceEpsilon) {
  const t = toFloat(x);
  const root = rsqrt(add(variance, varianceEpsilon ?? 1e-3));
  const factor = scale2 === void 0 ? root : mul(root, scale2);
  const moved = mul(mean2, factor);
  return typed(add(mul(t, factor), offset === void 0 ? neg(moved) : sub(offset, moved)));
}

// packages/core/src/ops/random/distributions.ts
function standard2(name, op, shape, dtype, seed) {
  return apply1(op, nextState(name, seed), { shape: checkSizes(name, shape), dtype });
}

// packages/core/src/ops/random/dropout.ts
function dropout(x, rate, noiseShape, seed) {
  const t = toFloat(x);
  const { dtype, shape } = avalOf(t);
  checkAttr("dropout.C1", rate >= 0 && rate < 1, () => `rate must be a number from 0 below 1, got ${rate}`);
  if (rate === 0) return typed(apply1(identityOp, t));
  const noise = noiseShape ?? shape;
  const fits2 = broadcastShapes(noise, shape)?.length === shape.length;
  checkAttr("dropout.C2", fits2, () => `noiseShape ${formatShape(noise)} does not broadcast to ${formatShape(shape)}`);
  const dropped = less(standard2("dropout", unitUniformOp, noise, dtype, seed), rate);
  return typed(where(dropped, 0, mul(t, 1 / (1 - rate))));
}

// packages/core/src/ops/shape/split.ts
function split(x, parts2, axis) {
  const t = toTensor(x);
  const { shape } = avalOf(t);
  const at = axisOf("split", axis ?? 0, shape.length);
  return cut(t, at, partSizes(shape, at, parts2));
}
function unstack(x, axis) {
  const t = toTensor(x);
  const { shape } = avalOf(t);
  const at = axisOf("unstack", axis ?? 0, shape.length);
  const size = shape[at];
  checkAttr("unstack.C1", typeof size === "number", () => `axis ${at} of ${formatShape(shape)} has no known size`);
  const rest = shape.filter((_, i) => i !== at);
  const parts2 = cut(t, at, new Array(Number(size)).fill(1)).map(
    (part2) => apply1(reshapeOp, part2, { shape: rest })
  );
  return parts2;
}
function tile(x, reps) {
  const t = toTensor(x);
  const { shape } = avalOf(t);
  const times = reps;
  checkAttr(
    "tile.C1",
    times.length === shape.length,
    () => `${formatShape(shape)} needs ${shape.length} repeats, got ${times.length}`
  );
  checkAttr(
    "tile.C2",
    times.every((n) => typeof n !== "number" || Number.isInteger(n) && n >= 0),
    () => `repeats ${formatShape(times)} must be whole numbers from 0`
  );
  const spread = { shape: shape.flatMap((size, i) => [times[i], size]), dims: shape.map((_, i) => 2 * i + 1) };
  return typed(
    apply1(reshapeOp, apply1(broadcastInDimOp, t, spread), { shape: shape.map((size, i) => mulDim(times[i], size)) })
  );
}
function partSizes(shape, axis, parts2) {
  const size = shape[axis];
  const refuse3 = (why) => () => `size ${size} of ${formatShape(shape)} ${why}`;
  if (typeof parts2 === "number") {
    checkAttr("split.C1", Number.isInteger(parts2) && parts2 >= 1, () => `${parts2} parts are not possible`);
    check("split.C2", eqDim(modDim(size, parts2), 0) !== false, refuse3(`does not divide into ${parts2} parts`));
    return new Array(parts2).fill(floorDivDim(size, parts2));
  }
  const open = parts2.indexOf(-1);
  const known3 = parts2.filter((n) => n !== -1).reduce((a, n) => a + n, 0);
  const filled2 = parts2.map((n, i) => i === open ? subDim(size, known3) : n);
  check(
    "split.C3",
    parts2.every((n) => Number.isInteger(n) && n >= -1),
    refuse3(`does not divide into [${parts2}]`)
  );
  check("split.C3", eqDim(filled2.reduce(addDim, 0), size) !== false, refuse3(`is not the sum of [${parts2}]`));
  return filled2;
}
function cut(x, axis, sizes) {
  const { shape } = avalOf(x);
  let end = 0;
  return sizes.map((size) => {
    const begin = end;
    end = addDim(end, size);
    const start2 = shape.map((_, i) => i === axis ? begin : 0);
    const limit2 = shape.map((all2, i) => i === axis ? end : all2);
    return apply1(sliceOp, x, { start: start2, limit: limit2, strides: shape.map(() => 1) });
  });
}

// packages/core/src/ops/window/pool.ts
function maxPool(x, filterSize, strides, pad2, dimRoundingMode) {
  notBuilt("maxPool", "dimRoundingMode", dimRoundingMode, "floor");
  const t = toTensor(x);
  return typed(apply1(reduceWindowMaxOp, t, windowOf("maxPool", t, filterSize, strides, pad2)));
}
function avgPool(x, filterSize, strides, pad2, dimRoundingMode) {
  notBuilt("avgPool", "dimRoundingMode", dimRoundingMode, "floor");
  const t = toFloat(x);
  const attrs = windowOf("avgPool", t, filterSize, strides, pad2);
  const sum3 = apply1(reduceWindowSumOp, t, attrs);
  return typed(apply(divOp, [sum3, stretchTo(countsOf(avalOf(t).shape, t.dtype, attrs), avalOf(sum3).shape)]));
}
function countsOf(shape, dtype, attrs) {
  const isPadded = [...attrs.low, ...attrs.high].some((n) => n !== 0);
  if (!isPadded)
    return toTensor(
      attrs.window.reduce((n, size) => n * size, 1),
      dtype
    );
  const ones = stretchTo(toTensor(1, dtype), [1, shape[1], shape[2], 1]);
  return apply1(reduceWindowSumOp, ones, attrs);
}
function windowOf(name, x, filterSize, strides, pad2) {
  const { shape } = avalOf(x);
  check(`${name}.C0`, shape.length === 4, () => `input must be [n,h,w,c], got ${formatShape(shape)}`);
  const window = perAxis(name, "filterSize", filterSize, 2);
  const steps2 = perAxis(name, "strides", strides ?? filterSize, 2);
  const sliding = window.map((size, i) => ({ size, stride: steps2[i], dilation: 1 }));
  const image = shape.slice(1, 3);
  const { low, high } = paddingOf(name, pad2 ?? "valid", image, sliding);
  checkFits(name, "window", image, sliding, { low, high });
  return { window: [1, ...window, 1], strides: [1, ...steps2, 1], low: [0, ...low, 0], high: [0, ...high, 0] };
}

// packages/core/src/api/methods.gen.ts
function installMethods(prototype) {
  for (const [name, value] of Object.entries(methods))
    Object.defineProperty(prototype, name, { value, writable: true, configurable: true });
}
var methods = {
  abs() {
    return abs(this);
  },
  add(b) {
    return add(this, b);
  },
  all(axis, keepDims) {
    return all(this, axis, keepDims);
  },
  any(axis, keepDims) {
    return any(this, axis, keepDims);
  },
  argMax(axis) {
    return argMax(this, axis);
  },
  argMin(axis) {
    return argMin(this, axis);
  },
  atan2(b) {
    return atan2(this, b);
  },
  avgPool(filterSize, strides, pad2, dimRoundingMode) {
    return avgPool(this, filterSize, strides, pad2, dimRoundingMode);
  },
  batchNorm(mean2, variance, offset, scale2, varianceEpsilon) {
    return batchNorm(this, mean2, variance, offset, scale2, varianceEpsilon);
  },
  broadcastTo(shape) {
    return broadcastTo(this, shape);
  },
  cast(dtype) {
    return cast(this, dtype);
  },
  ceil() {
    return ceil(this);
  },
  clipByValue(clipValueMin, clipValueMax) {
    return clipByValue(this, clipValueMin, clipValueMax);
  },
  conv1d(filter, stride, pad2, dataFormat, dilation, dimRoundingMode) {
    return conv1d(this, filter, stride, pad2, dataFormat, dilation, dimRoundingMode);
  },
  conv2d(filter, strides, pad2, dataFormat, dilations, dimRoundingMode) {
    return conv2d(this, filter, strides, pad2, dataFormat, dilations, dimRoundingMode);
  },
  conv2dTranspose(filter, outputShape, strides, pad2, dimRoundingMode) {
    return conv2dTranspose(this, filter, outputShape, strides, pad2, dimRoundingMode);
  },
  cos() {
    return cos(this);
  },
  cumprod(axis, exclusive, reverse2) {
    return cumprod(this, axis, exclusive, reverse2);
  },
  cumsum(axis, exclusive, reverse2) {
    return cumsum(this, axis, exclusive, reverse2);
  },
  depthwiseConv2d(filter, strides, pad2, dataFormat, dilations, dimRoundingMode) {
    return depthwiseConv2d(this, filter, strides, pad2, dataFormat, dilations, dimRoundingMode);
  },
  div(b) {
    return div(this, b);
  },
  divNoNan(b) {
    return divNoNan(this, b);
  },
  dot(b) {
    return dot(this, b);
  },
  dropout(rate, noiseShape, seed) {
    return dropout(this, rate, noiseShape, seed);
  },
  elu() {
    return elu(this);
  },
  equal(b) {
    return equal(this, b);
  },
  erf() {
    return erf(this);
  },
  exp() {
    return exp(this);
  },
  expandDims(axis) {
    return expandDims(this, axis);
  },
  expm1() {
    return expm1(this);
  },
  flatten() {
    return flatten(this);
  },
  floor() {
    return floor(this);
  },
  floorDiv(b) {
    return floorDiv(this, b);
  },
  gather(indices, axis, batchDims) {
    return gather(this, indices, axis, batchDims);
  },
  greater(b) {
    return greater(this, b);
  },
  greaterEqual(b) {
    return greaterEqual(this, b);
  },
  isFinite() {
    return isFinite(this);
  },
  isInf() {
    return isInf(this);
  },
  isNaN() {
    return isNaN(this);
  },
  leakyRelu(alpha) {
    return leakyRelu(this, alpha);
  },
  less(b) {
    return less(this, b);
  },
  lessEqual(b) {
    return lessEqual(this, b);
  },
  log() {
    return log(this);
  },
  log1p() {
    return log1p(this);
  },
  logSigmoid() {
    return logSigmoid(this);
  },
  logSoftmax(axis) {
    return logSoftmax(this, axis);
  },
  logSumExp(axis, keepDims) {
    return logSumExp(this, axis, keepDims);
  },
  logicalAnd(b) {
    return logicalAnd(this, b);
  },
  logicalNot() {
    return logicalNot(this);
  },
  logicalOr(b) {
    return logicalOr(this, b);
  },
  logicalXor(b) {
    return logicalXor(this, b);
  },
  matMul(b, transposeA, transposeB) {
    return matMul(this, b, transposeA, transposeB);
  },
  max(axis, keepDims) {
    return max(this, axis, keepDims);
  },
  maxPool(filterSize, strides, pad2, dimRoundingMode) {
    return maxPool(this, filterSize, strides, pad2, dimRoundingMode);
  },
  maximum(b) {
    return maximum(this, b);
  },
  mean(axis, keepDims) {
    return mean(this, axis, keepDims);
  },
  min(axis, keepDims) {
    return min(this, axis, keepDims);
  },
  minimum(b) {
    return minimum(this, b);
  },
  mod(b) {
    return mod(this, b);
  },
  mul(b) {
    return mul(this, b);
  },
  neg() {
    return neg(this);
  },
  norm(ord, axis, keepDims) {
    return norm(this, ord, axis, keepDims);
  },
  notEqual(b) {
    return notEqual(this, b);
  },
  oneHot(depth, onValue, offValue, dtype) {
    return oneHot(this, depth, onValue, offValue, dtype);
  },
  outerProduct(b) {
    return outerProduct(this, b);
  },
  pad(paddings, constantValue) {
    return pad(this, paddings, constantValue);
  },
  pow(b) {
    return pow(this, b);
  },
  prelu(alpha) {
    return prelu(this, alpha);
  },
  prod(axis, keepDims) {
    return prod(this, axis, keepDims);
  },
  reciprocal() {
    return reciprocal(this);
  },
  relu() {
    return relu(this);
  },
  relu6() {
    return relu6(this);
  },
  reshape(shape) {
    return reshape(this, shape);
  },
  reverse(axis) {
    return reverse(this, axis);
  },
  round() {
    return round(this);
  },
  rsqrt() {
    return rsqrt(this);
  },
  selu() {
    return selu(this);
  },
  separableConv2d(depthwiseFilter, pointwiseFilter, strides, pad2, dilations, dataFormat) {
    return separableConv2d(this, depthwiseFilter, pointwiseFilter, strides, pad2, dilations, dataFormat);
  },
  sigmoid() {
    return sigmoid(this);
  },
  sign() {
    return sign(this);
  },
  silu() {
    return silu(this);
  },
  sin() {
    return sin(this);
  },
  slice(begin, size) {
    return slice(this, begin, size);
  },
  softmax(axis) {
    return softmax(this, axis);
  },
  softplus() {
    return softplus(this);
  },
  split(parts2, axis) {
    return split(this, parts2, axis);
  },
  sqrt() {
    return sqrt(this);
  },
  square() {
    return square(this);
  },
  squaredDifference(b) {
    return squaredDifference(this, b);
  },
  squeeze(axis) {
    return squeeze(this, axis);
  },
  step(alpha) {
    return step(this, alpha);
  },
  stopGradient() {
    return stopGradient(this);
  },
  sub(b) {
    return sub(this, b);
  },
  sum(axis, keepDims) {
    return sum2(this, axis, keepDims);
  },
  tan() {
    return tan(this);
  },
  tanh() {
    return tanh(this);
  },
  tile(reps) {
    return tile(this, reps);
  },
  transpose(perm) {
    return transpose(this, perm);
  },
  unstack(axis) {
    return unstack(this, axis);
  },
  where(a, b) {
    return where(this, a, b);
  }
};

// packages/core/src/api/connect.ts
var connected = false;
function registerBackend(name, factory, options = {}) {
  const { priority } = withDefaults("registerBackend", options, { priority: 0 });
  if (!connected) {
    claimProcess();
    connected = true;
    installMethods(TensorImpl.prototype);
    connectEngine();
    randomState.current = new EngineRandomState();
  }
  addBackend(name, factory, priority);
}
function registerReferenceBackend() {
  registerBackend("reference", () => new ReferenceBackend(), { priority: -1 });
}

// packages/core/src/ir/difference.ts
function firstDifference(a, b, by = /* @__PURE__ */ new Map()) {
  const [placeInA, placeInB] = [placesOf2(a), placesOf2(b)];
  const samePlaces = (x, y) => x.length === y.length && x.every((value, i) => placeInA(value) === placeInB(y[i]));
  for (let i = 0; i < Math.max(a.nodes.length, b.nodes.length); i++) {
    const [x, y] = [a.nodes[i], b.nodes[i]];
    const sites = (y ?? x).sites;
    const reason = nodesDiffer(x, y, by);
    if (reason) return { reason, sites };
    if (!x || !y) continue;
    const inside2 = x.regions.map((region2, k) => firstDifference(region2, y.regions[k], by)).find(Boolean);
    if (inside2) return { ...inside2, sites: inside2.sites.length > 0 ? inside2.sites : sites };
    if (!samePlaces(x.inputs, y.inputs)) return { reason: `${x.op.name} has other operands in the second`, sites };
  }
  if (samePlaces(a.results, b.results) && a.params.length === b.params.length) return void 0;
  return { reason: "they return other values", sites: b.nodes.at(-1)?.sites ?? [] };
}
function placesOf2(graph) {
  const nodes = new Map(graph.nodes.map((node, i) => [node, i]));
  const params = new Map(graph.params.map((param, i) => [param, i]));
  return (value) => value.node ? `${nodes.get(value.node)}:${value.index}` : `${params.get(value)}`;
}
function nodesDiffer(x, y, by) {
  if (x?.op !== y?.op || x?.regions.length !== y?.regions.length) {
    const alone = [x, y].find((node) => node?.op.kind === "constant");
    return alone ? `the constant ${shownConstant(alone)} is in one alone` : `${nameOf2(x)} is ${nameOf2(y)} in the second`;
  }
  return x && y && attrsDiffer(x, y, by);
}
function shownConstant({ attrs: { data } }) {
  return data !== void 0 && isArray(data) && data.length === 1 ? `${data[0]}` : shown(data);
}
function nameOf2(node) {
  return node === void 0 ? "nothing" : node.op.name;
}
function attrsDiffer(x, y, by) {
  const [a, b] = [x.attrs, y.attrs];
  for (const name of /* @__PURE__ */ new Set([...Object.keys(a), ...Object.keys(b)])) {
    const [before3, after] = [a[name], b[name]];
    if (before3 !== void 0 && after !== void 0 && sameContent(resolved(before3, by), after)) continue;
    const [was, is] = shownDifference(before3, after);
    const what = x.op.kind === "constant" ? "the constant" : `${name} of ${x.op.name}:`;
    return `${what} ${was} is ${is} in the second`;
  }
  return void 0;
}
function resolved(attr, by) {
  if (by.size === 0) return attr;
  return mapAttr(attr, (d) => typeof d === "number" ? d : substituteDim(d, by));
}
function sameContent(a, b) {
  if (!isArray(a) || !isArray(b)) return attrKey(a) === attrKey(b);
  if (a.constructor.name !== b.constructor.name || a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (!Object.is(a[i], b[i])) return false;
  return true;
}
function isArray(attr) {
  return typeof attr === "object" && !isAttrList(attr) && ArrayBuffer.isView(attr);
}
function shownDifference(a, b) {
  if (a === void 0 || b === void 0 || !isArray(a) || !isArray(b) || a.length !== b.length) {
    return [shown(a), shown(b)];
  }
  const at = Array.from(a).findIndex((x, i) => !Object.is(x, b[i]));
  return [`${a[at]}`, `${b[at]}`];
}
function shown(attr) {
  if (attr === void 0) return "none";
  if (isArray(attr)) return `an array of ${attr.length}`;
  return typeof attr === "number" ? dimKey(attr) : attrKey(attr);
}

// packages/core/src/runtime/structure.ts
function flattenStructure(value, leaves, isLeaf = () => true) {
  if (value instanceof TensorImpl) {
    return isLeaf(value) ? { kind: "leaf", index: leaves.push(value) - 1 } : { kind: "value", value };
  }
  if (Array.isArray(value)) return { kind: "list", items: value.map((v) => flattenStructure(v, leaves, isLeaf)) };
  if (isPlainObject(value)) {
    const entries = Object.keys(value).sort().map((key) => [key, flattenStructure(value[key], leaves, isLeaf)]);
    return { kind: "record", entries };
  }
  return { kind: "value", value };
}
function isPlainObject(value) {
  if (typeof value !== "object" || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
function buildStructure(template, leaves) {
  switch (template.kind) {
    case "leaf":
      return leaves[template.index];
    case "value":
      return template.value;
    case "list":
      return template.items.map((t) => buildStructure(t, leaves));
    case "record":
      return Object.fromEntries(template.entries.map(([key, t]) => [key, buildStructure(t, leaves)]));
  }
}
function sameTemplate(a, b) {
  if (a.kind === "leaf") return b.kind === "leaf" && a.index === b.index;
  if (a.kind === "value") return b.kind === "value" && Object.is(a.value, b.value);
  if (a.kind === "list") {
    return b.kind === "list" && a.items.length === b.items.length && a.items.every((t, i) => sameTemplate(t, b.items[i]));
  }
  return b.kind === "record" && a.entries.length === b.entries.length && a.entries.every(([key, t], i) => key === b.entries[i][0] && sameTemplate(t, b.entries[i][1]));
}
function needFunction(what, f) {
  if (typeof f === "function") return;
  throw new MillraceError("E_ARGUMENT", `${what}: needs a function, got ${f === null ? "null" : typeof f}`, {
    op: what
  });
}
function refusePromise(what, value) {
  if (typeof value !== "object" || value === null || !("then" in value) || typeof value.then !== "function") return;
  value.then(void 0, () => {
  });
  throw new MillraceError(
    "E_ASYNC_SCOPE",
    `${what} takes a synchronous function: what runs after an await is outside of its scope. Await first, and pass the results in`
  );
}

// packages/core/src/runtime/purity.ts
function traceTwice(trace, check2) {
  const found = [];
  const note = (impurity) => {
    const isKnown = found.some(({ called: called2, site }) => called2 === impurity.called && sameSite(site, impurity.site));
    if (!isKnown) found.push(impurity);
  };
  const tracing = check2.isQuiet ? keepingNothing(trace) : trace;
  const made2 = watched(tracing, !check2.isQuiet, note);
  if (found.length === 0 || !check2.isQuiet) {
    const difference = differenceOf(made2, watched(tracing, false, note));
    if (difference) found.push(difference);
  }
  if (found.length > 0) check2.onImpure(found);
  return made2;
}
function sameSite(a, b) {
  return a?.file === b?.file && a?.line === b?.line && a?.column === b?.column;
}
function differenceOf(a, b, by = /* @__PURE__ */ new Map()) {
  const differ = (reason, site) => {
    return { called: void 0, reason: `two traces differ: ${reason}`, site };
  };
  const inGraph = firstDifference(a.graph, b.graph, by);
  if (inGraph) return differ(inGraph.reason, inGraph.sites[0]);
  const first2 = a.args.length;
  const outside = [...a.captures, ...a.variables].findIndex((x, i) => x !== [...b.captures, ...b.variables][i]);
  if (outside >= 0) return differ("a tensor from outside is another in the second", userOf(b.graph, first2 + outside));
  if (a.assigned.some((v, i) => v !== b.assigned[i])) return differ("they assign other variables", void 0);
  return sameTemplate(a.results, b.results) ? void 0 : differ("they return other values", void 0);
}
function userOf(graph, param) {
  return graph.nodes.find((node) => node.inputs.includes(graph.params[param]))?.sites[0];
}
var consoleMethods = [
  ...["log", "info", "warn", "error", "debug", "trace", "dir", "dirxml", "table", "assert", "count", "countReset"],
  ...["group", "groupCollapsed", "groupEnd", "time", "timeLog", "timeEnd"]
];
function watched(f, isHeard, note) {
  const restore = [];
  const noted = (called2) => {
    note({ called: called2, reason: `${called2} was called`, site: captureSites(1)[0] });
  };
  const watch2 = (host, key, called2, isRun) => {
    const original = host && Reflect.get(host, key);
    if (!host || typeof original !== "function") return;
    const call = original;
    const standIn = function(...args) {
      noted(called2);
      return isRun ? Reflect.apply(call, this, args) : void 0;
    };
    standsFor(standIn, call);
    restore.push(replace(host, key, standIn));
  };
  const { Date: ownDate } = globalThis;
  const watchedDate = new Proxy(ownDate, {
    construct(target, args, newTarget) {
      if (args.length === 0) noted("new Date");
      return Reflect.construct(target, args, newTarget);
    },
    apply(target) {
      noted("Date");
      return target();
    }
  });
  try {
    watch2(Math, "random", "Math.random", true);
    watch2(ownDate, "now", "Date.now", true);
    restore.push(replace(globalThis, "Date", watchedDate));
    watch2(platform.performance, "now", "performance.now", true);
    for (const method of consoleMethods) watch2(platform.console, method, `console.${method}`, isHeard);
    return f();
  } finally {
    for (const back of restore.reverse()) back();
  }
}
var mayKeep = true;
function keepingNothing(trace) {
  return () => {
    const before3 = mayKeep;
    mayKeep = false;
    try {
      return trace();
    } finally {
      mayKeep = before3;
    }
  };
}
function replace(host, key, standIn) {
  const own = Reflect.getOwnPropertyDescriptor(host, key);
  const enumerable = own?.enumerable ?? true;
  if (!Reflect.defineProperty(host, key, { value: standIn, configurable: true, writable: true, enumerable })) {
    return () => {
    };
  }
  return () => {
    if (Reflect.get(host, key) !== standIn) return;
    if (own) Reflect.defineProperty(host, key, own);
    else Reflect.deleteProperty(host, key);
  };
}
var insteads = {
  "Math.random": "; draw with tf.randomUniform and its like",
  "Date.now": "; pass the time as an argument",
  "performance.now": "; pass the time as an argument",
  "new Date": "; pass the time as an argument",
  Date: "; pass the time as an argument"
};
function warnImpure(name, impurities) {
  const difference = impurities.find(({ called: called2 }) => called2 === void 0);
  const where2 = difference?.site ? ` at ${formatSite(difference.site)}` : "";
  const constant = difference ? ` (${difference.reason}${where2})` : "";
  for (const impurity of impurities) {
    const { called: called2, reason, site } = impurity;
    if (called2 === void 0 && impurities.length > 1) continue;
    const isConsole = called2?.startsWith("console.");
    const kept = isConsole ? " while it was traced, and is not at each call; print tensors with tf.print" : called2 === void 0 ? "; every call runs the first: pass what changes as an argument, or keep it in a tf.variable" : ` while it was traced, and every call uses what it gave then${constant}${insteads[called2] ?? ""}`;
    const place2 = site ? formatSite(site) : name;
    warnOnce("W_IMPURE_FUNCTION", place2, withSite(`the function ${name || "without a name"}: ${reason}${kept}`, site));
  }
}
var isOn = false;
function traceChecked(name, trace) {
  if (!isOn) return trace();
  return traceTwice(trace, { isQuiet: false, onImpure: (impurities) => warnImpure(name, impurities) });
}

// packages/core/src/ops/create/tensor.ts
function made(name, values, shape, dtype) {
  if (isTensor(values)) {
    throw new MillraceError("E_ARGUMENT", `${name}: needs numbers, got a tensor; clone, cast or reshape it`, {
      op: name
    });
  }
  if (shape === void 0) return dispatch.current.toTensor(values, dtype);
  const want = checkSizes(name, shape);
  const [have, count2] = [countOf2(values), productDim(want)];
  if (have !== count2) {
    const message = `${name}: ${formatShape(want)} needs ${count2} elements, got ${have}`;
    throw new MillraceError("E_SHAPE", message, { op: name, shapes: [shape] });
  }
  if (isStatic(want)) return dispatch.current.toTensor(values, dtype, want);
  return apply1(reshapeOp, dispatch.current.toTensor(values, dtype), { shape: want });
}
function countOf2(values) {
  if (typeof values !== "object") return 1;
  return values.length * (typeof values[0] === "object" ? countOf2(values[0]) : 1);
}
function tensor(values, shape, dtype) {
  return made("tensor", values, shape, dtype);
}

// packages/core/src/runtime/call-report.ts
var reportOf = ({ op, sites: [site] }) => ({ op: op.name, ...site ? { site } : {} });
function reportCall(name, device2, graph) {
  const lowered2 = device2.lower(graph);
  const hostCalls = customOpsOf(lowered2).map(reportOf);
  const programs = hasHostCalls(lowered2) ? programsOf(lowered2) : 1;
  const report = {
    device: device2.name,
    programs,
    hostCalls,
    graph: lowered2,
    toString() {
      const count2 = programs === 1 ? "one program" : `${programs} programs`;
      const split2 = hostCalls.map(
        ({ op, site }) => `  ${op} runs in JavaScript${site ? `, at ${formatSite(site)}` : ""}`
      );
      return [`${name || "a function"} on ${device2.name}: ${count2}`, ...split2, String(lowered2)].join("\n");
    }
  };
  Object.defineProperty(report, /* @__PURE__ */ Symbol.for("nodejs.util.inspect.custom"), { value: () => report.toString() });
  return report;
}

// packages/core/src/runtime/graph-viewer.gen.ts
var script = '(()=>{var[P,J]=[26,46],w=12;function V(e){for(let i of e)i.rank=Math.max(-1,...[...i.from.keys()].map(l=>l.rank))+1;for(let i of[...e].reverse())i.from.size===0&&i.to.length>0&&(i.rank=Math.max(0,Math.min(...i.to.map(l=>l.rank))-1));let t=e.map(()=>[]);for(let i of e)t[i.rank].push(i);let n=t.filter(i=>i.length>0).flatMap(fe);for(let i of n)O(i,()=>0);let s=i=>l=>{let a=i(l);return a.length>0?a.reduce((d,p)=>d+p.x+p.width/2,0)/a.length:l.x+l.width/2},r=s(i=>[...i.from.keys()]),o=s(i=>i.to);for(let i=0;i<3;i++){for(let l of n)O(l,r);for(let l of[...n].reverse())O(l,o)}for(let i of n)O(i,r);let c=Math.min(0,...e.map(i=>i.x)),[h,m]=[0,w];for(let i of n){for(let l of i)l.x+=w-c,l.y=m,h=Math.max(h,l.x+l.width);m+=Math.max(...i.map(l=>l.height))+J}return{width:h+w,height:m-J+w}}function fe(e){let t=[[]],n=0;for(let s of e)n>0&&n+s.width>3600&&(t.push([]),n=0),t.at(-1).push(s),n+=s.width+P;return t}function O(e,t){let n=new Map(e.map(o=>[o,o.x===void 0?0:t(o)]));e.sort((o,c)=>n.get(o)-n.get(c));let s=Number.NEGATIVE_INFINITY,r=0;for(let o of e){let c=n.get(o)-o.width/2;o.x=Math.max(c,s),r+=c-o.x,s=o.x+o.width+P}for(let o of e)o.x+=r/e.length}function u(e,t="",n=""){let s=document.createElement(e);return t&&(s.className=t),n&&(s.textContent=n),s}function b(e,t){let n=document.createElementNS("http://www.w3.org/2000/svg",e);for(let[s,r]of Object.entries(t))n.setAttribute(s,r);return n}var W=e=>{let t=Math.min(3,Math.max(0,Math.floor(Math.log2(e||1)/10)));return`${Number((e/1024**t).toPrecision(3))} ${["B","KiB","MiB","GiB"][t]}`};var he=e=>e?.replace(/^.*[\\\\/]/,"").replace(/:\\d+$/,"");function me(e,t){let n=e.ops.find(({site:o})=>o)??e.ops[0],s=n?.scope?.split("/").slice(0,t),r=s?s.slice(s.length>1?1:0).join("/"):he(n?.site);return`${n?.role?"\u2207 ":""}${r??"other"}`}function de(e,t){let n=[];for(let s of e){let r=me(s,t);n.at(-1)?.name===r?n.at(-1).steps.push(s):n.push({name:r,steps:[s]})}return n}function _(e){if(e.steps.length<=60)return e.steps;let t=[];for(let n=6;n>0&&(t=de(e.steps,n),!(t.length<=200));n--);return t.map(n=>n.steps.length===1?n.steps[0]:n)}var y=document.getElementById("canvas"),pe=document.getElementById("world"),f={x:0,y:0,scale:1};function M(){pe.style.transform=`translate(${f.x}px, ${f.y}px) scale(${f.scale})`}function S(e,t=.02){let{clientWidth:n,clientHeight:s}=y;f.scale=Math.max(t,Math.min(1.2,n/e.width,s/e.height)),f.x=(n-e.width*f.scale)/2,f.y=Math.max(0,(s-e.height*f.scale)/2),M()}function ue(e,t,n){let s=Math.min(4,Math.max(.02,f.scale*e));f.x=t-(t-f.x)*s/f.scale,f.y=n-(n-f.y)*s/f.scale,f.scale=s,M()}function Q(e){f.scale=Math.max(f.scale,.7),M();let[t,n]=[e.getBoundingClientRect(),y.getBoundingClientRect()];f.x+=n.left+n.width/2-(t.left+t.width/2),f.y+=n.top+n.height/2-(t.top+Math.min(t.height,n.height)/2),M()}y.addEventListener("wheel",e=>{e.preventDefault();let{left:t,top:n}=y.getBoundingClientRect();ue(Math.exp(-e.deltaY/500),e.clientX-t,e.clientY-n)},{passive:!1});y.addEventListener("pointerdown",e=>{if(e.target.closest(".head, .more"))return;let[t,n]=[e.clientX-f.x,e.clientY-f.y],s=r=>{f.x=r.clientX-t,f.y=r.clientY-n,M()};y.classList.add("moving"),addEventListener("pointermove",s),addEventListener("pointerup",()=>{removeEventListener("pointermove",s),y.classList.remove("moving")},{once:!0})});function U(e,t){f.x+=e,f.y+=t,M()}var X=9,[j,ee]=[18,20],B=JSON.parse(document.getElementById("drawing").textContent),g=e=>document.getElementById(e),[K,k]=[g("world"),g("tip")],te=document.createElement("canvas").getContext("2d");te.font=getComputedStyle(document.body).font;var C=te.measureText("m").width,A=[],R=new Map;function ne(e,t){e.items=_(e);for(let n of e.items){let s=n.steps?[...t,n]:t;n.steps&&(n.open=n.steps.length===1);for(let r of n.steps??[n]){r.path=s,r.number=A.push(r)-1,r.graph=e,r.rects=[];for(let o of r.ops)o.step=r,o.readers=[],R.set(`${e.id} ${o.id}`,o);for(let o of r.regions)ne(o.graph,s)}}}ne(B.root,[]);var oe=(e,t)=>R.get(`${e.id} ${t}`);function ge(e,t){return(t?[`${t.op}${t.attrs?` ${t.attrs}`:""}`,`\u2192 ${t.type}`,...t.ins.map(s=>`\u2190 ${s.text}`),t.site?`at ${t.site}`:"",t.scope?`in ${t.scope}`:"",t.role?`for ${t.role}`:""]:[e.name,`kernel ${e.at+1}: ${e.ops.length===1?"one op":`${e.ops.length} ops in one pass`}`,...e.reads.map(s=>`reads ${e.graph.slots[s].name}: ${e.graph.slots[s].type}`),...e.writes.map(s=>`writes ${e.graph.slots[s].type}, ${W(e.graph.slots[s].bytes)}`)]).filter(Boolean).join(`\n`)}function v(e,t,n="row"){let s=u("div",n);return s.append(e),t&&s.append(" ",u("span","type",t)),{element:s,width:(e.length+(t?t.length+1:0))*C+24}}function we(e){let{slots:t}=e.graph,n=u("div",`box ${e.kind}`),s=u("div","head",e.name);n.append(s);let r=[],o=e.reads.filter(a=>t[a].outer);for(let a of o.slice(0,3))r.push(v(`\u2190 ${t[a].name}`,t[a].type,"row outer"));o.length>3&&r.push(v(`\u2190 and ${o.length-3} more`,"","row outer"));let c=e.open?e.ops:e.ops.slice(0,X);for(let a of c){let d=v(`${a.role?"\u2207 ":""}${a.op}`,a.type);a.element=d.element,d.element.onmouseenter=()=>Z(e,a),r.push(d)}if(e.ops.length>X){let a=e.ops.length-X,d=v(e.open?"fewer":`and ${a} more ops`,"","row more");d.element.onclick=()=>ae(e),r.push(d)}for(let a of e.writes.filter(d=>t[d].result!==null))r.push(v(`\u2192 ${t[a].result}`,t[a].type,"row outer"));n.append(...r.map(a=>a.element));let h=Math.max(e.name.length*C*1.05+28,...r.map(a=>a.width)),m=ee+r.length*j+6,i=w,l=0;for(let{name:a,graph:d}of e.regions){let p=re(d),$=u("div","region"),D=u("div","name",a);D.style.minWidth=`${a.length*C}px`,p.element.style.top="0",$.append(D,p.element);let F=Math.max(p.width,a.length*C+16);Object.assign($.style,{left:`${i}px`,top:`${m}px`,width:`${F}px`,height:`${p.height+j}px`}),n.append($),i+=F+w,l=Math.max(l,p.height+j)}return e.regions.length>0&&(h=Math.max(h,i+6),m+=l+w),s.onmouseenter=()=>Z(e),n.onmouseleave=G,e.element=n,{element:n,width:h,height:m}}function xe(e){let t=u("div","box group"),n=e.steps.reduce((c,h)=>c+h.ops.length,0),s=`${e.open?"\u25BE":"\u25B8"} ${e.name}`,r=u("div","head",s);r.onclick=()=>ae(e),t.append(r);let o={width:0,height:0};if(e.open){let c=se(e.steps);c.element.style.top="0",t.append(c.element),o=c}else{let c=v(`${e.steps.length} kernels, ${n} ops`,"","row outer"),h=[...new Set(e.steps.map(i=>i.name.split(" ")[0]))],m=v(h.slice(0,5).join(" ")+(h.length>5?" \u2026":""),"","row outer");t.append(c.element,m.element),o={width:Math.max(c.width,m.width),height:2*j}}e.element=t;for(let c of e.steps)e.open||(c.element=t);return{element:t,width:Math.max(o.width,s.length*C*1.05+28),height:ee+o.height+6}}var N=e=>e.steps??[e];function se(e){let t=e.map(o=>({item:o,...o.steps?xe(o):we(o),from:new Map,to:[]})),n=new Map;for(let o of t)for(let c of N(o.item))for(let h of c.writes)n.set(h,o);for(let o of t){for(let c of N(o.item))for(let h of c.reads){let m=n.get(h);!m||m===o||o.from.set(m,(o.from.get(m)??0)+1)}for(let c of o.from.keys())c.to.push(o)}let{width:s,height:r}=V(t);return $e(t,s,r)}function $e(e,t,n){let s=u("div","graph"),r=b("svg",{});s.append(r),Object.assign(s.style,{width:`${t}px`,height:`${n}px`});for(let o of e){Object.assign(o.element.style,{left:`${o.x}px`,top:`${o.y}px`,width:`${o.width}px`,height:`${o.height}px`}),s.append(o.element);let c=0;for(let h of o.from.keys()){let[m,i]=[h.x+h.width/2,h.y+h.height],[l,a]=[o.x+o.width*++c/(o.from.size+1),o.y],d=Math.max(18,(a-i)/2.4),p=b("path",{d:`M${m},${i} C${m},${i+d} ${l},${a-d} ${l},${a}`});r.append(p);for(let $ of N(o.item))$.inward.push(p);for(let $ of N(h.item))$.outward.push(p)}}return{element:s,width:t,height:n}}var re=e=>se(e.items),Y=[];function E(e,t){e&&(e.classList.add(t),Y.push([e,t]))}function G(){for(let[e,t]of Y)e.classList.remove(t);Y=[],k.hidden=!0}function Z(e,t){G();for(let n of e.inward)E(n,"from");for(let n of e.outward)E(n,"to");if(t){for(let n of t.ins)E(oe(e.graph,n.op)?.element,"from");for(let n of t.readers)E(n.element,"to")}for(let n of e.rects)E(n,"from");e.graph===B.root&&ve(e.at),ie(ge(e,t))}function ie(e){k.textContent=e,k.hidden=!1}for(let e of R.values())for(let t of e.ins){let n=oe(e.step.graph,t.op);n&&n.readers.push(e)}addEventListener("mousemove",({clientX:e,clientY:t})=>{let[n,s]=[k.offsetWidth,k.offsetHeight];k.style.left=`${Math.min(e+16,innerWidth-n-8)}px`,k.style.top=`${t+20+s>innerHeight?t-s-12:t+20}px`});var T={width:0,height:0};function H(){G();for(let t of A)t.inward=[],t.outward=[];for(let t of R.values())t.element=void 0;let e=re(B.root);T=e,K.replaceChildren(e.element),ce()}function ae(e){let t=e.element.getBoundingClientRect();e.open=!e.open,H();let n=e.element.getBoundingClientRect();U(t.left-n.left,t.top-n.top)}var q=g("search"),x=[],L=-1;function ye(e){let t=[...e.reads,...e.writes].map(n=>`${e.graph.slots[n].name} ${e.graph.slots[n].result??""}`);return[e.name,...t,...e.ops.flatMap(n=>[n.op,n.type,n.site,n.scope,n.role])].join(`\n`).toLowerCase()}function ce(){let e=new Set(x.map(t=>t.element));for(let t of K.querySelectorAll(".hit"))t.classList.remove("hit");for(let t of e)t.querySelector(".head").classList.add("hit")}q.addEventListener("input",()=>{let e=q.value.trim().toLowerCase();x=e?A.filter(t=>ye(t).includes(e)):[],L=-1,g("hits").textContent=e?`${x.length} kernels`:"",ce()});q.addEventListener("keydown",e=>{e.key!=="Enter"||x.length===0||(L=(L+(e.shiftKey?x.length-1:1))%x.length,g("hits").textContent=`${L+1} of ${x.length}`,le(x[L]))});function le(e){let t=e.path.filter(n=>!n.open);for(let n of t)n.open=!0;t.length>0&&H();for(let n of K.querySelectorAll(".here"))n.classList.remove("here");e.element.classList.add("here"),Q(e.element)}var I=g("arena"),z=b("line",{y1:0,y2:100,"vector-effect":"non-scaling-stroke"});function ve(e){z.setAttribute("x1",e+.5),z.setAttribute("x2",e+.5)}function ke(){let{buffers:e,slots:t,steps:n}=B.root,s=B.peak||1;I.setAttribute("viewBox",`0 0 ${Math.max(1,n.length)} 100`),I.setAttribute("preserveAspectRatio","none");let r=Math.max(s,...e.map(o=>o.offset+o.bytes));for(let{slot:o,bytes:c,offset:h,first:m,last:i}of e){let l=c/r*100,a=b("rect",{x:m,y:100-h/r*100-l,width:i-m+1,height:l,"vector-effect":"non-scaling-stroke"}),d=n[m];d.rects.push(a),a.onmouseenter=()=>{ie(`${t[o].type}, ${W(c)}\nmade by kernel ${m+1}: ${d.name}\nlast read by kernel ${i+1}: ${n[i].name}`)},a.onmouseleave=G,a.onclick=()=>le(d),I.append(a)}I.append(z)}g("fit").onclick=()=>S(T);g("open").onclick=()=>{let e=new Set(A.flatMap(n=>n.path)),t=[...e].some(n=>!n.open);for(let n of e)n.open=t;H(),S(T,.6)};g("open").hidden=A.every(e=>e.path.length===0);ke();H();S(T,.6);})();';
var style = ':root{color-scheme:light dark;--paper: light-dark(#fafaf7, #16181d);--panel: light-dark(#ffffff, #1f2229);--ink: light-dark(#22252b, #e4e6ea);--faint: light-dark(#747a85, #9299a6);--line: light-dark(#d9dbd5, #343944);--edge: light-dark(#9aa3b2, #5b6474);--loop: light-dark(#2f6fb5, #6ea8e6);--kernel: light-dark(#b0690c, #e0a352);--control: light-dark(#7a48b8, #b692ea);--effect: light-dark(#b4302f, #ec7d78);--hit: light-dark(#ffe27a, #6b5710);--from: light-dark(#1b8a5a, #55c795);--to: light-dark(#c2410c, #f59e5b)}*{box-sizing:border-box}body{margin:0;height:100vh;display:grid;grid-template-rows:auto 1fr auto;background:var(--paper);color:var(--ink);font:12px/18px ui-monospace,SF Mono,DejaVu Sans Mono,Menlo,Consolas,monospace}header{display:flex;flex-wrap:wrap;gap:6px 16px;align-items:center;padding:8px 14px;background:var(--panel);border-bottom:1px solid var(--line)}h1{font-size:14px;margin:0}header .about{color:var(--faint)}header .space{flex:1}input,button{font:inherit;color:inherit;background:var(--paper);border:1px solid var(--line);border-radius:5px;padding:2px 8px}input{width:250px}button{cursor:pointer}button:hover,button:focus-visible,input:focus-visible{border-color:var(--loop);outline:none}#canvas{position:relative;overflow:hidden;cursor:grab}#canvas.moving{cursor:grabbing}#world{position:absolute;transform-origin:0 0}.graph{position:relative}.graph>svg{position:absolute;inset:0;overflow:visible;pointer-events:none}path{fill:none;stroke:var(--edge);stroke-width:1.2}path.from{stroke:var(--from);stroke-width:2.4}path.to{stroke:var(--to);stroke-width:2.4}.box{position:absolute;background:var(--panel);border:1px solid var(--tone, var(--line));border-left-width:4px;border-radius:6px;overflow:hidden;white-space:pre}.loop{--tone: var(--loop)}.kernel{--tone: var(--kernel)}.control{--tone: var(--control)}.effect{--tone: var(--effect)}.group{--tone: var(--faint);background:color-mix(in srgb,var(--faint) 7%,var(--paper))}.box>.head{padding:1px 8px;height:20px;font-weight:600;color:var(--tone)}.group>.head,.more{cursor:pointer}.row{height:18px;padding:0 8px}.row.outer,.more,.row .type{color:var(--faint)}.row:hover,.row.from,.row.to{background:color-mix(in srgb,var(--ink) 9%,transparent)}.row.from{color:var(--from)}.row.to{color:var(--to)}.box>.head.hit{background:var(--hit)}.box.here{outline:3px solid var(--to)}.region{position:absolute;border:1px dashed var(--control);border-radius:5px;background:var(--paper)}.region>.name{height:18px;padding:0 6px;color:var(--control)}#tip{position:fixed;z-index:2;max-width:560px;padding:6px 10px;background:var(--panel);border:1px solid var(--line);border-radius:6px;box-shadow:0 4px 18px #00000038;white-space:pre-wrap;overflow-wrap:anywhere;pointer-events:none}footer{background:var(--panel);border-top:1px solid var(--line);padding:4px 14px 8px}#arena{display:block;width:100%;height:110px}#arena rect{stroke:var(--panel);stroke-width:.6;fill:var(--loop);opacity:.7}#arena rect:hover,#arena rect.from{fill:var(--to);opacity:1}#arena line{stroke:var(--to)}.key{display:inline-flex;align-items:center;gap:5px;color:var(--faint)}.key:before{content:"";width:10px;height:10px;border-radius:3px;background:var(--tone)}';

// packages/core/src/runtime/drawing.ts
function drawCall(call) {
  const { name, device: device2 } = call;
  const drawing = describe2(call);
  const title = `${name || "function"} on ${device2}`;
  const ops = count(drawing.root, (step2) => step2.ops.length);
  const about = `${ops} ops in ${count(drawing.root, () => 1)} kernels`;
  const kinds3 = ["loop", "kernel", "control", "effect"];
  const keys = kinds3.map((kind) => `<span class="key ${kind}">${kind}</span>`).join("");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width">
<title>${escape(title)}</title>
<style>${style}</style>
</head>
<body>
<header><h1>${escape(title)}</h1><span class="about">${about}</span><span class="space"></span>${keys}<span id="hits"></span>
<input id="search" type="search" placeholder="op, shape, file, layer, weight" aria-label="search">
<button id="open" type="button">open all</button><button id="fit" type="button">fit</button></header>
<div id="canvas"><div id="world"></div></div>
<footer><span class="about">memory between kernels, in the order in which they run; at most ${formatBytes(drawing.peak)}</span><svg id="arena"></svg></footer>
<div id="tip" hidden></div>
<script type="application/json" id="drawing">${JSON.stringify(drawing).replaceAll("<", "\\u003c")}</script>
<script>${script}</script>
</body>
</html>
`;
}
var escape = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
function formatBytes(bytes) {
  const power = Math.min(3, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  return `${Number((bytes / 1024 ** power).toPrecision(3))} ${["B", "KiB", "MiB", "GiB"][power]}`;
}
function count(graph, of) {
  const inside2 = (step2) => step2.regions.reduce((n, region2) => n + count(region2.graph, of), 0);
  return graph.steps.reduce((n, step2) => n + of(step2) + inside2(step2), 0);
}
function describe2({ lowered: lowered2, fusion, params, results, args }) {
  const symbols = [...symbolsOfGraph(lowered2)];
  const nodes = /* @__PURE__ */ new Map();
  const program = schedule(lowered2, symbols, { fusion, onRecord: (record, made2) => nodes.set(record, made2) });
  const sizes = evaluateExprs(program.exprs, symbolValues(lowered2, args, symbols));
  const root = new RegionPicture(sizes, nodes).draw(program.root, params, results);
  return { root, peak: peakOf(root) };
}
function peakOf({ steps: steps2, buffers }) {
  const live = steps2.map((_, at) => buffers.reduce((sum3, b) => sum3 + (b.first <= at && at <= b.last ? b.bytes : 0), 0));
  return Math.max(0, ...live);
}
var nextGraph = 0;
var RegionPicture = class {
  sizes;
  nodes;
  constructor(sizes, nodes) {
    this.sizes = sizes;
    this.nodes = nodes;
  }
  draw(region2, params, results) {
    const { records } = region2;
    const memory = region2.slots.map((_, slot) => slot);
    for (const record of records) if (record.kind === "alias") memory[record.to] = memory[record.from];
    const constants = new Set(records.flatMap((r) => r.kind === "constant" ? [r.slot] : []));
    const numbers2 = /* @__PURE__ */ new Map();
    for (const record of records) for (const node of this.nodes.get(record) ?? []) numbers2.set(node, numbers2.size);
    const kernels = records.filter((r) => r.kind === "loop" || r.kind === "library");
    const steps2 = kernels.map((record, at) => {
      const own = this.nodes.get(record) ?? [];
      const reads = record.kind === "loop" ? record.loads.map((load) => load.slot) : record.ins;
      const writes = record.kind === "loop" ? record.stores.map((store) => store.slot) : record.outs;
      return {
        at,
        kind: kindOf(own),
        name: nameOf3(own),
        ops: own.map((node) => drawOp(node, numbers2)),
        reads: [...new Set(reads.map((slot) => memory[slot]))],
        writes: [...writes],
        regions: record.kind === "library" ? record.regions.map((inner, i) => ({ name: regionName(record.op, i), graph: this.drawInner(inner) })) : []
      };
    });
    const resultOf = new Map(region2.results.map((slot, i) => [memory[slot], results[i] ?? `result ${i}`]));
    const slots = region2.slots.map(({ dtype, dims }, slot) => {
      const shape = dims.map((d) => this.sizes[d]);
      const isParam = slot < region2.params;
      return {
        name: isParam ? params[slot] ?? `operand ${slot}` : constants.has(slot) ? "constant" : "value",
        type: `${dtype}[${shape}]`,
        bytes: countOf(shape) * dtypes[dtype].bytes,
        outer: isParam || constants.has(slot),
        result: resultOf.get(slot) ?? null
      };
    });
    return { id: nextGraph++, slots, steps: steps2, buffers: placeBuffers(steps2, slots) };
  }
  drawInner(region2) {
    return this.draw(region2, [], []);
  }
};
var regionNames = {
  cond: ["if true", "if false"],
  whileLoop: ["while", "body"]
};
var regionName = (op, i) => regionNames[op]?.[i] ?? `region ${i}`;
function placeBuffers(steps2, slots) {
  const lastRead = /* @__PURE__ */ new Map();
  for (const { at, reads } of steps2) for (const slot of reads) lastRead.set(slot, at);
  const placed = [];
  for (const { at: first2, writes } of steps2) {
    for (const slot of writes) {
      const { bytes, result } = slots[slot];
      if (result !== null || bytes === 0) continue;
      const last = lastRead.get(slot) ?? first2;
      const others = placed.filter((b) => b.last >= first2).sort((a, b) => a.offset - b.offset);
      let offset = 0;
      for (const other of others) {
        if (other.offset - offset >= bytes) break;
        offset = Math.max(offset, other.offset + other.bytes);
      }
      placed.push({ slot, bytes, offset, first: first2, last });
    }
  }
  return placed;
}
function kindOf([node]) {
  if (!node) return "kernel";
  if (node.regions.length > 0) return node.regions.some(hasEffect) ? "effect" : "control";
  if (node.op.kind === "effect") return "effect";
  return ["contract", "window", "index", "random", "composite", "custom", "scan", "shape"].includes(node.op.kind) ? "kernel" : "loop";
}
function nameOf3(nodes) {
  const names = [...new Set(nodes.map((node) => node.op.name))];
  const left = names.length > 3 ? ` +${names.length - 3}` : "";
  return `${names.slice(0, 3).join(" ")}${left}`;
}
function drawOp(node, numbers2) {
  const [site] = node.sites;
  return {
    id: numbers2.get(node),
    op: node.op.name,
    type: node.outs.map(formatAval).join(", "),
    attrs: cut2(attrsKey(node.attrs)),
    ins: node.inputs.map((v) => ({ op: numberOf(v, numbers2), text: textOf2(v) })),
    ...site ? { site: formatSite(site) } : {},
    ...site?.scope ? { scope: site.scope } : {},
    ...site?.role ? { role: site.role } : {}
  };
}
function numberOf(value, numbers2) {
  for (let at = value; at?.node; at = at.node.inputs[0]) {
    const number = numbers2.get(at.node);
    if (number !== void 0) return number;
  }
  return -1;
}
function textOf2({ node, index, aval }) {
  const maker = node ? node.op.name : `parameter ${index}`;
  const what = isScalarConstant(node) ? String(node.attrs.data[0]) : maker;
  return `${what} ${formatAval(aval)}`;
}
var longest = 300;
var cut2 = (text) => text.length > longest ? `${text.slice(0, longest)}\u2026` : text;

// packages/core/src/trace/trace.ts
var Trace = class {
  builder = new GraphBuilder();
  parent;
  /** Where the function was called. */
  site = captureSites(1)[0];
  /** What each parameter of the builder stands for, in the order of the parameters. */
  inputs = [];
  params = [];
  /** False once the function has returned: its tracers have leaked if they are used then. */
  open = true;
  captured = /* @__PURE__ */ new Map();
  variables = /* @__PURE__ */ new Map();
  constructor(parent) {
    this.parent = parent;
  }
  /** A parameter for the function's own argument `index`. */
  argument(index, aval) {
    return this.addParam({ kind: "argument", index }, aval);
  }
  /** The parameter that stands for a value from outside. */
  capture(outer) {
    return remember(this.captured, outer, () => this.addParam({ kind: "capture", outer }, outer.aval));
  }
  /** The value that a variable has at this point of the function. `fromParent` gives it to a region. */
  read(variable2, fromParent) {
    const state = remember(this.variables, variable2, () => ({
      current: this.parent ? this.capture(fromParent(this.parent)) : this.addParam({ kind: "variable", variable: variable2 }, variable2.aval),
      assigned: false
    }));
    return state.current;
  }
  assign(variable2, value) {
    this.variables.set(variable2, { current: value, assigned: true });
  }
  /** The variables that the function read or assigned. */
  used() {
    return [...this.variables.keys()];
  }
  /** The variables that the function assigned. */
  assigned() {
    return [...this.variables].filter(([, s]) => s.assigned).map(([v]) => v);
  }
  finish(results, params = this.params) {
    this.open = false;
    return this.builder.finish(results, "traced", params);
  }
  addParam(input, aval) {
    const value = this.builder.param(aval);
    this.inputs.push(input);
    this.params.push(value);
    return value;
  }
};

// packages/core/src/runtime/retracing.ts
var maxTraces = 128;
var manyRetraces = 5;
function useTrace(traces, fits2) {
  for (let at = traces.length - 1; at >= 0; at--) {
    const found = traces[at];
    if (!fits2(found)) continue;
    if (at < traces.length - 1) traces.push(...traces.splice(at, 1));
    return found;
  }
  return void 0;
}
function keepTrace(traces, made2, programs) {
  if (traces.length >= maxTraces) {
    for (const { graph } of traces.splice(0, maxTraces / 2)) programs.release(graph);
  }
  traces.push(made2);
}
var TraceHistory = class {
  /** How many there were. */
  count = 0;
  /** Whether many of them are worth a warning: not where nobody asked for a trace. */
  warns = true;
  calls = [];
  retraces = [];
  name;
  constructor(name) {
    this.name = name;
  }
  /** Notes a call that was traced; warns where it is one too many. */
  add(call) {
    this.count++;
    if (this.calls.length > 0) {
      const [site] = captureSites(1);
      const retrace = { trace: this.count, changes: this.changesTo(call), ...site ? { site } : {} };
      if (this.retraces.push(retrace) > maxTraces) this.retraces.shift();
      if (this.warns && this.count === manyRetraces + 1) this.warn(retrace);
    }
    if (this.calls.push(call) > maxTraces) this.calls.shift();
  }
  report() {
    const { count: count2, name } = this;
    const retraces = [...this.retraces];
    const report = {
      traces: count2,
      retraces,
      toString() {
        const head = `${name || "a function without a name"} was traced ${count2 === 1 ? "once" : `${count2} times`}`;
        return [head, ...retraces.map(lineOf)].join("\n");
      }
    };
    Object.defineProperty(report, inspect, { value: () => report.toString() });
    return report;
  }
  /** The differences from the most similar call: the fewest, of the latest. */
  changesTo(call) {
    let least;
    for (const earlier of [...this.calls].reverse()) {
      const changes = changesBetween(earlier, call);
      if (!least || changes.length < least.length) least = changes;
    }
    return least ?? [];
  }
  warn({ site, changes }) {
    const where2 = site ? ` (called at ${formatSite(site)})` : "";
    const why = changes.map(inWords).join("; ");
    warnOnce(
      "W_RETRACED",
      site ? formatSite(site) : this.name,
      `the function ${this.name || "without a name"}${where2} was traced ${this.count} times. This time ${why}. Pass what changes as a tensor; explainRetraces() tells of the other times`
    );
  }
};
var inWords = ({ path, was, became }) => `${path} was ${was} and became ${became}`;
function lineOf({ trace, site, changes }) {
  return `  trace ${trace}${site ? ` at ${formatSite(site)}` : ""}: ${changes.map(inWords).join("; ")}`;
}
function changesBetween(a, b) {
  const changes = [];
  const compare2 = (path, was, is) => {
    if (was.kind === "list" && is.kind === "list" && was.items.length === is.items.length) {
      was.items.forEach((item, i) => {
        compare2(path ? `${path}[${i}]` : `argument ${i}`, item, is.items[i]);
      });
      return;
    }
    if (was.kind === "record" && is.kind === "record" && keysOf(was) === keysOf(is)) {
      was.entries.forEach(([key, item], i) => {
        compare2(`${path}.${key}`, item, is.entries[i][1]);
      });
      return;
    }
    if (was.kind === "value" && is.kind === "value" && Object.is(was.value, is.value)) return;
    if (was.kind === "leaf" && is.kind === "leaf" && takes(a.takes[was.index], b.args[is.index])) return;
    const [before3, after] = [describe3(was, a.args), describe3(is, b.args)];
    changes.push({ path: path || "the arguments", was: before3, became: distinct(before3, after) });
  };
  if (a.device !== b.device) changes.push({ path: "device", was: a.device, became: b.device });
  compare2("", a.template, b.template);
  return changes;
}
function takes(want, got) {
  if (want.dtype !== got.dtype || want.shape.length !== got.shape.length) return false;
  return want.shape.every((d, i) => typeof d !== "number" || d === got.shape[i]);
}
var keysOf = ({ entries }) => entries.map(([key]) => key).join();
var distinct = (was, became) => was === became ? `another ${became}` : became;
function describe3(template, args) {
  switch (template.kind) {
    case "leaf":
      return formatAval(args[template.index]);
    case "list":
      return `a list of ${template.items.length}`;
    case "record":
      return `{ ${template.entries.map(([key]) => key).join(", ")} }`;
    case "value":
      return describeValue(template.value);
  }
}
var maxLetters = 40;
function describeValue(value) {
  if (typeof value === "function") return value.name ? `function ${value.name}` : "function";
  if (typeof value === "object" && value !== null)
    return `object of ${Object.getPrototypeOf(value)?.constructor?.name ?? "no class"}`;
  const text = typeof value === "string" ? JSON.stringify(value) : Object.is(value, -0) ? "-0" : String(value);
  return text.length > maxLetters ? `${text.slice(0, maxLetters - 1)}\u2026` : text;
}

// packages/core/src/runtime/signature.ts
function fits(want, got, sizes) {
  if (want.dtype !== got.dtype || want.shape.length !== got.shape.length) return false;
  return want.shape.every((d, i) => {
    const size = Number(got.shape[i]);
    if (typeof d === "number") return d === size;
    const known3 = sizes.get(d.key);
    sizes.set(d.key, size);
    const atom = d.terms[0]?.atoms[0];
    const inRange = atom?.kind !== "symbol" || size >= atom.min;
    return inRange && (known3 === void 0 || known3 === size);
  });
}
function alikeBut(a, b) {
  if (a.dtype !== b.dtype || a.shape.length !== b.shape.length) return false;
  return a.shape.every((d, i) => d === b.shape[i] || (typeof d !== "number" || d > 1) && Number(b.shape[i]) > 1);
}
function specAvals(specs, leaves) {
  if (specs.length !== leaves.length) {
    throw new MillraceError(
      "E_ARGUMENT",
      `inputSignature describes ${specs.length} tensors, the call has ${leaves.length}`
    );
  }
  const avals = specs.map((spec, i) => ({
    dtype: spec.dtype ?? "float32",
    shape: spec.shape.map((d, axis) => d ?? symbol(`d${i}_${axis}`, 0))
  }));
  leaves.forEach((x, i) => {
    if (fits(avals[i], x.aval, /* @__PURE__ */ new Map())) return;
    throw new MillraceError(
      "E_SHAPE",
      `argument ${i} is ${formatAval(x.aval)}, inputSignature says ${formatAval(avals[i])}`
    );
  });
  return avals;
}

// packages/core/src/runtime/function.ts
var missed = /* @__PURE__ */ Symbol("missed");
var ConcreteFunction = class {
  graph;
  template;
  args;
  device;
  captures;
  variables;
  assigned;
  results;
  resultCount;
  // The last call's program: most functions are called with one signature.
  lastTypes = [];
  lastBound = null;
  lastWatched = false;
  bufs;
  donated;
  /** The results that are the new values of what is donated. */
  renewed;
  /** Whether an assertion may stop it. */
  mayStop;
  /** The arguments, where they are tensors and plain values in a row: then a call need not be taken apart. */
  flat;
  constructor(parts2) {
    this.graph = parts2.graph;
    this.template = parts2.template;
    this.args = parts2.args;
    this.device = parts2.device;
    this.captures = parts2.captures;
    this.variables = parts2.variables;
    this.assigned = parts2.assigned;
    this.results = parts2.results;
    this.resultCount = parts2.graph.results.length - parts2.assigned.length;
    this.mayStop = asserts(parts2.graph);
    this.bufs = new Array(parts2.graph.params.length);
    const { items } = parts2.template.kind === "list" ? parts2.template : { items: void 0 };
    this.flat = items?.every((t) => t.kind === "leaf" || t.kind === "value") ? items : void 0;
    const firstVariable = parts2.args.length + parts2.captures.length;
    this.donated = parts2.variables.flatMap((v, i) => parts2.assigned.includes(v) ? [firstVariable + i] : []);
    const renewed = parts2.variables.filter((v) => parts2.assigned.includes(v));
    this.renewed = renewed.map((v) => this.resultCount + parts2.assigned.indexOf(v));
  }
  /** Whether a call changes variables. */
  get assignsVariables() {
    return this.assigned.length > 0;
  }
  /** Whether the tensors of a call fit this trace. */
  accepts(leaves, device2) {
    if (device2 === void 0 ? this.isElsewhere() : device2 !== this.device) return false;
    const sizes = /* @__PURE__ */ new Map();
    return leaves.every((x, i) => fits(this.args[i], x.aval, sizes));
  }
  /** Whether nothing ties it to its device, and another is the default now. */
  isElsewhere() {
    return this.graph.params.length === 0 && engine.defaultDevice() !== this.device;
  }
  /** Whether the last call's program is still the one to run. */
  isBound() {
    return this.lastBound !== null && !this.lastBound.released && this.lastWatched === numerics.watched;
  }
  /** Puts the buffers of a call like the last one in place; false where it is another, or is not that simple. */
  takeFlat(args) {
    const { flat, lastTypes, bufs } = this;
    if (!flat || !this.isBound() || args.length !== flat.length || engine.recording) return false;
    if (this.isElsewhere()) return false;
    for (let i = 0; i < flat.length; i++) {
      const want = flat[i];
      const arg = args[i];
      if (want.kind === "leaf") {
        if (!(arg instanceof TensorImpl) || arg.type !== lastTypes[want.index]) return false;
        bufs[want.index] = arg.buf;
      } else if (want.kind !== "value" || !Object.is(want.value, arg)) return false;
    }
    return true;
  }
  /** Runs a call that is like the last one; `missed` where it is not. */
  callAgain(args) {
    return this.takeFlat(args) ? this.execute(this.lastBound, this.args.length) : missed;
  }
  call(leaves) {
    if (engine.recording) return this.callRecorded(leaves);
    const bound2 = this.bind(leaves);
    leaves.forEach((x, i) => {
      this.bufs[i] = x.live("a function's argument");
    });
    return this.execute(bound2, leaves.length);
  }
  /** Runs the program on the arguments in `bufs` and on what the function uses from outside. */
  execute(program, argumentCount) {
    const { outs } = program;
    const { bufs } = this;
    let n = argumentCount;
    for (const x of this.captures) bufs[n++] = x.live("a captured tensor");
    for (const v of this.variables) {
      v.forget();
      bufs[n++] = v.live("a captured variable");
    }
    const { device: device2 } = this;
    const waits = this.assigned.length > 0 && (this.mayStop || numerics.watched);
    const made2 = waits ? device2.runToEnd(program, bufs) : device2.run(program, bufs, this.donated, this.renewed);
    for (let i = 0; i < this.assigned.length; i++) engine.renew(this.assigned[i], made2[this.resultCount + i]);
    if (this.results.kind === "leaf" && this.resultCount === 1) return engine.adopt(outs[0], made2[0]);
    const results = [];
    for (let i = 0; i < this.resultCount; i++) results.push(engine.adopt(outs[i], made2[i]));
    return buildStructure(this.results, results);
  }
  /** Under a tape the call is one op, whose gradient is the gradient of the graph. */
  callRecorded(leaves) {
    const ins = [
      ...leaves.map((x) => engine.snapshot(x)),
      ...this.captures,
      ...this.variables.map((v) => engine.snapshot(v))
    ];
    const outs = engine.graphs.runOp(engine, this.device, callOp, ins, noAttrs, [this.graph]);
    engine.recordCall(callOp, ins, noAttrs, [this.graph], outs);
    for (const [i, v] of this.assigned.entries()) v.assign(outs[this.resultCount + i]);
    return buildStructure(this.results, outs);
  }
  bind(leaves) {
    if (this.isBound() && leaves.every((x, i) => x.type === this.lastTypes[i])) return this.lastBound;
    const all2 = [...leaves, ...this.captures, ...this.variables];
    this.lastBound = engine.graphs.bind(this.graph, this.device, all2);
    this.lastWatched = numerics.watched;
    this.lastTypes = leaves.map((x) => x.type);
    return this.lastBound;
  }
  /** The graph as text. */
  toString() {
    return String(this.graph);
  }
};
var PolymorphicFunction = class {
  /** Those that are kept, the last used last. */
  traces = [];
  /** The calls that it was traced for. */
  history;
  f;
  options;
  depth = 0;
  last = null;
  constructor(f, options) {
    this.f = f;
    this.options = options;
    this.history = new TraceHistory(options.name);
  }
  call(self2, args) {
    if (engine.trace || eagerly) return this.inline(self2, args);
    if (this.last) {
      const result = this.last.callAgain(args);
      if (result !== missed) return result;
    }
    const leaves = [];
    const template = flattenStructure(args, leaves, isArgument);
    this.last = this.concrete(self2, template, leaves);
    return this.last.call(leaves);
  }
  /** Runs the JavaScript itself. It may call itself, if not without end. */
  inline(self2, args) {
    if (this.depth === deepest) {
      const why = "a tf.function calls itself without end: recursion has no graph, use tf.whileLoop";
      throw new MillraceError("E_ARGUMENT", why);
    }
    this.depth++;
    try {
      return this.f.apply(self2, [...args]);
    } finally {
      this.depth--;
    }
  }
  /** The trace for a call, made if there is none. */
  concrete(self2, template, leaves) {
    const device2 = deviceOf(leaves);
    const found = useTrace(this.traces, (t) => sameTemplate(t.template, template) && t.accepts(leaves, device2));
    if (found) return found;
    const made2 = this.trace(self2, template, leaves, device2 ?? engine.defaultDevice());
    keepTrace(this.traces, made2, engine.graphs);
    const args = leaves.map((x) => x.aval);
    this.history.add({ template, args, takes: made2.args, device: made2.device.name });
    return made2;
  }
  /** Traces for these arguments, and looks at what comes out where that was asked for. */
  make(trace) {
    return traceChecked(this.options.name, trace);
  }
  trace(self2, template, leaves, device2) {
    const { inputSignature, name } = this.options;
    const of = (args) => this.make(() => traceFunction(this.f, self2, template, args, device2, name));
    if (inputSignature) return of(specAvals(inputSignature, leaves));
    const general = this.generalised(template, leaves);
    if (general) {
      try {
        return of(general);
      } catch (error) {
        if (!(error instanceof TypeError)) throw error;
      }
    }
    return of(leaves.map((x) => x.aval));
  }
  /** The arguments with symbols where an earlier trace had another size; undefined where there is none like it. */
  generalised(template, leaves) {
    if (!this.options.reduceRetracing) return void 0;
    const alike = this.traces.find((t) => {
      return sameTemplate(t.template, template) && leaves.every((x, i) => alikeBut(t.args[i], x.aval));
    });
    if (!alike) return void 0;
    const names = /* @__PURE__ */ new Map();
    const sizeSymbol = (size) => remember(names, size, () => symbol(`d${names.size}`, 2));
    return leaves.map((x, i) => {
      const shape = x.aval.shape.map((d, axis) => d === alike.args[i].shape[axis] ? d : sizeSymbol(Number(d)));
      return { dtype: x.dtype, shape };
    });
  }
};
var isArgument = (x) => !(x instanceof VariableImpl);
var deepest = 200;
function deviceOf(tensors, what = "a function's arguments") {
  const device2 = tensors[0]?.type.device;
  const other = tensors.find((x) => x.type.device !== device2);
  if (!device2 || !other) return device2;
  const places = `${what} are on ${device2.name} and ${other.device}`;
  throw new MillraceError("E_DEVICE", `${places}; move one with x.to("${device2.name}")`);
}
function traceFunction(f, self2, template, args, device2 = engine.defaultDevice(), name = f.name) {
  return engine.withDevice(device2, () => traceOn(device2, f, self2, template, args, name));
}
function traceOn(device2, f, self2, template, args, name) {
  const trace = new Trace(null);
  const tracers = args.map((aval, i) => engine.tracer(trace, trace.argument(i, aval)));
  const results = [];
  const returned = engine.within(trace, () => {
    const value = f.apply(self2, buildStructure(template, tracers));
    refusePromise("tf.function", value);
    return flattenStructure(value, results);
  });
  const values = results.map((x) => engine.inTrace(trace, x).value);
  const assigned = trace.assigned();
  const updates = assigned.map((v) => engine.inTrace(trace, v).value);
  const captures = [];
  const variables = [];
  trace.inputs.forEach((input, at) => {
    if (input.kind === "capture") captures.push({ outer: input.outer, at });
    if (input.kind === "variable") variables.push({ variable: input.variable, at });
  });
  const outside = [...captures.map((c) => c.outer), ...variables.map((v) => v.variable)];
  const place2 = deviceOf(outside, "what a function uses from outside") ?? device2;
  if (args.length > 0 && place2 !== device2) {
    const places = `a function's arguments are on ${device2.name}, what it uses from outside on ${place2.name}`;
    throw new MillraceError("E_DEVICE", `${places}; move one with x.to("${device2.name}")`);
  }
  const order = [...args.keys(), ...captures.map((c) => c.at), ...variables.map((v) => v.at)];
  const graph = trace.finish(
    [...values, ...updates],
    order.map((i) => trace.params[i])
  );
  const isVariable2 = (result) => result >= values.length || updates.includes(values[result]);
  engine.graphs.nameResults(graph, (result) => isVariable2(result) ? inVariable : functionName(name));
  return new ConcreteFunction({
    graph,
    template,
    args,
    device: place2,
    captures: captures.map((c) => c.outer),
    variables: variables.map((v) => v.variable),
    assigned,
    results: returned
  });
}
var eagerly = false;

// packages/core/src/runtime/traced-function.ts
function drawConcrete(name, f, leaves) {
  const { device: device2, graph, captures, variables, assigned } = f;
  const own = graph.results.length - assigned.length;
  return drawCall({
    name,
    device: device2.name,
    lowered: device2.lower(graph),
    fusion: device2.backend.fusion,
    params: [
      ...leaves.map((_, i) => `argument ${i}`),
      ...captures.map((_, i) => `captured ${i}`),
      ...variables.map((v) => v.name)
    ],
    results: graph.results.map((_, i) => i < own ? `result ${i}` : assigned[i - own].name),
    args: [...leaves, ...captures, ...variables].map((x) => x.aval)
  });
}
function makeFunction(f, options = {}) {
  const defaults = { inputSignature: void 0, reduceRetracing: true, name: f.name };
  const given = withDefaults("fn", options, defaults);
  const traced2 = new PolymorphicFunction(f, given);
  const wrapper = function(...args) {
    return traced2.call(this, args);
  };
  const concrete = (args) => {
    const leaves = [];
    const template = flattenStructure(args, leaves, isArgument);
    return traced2.concrete(void 0, template, leaves);
  };
  const looks = {
    tracingCount: () => traced2.history.count,
    explainRetraces: () => traced2.history.report(),
    graph: (...args) => concrete(args).graph,
    draw: (...args) => {
      const leaves = [];
      const template = flattenStructure(args, leaves, isArgument);
      return drawConcrete(given.name, traced2.concrete(void 0, template, leaves), leaves);
    },
    explain: (...args) => {
      const { device: device2, graph } = concrete(args);
      return reportCall(given.name, device2, graph);
    }
  };
  Object.defineProperty(wrapper, "name", { value: given.name });
  return Object.assign(wrapper, looks);
}

// packages/core/src/api/tensors.ts
function fn(f, options) {
  needFunction("fn", f);
  return makeFunction(f, options);
}

// packages/core/src/runtime/memory.ts
function tidy(nameOrF, maybe) {
  const f = typeof nameOrF === "function" ? nameOrF : maybe;
  if (!f) throw new MillraceError("E_ARGUMENT", "tidy: needs a function");
  const outer = engine.scope;
  const scope = { made: [] };
  engine.scope = scope;
  const returned = [];
  try {
    const value = f();
    refusePromise("tidy", value);
    flattenStructure(value, returned);
    return value;
  } finally {
    engine.scope = outer;
    const kept = new Set(returned);
    for (const x of scope.made) {
      if (kept.has(x) || engine.recording) outer?.made.push(x);
      else if (!(x instanceof VariableImpl)) x.dispose();
    }
  }
}

// packages/core/src/ir/verify.ts
function verify(graph, stage, claims = () => false) {
  const problems = [];
  if (graph.stage !== stage) problems.push(`G5: the graph says ${graph.stage}, not ${stage}`);
  if (!Object.isFrozen(graph) || !graph.nodes.every(Object.isFrozen)) problems.push("G5: the graph is not frozen");
  const params = new Set(graph.params);
  const made2 = /* @__PURE__ */ new Set();
  const known3 = (v) => v.node ? made2.has(v.node) && v.index < v.node.outs.length : params.has(v);
  for (const node of graph.nodes) {
    const { name } = node.op;
    node.inputs.forEach((v, i) => {
      if (!known3(v)) problems.push(`G1: operand ${i} of ${name} is not made before it in this graph`);
    });
    problems.push(...verifyOutputs(node));
    if (stage !== "traced" && node.op.lower && !claims(
      node.op,
      node.inputs.map((v) => v.aval),
      node.attrs
    ))
      problems.push(`G3: ${name} is a composite that nobody claims`);
    node.regions.forEach((region2, i) => {
      problems.push(...verify(region2, stage, claims).map((p) => `region ${i} of ${name}: ${p}`));
    });
    made2.add(node);
  }
  graph.results.forEach((v, i) => {
    if (!known3(v)) problems.push(`G1: result ${i} is not made in this graph`);
  });
  return problems;
}
function verifyOutputs(node) {
  const guards = [];
  try {
    const outs = inferOp(
      node.op,
      node.inputs.map((v) => v.aval),
      node.attrs,
      node.regions,
      guards
    );
    const [want, got] = [outs.map(formatAval).join(", "), node.outs.map(formatAval).join(", ")];
    return want === got ? [] : [`G2: ${node.op.name} makes ${want}, the node says ${got}`];
  } catch (error) {
    return [`G2: ${node.op.name}: ${error instanceof Error ? error.message : String(error)}`];
  }
}

// packages/autodiff/src/parts.ts
var Parts = class {
  byWhole = /* @__PURE__ */ new Map();
  b;
  constructor(b) {
    this.b = b;
  }
  /** Keeps a slice's cotangent, where it is one of consecutive elements of one axis of a known size; else false. */
  take(op, whole, attrs, g) {
    if (op.name !== "slice") return false;
    const { shape } = whole.aval;
    const { start: start2, limit: limit2, strides } = attrs;
    const cut3 = shape.flatMap((size2, i) => start2[i] === 0 && limit2[i] === size2 && strides[i] === 1 ? [] : [i]);
    const [axis = 0] = cut3;
    const [begin, end, size] = [start2[axis], limit2[axis], shape[axis]];
    if (cut3.length !== 1 || strides[axis] !== 1 || typeof size !== "number") return false;
    if (typeof begin !== "number" || typeof end !== "number") return false;
    const parts2 = this.byWhole.get(whole) ?? [];
    this.byWhole.set(whole, [...parts2, { axis, begin, end, g }]);
    return true;
  }
  /** The values that parts are kept of. */
  wholes() {
    return [...this.byWhole.keys()];
  }
  /** What the parts of a value add up to, which are then forgotten; undefined without any. */
  joined(whole) {
    const parts2 = this.byWhole.get(whole);
    this.byWhole.delete(whole);
    const rows = [];
    for (const part2 of (parts2 ?? []).sort((p, q) => p.begin - q.begin)) {
      const row = rows.find((r) => r[0].axis === part2.axis && r.at(-1).end <= part2.begin);
      if (row) row.push(part2);
      else rows.push([part2]);
    }
    const sums = rows.map((row) => this.sideBySide(row, whole));
    return sums.length === 0 ? void 0 : sums.reduce((x, y) => this.b.add([x, y]));
  }
  sideBySide(row, whole) {
    const { axis } = row[0];
    const { shape } = whole.aval;
    const zeros3 = (size2) => {
      const zero = fillLike(this.b, { aval: { dtype: whole.aval.dtype, shape: [] } }, 0);
      return stretch(this.b, zero, shape.with(axis, size2), []);
    };
    const all2 = [];
    let at = 0;
    for (const { begin, end, g } of row) {
      if (begin > at) all2.push(zeros3(begin - at));
      all2.push(g);
      at = end;
    }
    const size = shape[axis];
    if (at < size) all2.push(zeros3(size - at));
    return all2.length === 1 ? all2[0] : this.b.concat(all2, { axis });
  }
};

// packages/autodiff/src/backward.ts
function distinct2(applications) {
  const seen = /* @__PURE__ */ new Set();
  return applications.filter(({ outs: [first2] }) => {
    if (first2 === void 0 || seen.has(first2)) return false;
    seen.add(first2);
    return true;
  });
}
function dependents(applications, sources) {
  const active = new Set(sources);
  for (const { ins, outs } of applications) {
    if (ins.some((x) => active.has(x))) {
      for (const y of outs) if (isFloat(y)) active.add(y);
    }
  }
  return active;
}
function backward(told, seeds, sources, apply2) {
  return atOneSite(() => walkBack2(told, seeds, sources, apply2));
}
function walkBack2(told, seeds, sources, apply2) {
  const b = makeOps(apply2);
  const add2 = (x, y) => b.add([x, y]);
  const applications = distinct2(told);
  const active = dependents(applications, sources);
  const cotangents = new Map(seeds);
  const parts2 = new Parts(b);
  const addTo = (x, g) => {
    const sum3 = cotangents.get(x);
    cotangents.set(x, sum3 ? add2(sum3, g) : g);
  };
  const gather2 = (x) => {
    const g = parts2.joined(x);
    if (g) addTo(x, g);
  };
  for (let i = applications.length - 1; i >= 0; i--) {
    const application = applications[i];
    const { ins, outs } = application;
    if (!ins.some((x) => active.has(x))) continue;
    outs.forEach(gather2);
    const gs = outs.map((y) => active.has(y) ? cotangents.get(y) ?? null : null);
    if (gs.every((g) => g === null)) continue;
    if (gs[0] && parts2.take(application.op, ins[0], application.attrs, gs[0])) continue;
    const wanted = ins.map((x) => active.has(x));
    const contributions = inRole(
      `the gradient of ${application.op.name}`,
      sitesOf2(outs[0]),
      () => pullBack(application, gs, wanted, b, apply2)
    );
    contributions.forEach((g, k) => {
      const x = ins[k];
      if (g !== null && active.has(x)) addTo(x, g);
    });
  }
  parts2.wholes().forEach(gather2);
  return cotangents;
}
function pullBack(application, gs, wanted, b, apply2) {
  const { op, ins, outs, attrs, regions } = application;
  const rule = op.vjp;
  if (isNoRule(rule)) throw refuseGradient(application, rule);
  if (rule !== "lower") return rule(b, gs, ins, outs, attrs, regions, wanted);
  return throughDecomposition(application, gs, wanted, apply2);
}
function refuseGradient({ op, outs }, { reason }) {
  const [site] = outs.flatMap((y) => sitesOf2(y) ?? []);
  return new MillraceError("E_GRADIENT", `${op.name} has no gradient: ${reason}`, {
    op: op.name,
    ...site ? { site } : {}
  });
}
function recordedOps(apply2) {
  const inner = [];
  const recorded = makeOps((op, ins, attrs, regions) => {
    const outs = apply2(op, ins, attrs, regions);
    inner.push({ op, ins, attrs, regions, outs });
    return outs;
  });
  return { recorded, inner };
}
function sitesOf2(made2) {
  const value = made2 instanceof TracerTensor ? made2.value : made2;
  return value instanceof Value ? value.node?.sites : void 0;
}
function throughDecomposition({ op, ins, attrs, regions }, gs, wanted, apply2) {
  const { recorded, inner } = recordedOps(apply2);
  const outs = op.lower(recorded, ins, attrs, regions);
  const sources = [...new Set(ins.filter((x, i) => wanted[i] && isFloat(x)))];
  const cotangents = backward(inner, seedsOf(outs, gs, apply2), sources, apply2);
  return ins.map((x, i) => ins.indexOf(x) === i ? cotangents.get(x) ?? null : null);
}
function seedsOf(outs, gs, apply2) {
  const seeds = /* @__PURE__ */ new Map();
  outs.forEach((y, i) => {
    const g = gs[i];
    if (!g) return;
    const sum3 = seeds.get(y);
    seeds.set(y, sum3 ? makeOps(apply2).add([sum3, g]) : g);
  });
  return seeds;
}

// packages/autodiff/src/graph-vjp.ts
var known2 = /* @__PURE__ */ new WeakMap();
function vjpGraph(graph) {
  return remember(known2, graph, () => build(graph));
}
function build(graph) {
  const builder = new GraphBuilder();
  const params = graph.params.map((p) => builder.param(p.aval));
  for (const guard2 of graph.guards) builder.guard(guard2);
  const apply2 = (op, ins, attrs, regions) => builder.apply(op, ins, attrs, regions, sharedSites());
  const applications = [];
  const results = evaluateGraph(graph, params, (op, ins, attrs, regions, sites) => {
    const outs = builder.apply(op, ins, attrs, regions, sites);
    applications.push({ op, ins, attrs, regions, outs });
    return outs;
  });
  const cotangents = results.map((y) => isFloat(y) ? builder.param(y.aval) : null);
  const sources = params.filter(isFloat);
  const found = backward(applications, seedsOf(results, cotangents, apply2), sources, apply2);
  const b = makeOps(apply2);
  return builder.finish(sources.map((x) => found.get(x) ?? fillLike(b, x, 0)));
}
function connectTransforms() {
  transforms.current = { vjp: vjpGraph };
}

// packages/autodiff/src/recording.ts
var applyToTensors = (op, ins, attrs, regions) => (
  // boundary: every TensorImpl is a Tensor once the op methods are installed
  engine.apply(op, ins, attrs, regions)
);
function inScope(x) {
  return engine.trace ? engine.inTrace(engine.trace, x) : x;
}
var Recording = class {
  applications = [];
  /** What is watched, and what depends on it. */
  active = /* @__PURE__ */ new Set();
  /** The tensors that stood for a variable while it was recorded. */
  reads = /* @__PURE__ */ new Map();
  watched = /* @__PURE__ */ new Set();
  watchAccessed;
  open = false;
  /** @param watchAccessed whether trainable variables are watched when they are read */
  constructor(watchAccessed) {
    this.watchAccessed = watchAccessed;
  }
  start() {
    this.open = true;
    engine.addRecorder(this);
  }
  stop() {
    this.open = false;
    engine.removeRecorder(this);
  }
  /** Records what `f` does. Throws E_ASYNC_SCOPE where it returns a promise. */
  run(what, f) {
    this.start();
    try {
      const value = f();
      refusePromise(what, value);
      return value;
    } finally {
      this.stop();
    }
  }
  /** Runs `f` without recording. */
  paused(what, f) {
    const wasOpen = this.open;
    if (wasOpen) engine.removeRecorder(this);
    try {
      const value = f();
      refusePromise(what, value);
      return value;
    } finally {
      if (wasOpen) engine.addRecorder(this);
    }
  }
  /** Throws E_DTYPE for integers, which have no derivatives. */
  watch(what, tensors) {
    const leaves = [];
    flattenStructure(tensors, leaves);
    for (const x of leaves) {
      if (!dtypes[x.dtype].isFloat)
        throw new MillraceError("E_DTYPE", `${what}: ${x.dtype} has no gradient; cast it to float32 first`);
      if (x instanceof VariableImpl) this.watched.add(x);
      else this.active.add(inScope(x));
    }
  }
  /** Called by the engine for each op. */
  applied(op, ins, attrs, regions, outs) {
    if (!ins.some((x) => this.active.has(x))) return;
    const floats2 = outs.filter((y) => dtypes[y.dtype].isFloat);
    if (floats2.length === 0) return;
    for (const y of floats2) this.active.add(y);
    this.applications.push({ op, ins, attrs, regions, outs });
  }
  /** Called by the engine where a variable is read. */
  read(variable2, value) {
    if (!dtypes[variable2.dtype].isFloat) return;
    if (!this.watched.has(variable2) && !(this.watchAccessed && variable2.trainable)) return;
    remember(this.reads, variable2, () => /* @__PURE__ */ new Set()).add(value);
    this.active.add(value);
  }
  /** What stands for a leaf in what was recorded: several tensors for a variable that was read several times. */
  placesOf(x) {
    return x instanceof VariableImpl ? [...this.reads.get(x) ?? []] : [inScope(x)];
  }
  /** Forgets what was done. */
  release() {
    this.applications.length = 0;
    this.active.clear();
  }
};

// packages/autodiff/src/jacobian.ts
function jacobians(told, target, sources) {
  const b = makeOps(applyToTensors);
  const { shape } = target.aval;
  const rows = productDim(shape);
  const seed = b.reshape([unitRows(b, target, rows)], { shape: [rows, ...shape] });
  return inLanes(b, told, target, sources, seed, rows).map((found, i) => {
    return found && b.reshape([found], { shape: [...shape, ...sources[i].aval.shape] });
  });
}
function batchJacobian(told, target, source) {
  const b = makeOps(applyToTensors);
  const [count2, ...inner] = target.aval.shape;
  const [other, ...wrt] = source.aval.shape;
  if (count2 === void 0 || other === void 0 || eqDim(count2, other) !== true) {
    const shapes2 = `${formatShape(target.aval.shape)} and ${formatShape(source.aval.shape)}`;
    throw new MillraceError("E_SHAPE", `batchJacobian: target and source need the same leading size, got ${shapes2}`);
  }
  const rows = productDim(inner);
  const units = b.reshape([unitRows(b, target, rows)], { shape: [rows, ...inner] });
  const dims = [0, ...inner.map((_, i) => i + 2)];
  const seed = stretch(b, units, [rows, count2, ...inner], dims);
  const [found] = inLanes(b, told, target, [source], seed, rows);
  if (!found) return null;
  const perm = [1, 0, ...wrt.map((_, i) => i + 2)];
  return b.reshape([b.transpose([found], { perm })], { shape: [count2, ...inner, ...wrt] });
}
function unitRows(b, { aval: { dtype } }, rows) {
  const place2 = (axis) => b.iota([], { dtype: "int32", shape: [rows, rows], axis });
  return b.cast([b.eq([place2(0), place2(1)])], { dtype });
}
function inLanes(b, told, target, sources, seed, rows) {
  const known3 = /* @__PURE__ */ new Map();
  const lane = (x) => remember(known3, x, () => laneOf(x, false));
  const lanes = told.map(({ ins, outs, ...rest }) => ({ ...rest, ins: ins.map(lane), outs: outs.map(lane) }));
  const seeds = /* @__PURE__ */ new Map([[lane(target), laneOf(seed, true)]]);
  const found = backward(lanes, seeds, sources.map(lane), batchedApply(applyToTensors, rows));
  return sources.map((x) => {
    const g = found.get(lane(x));
    return g ? withAxis(b, g, rows) : null;
  });
}

// packages/autodiff/src/tape.ts
function gradientOptions(options) {
  const given = withDefaults("gradient", options, { outputGradients: void 0, unconnectedGradients: "none" });
  const { unconnectedGradients } = given;
  if (unconnectedGradients === "none" || unconnectedGradients === "zero") return given;
  throw new MillraceError(
    "E_ARGUMENT",
    `gradient: unconnectedGradients is "none" or "zero", got ${String(unconnectedGradients)}`
  );
}
function placeOf(x) {
  const leaf = x;
  return leaf instanceof VariableImpl ? leaf : inScope(leaf);
}
function zeros2(b, { aval: { dtype } }, shape) {
  return fillLike(b, { aval: { dtype, shape } }, 0);
}
var GradientTape = class {
  persistent;
  recording;
  used = false;
  expired;
  constructor(options = {}) {
    connectTransforms();
    const given = withDefaults("GradientTape", options, { persistent: false, watchAccessedVariables: true });
    this.persistent = given.persistent;
    this.recording = new Recording(given.watchAccessedVariables);
  }
  /** Records what `f` does. Throws E_ASYNC_SCOPE where it returns a promise. */
  run(f) {
    this.refuseOpen();
    return this.recording.run("tape.run", f);
  }
  /**
   * Records until the returned scope is disposed of, or the synchronous code around it ends: after an `await` other code
   * may run, so the scope closes itself there, and `gradient` then throws E_ASYNC_SCOPE.
   */
  record() {
    const [site] = captureSites(1);
    this.refuseOpen();
    this.recording.start();
    let open = true;
    const close = () => {
      if (open) this.recording.stop();
      open = false;
    };
    void Promise.resolve().then(() => {
      if (!open) return;
      close();
      this.expired = site ?? null;
    });
    return { [Symbol.dispose]: close };
  }
  refuseOpen() {
    if (this.recording.open)
      throw new MillraceError("E_ARGUMENT", "this tape is recording already: nest another GradientTape instead");
  }
  /** Makes gradients with respect to these tensors possible. Throws E_DTYPE for integers, which have none. */
  watch(tensors) {
    this.recording.watch("watch", tensors);
  }
  /** The variables that were read while the tape recorded, in that order. */
  watchedVariables() {
    return [...this.recording.reads.keys()];
  }
  /** Runs `f` without recording. */
  stopRecording(f) {
    return this.recording.paused("tape.stopRecording", f);
  }
  /** Forgets what was recorded. */
  reset() {
    this.recording.release();
    this.recording.reads.clear();
    this.used = false;
    this.expired = void 0;
  }
  /**
   * The gradient of `target` (summed, where it is no scalar or several) with respect to `sources`, in their structure.
   * @throws E_GRADIENT where an op on the way has none, E_ASYNC_SCOPE where the scope was left open across an await
   */
  gradient(target, sources, options = {}) {
    this.checkUse();
    const given = gradientOptions(options);
    const leaves = [];
    const template = flattenStructure(sources, leaves);
    const targets = [];
    flattenStructure(target, targets);
    const compute = () => this.cotangents(targets, leaves, given);
    const place2 = targets[0];
    const found = this.finish(place2, compute);
    return buildStructure(template, found);
  }
  /**
   * ∂target/∂source for each source: every element of the target by every element of the source, in the shape
   * [...target.shape, ...source.shape]. All rows are computed at once, in one pass back over batched cotangents.
   * @throws E_GRADIENT where an op on the way has no gradient, E_UNIMPLEMENTED where one has no batched form
   * @example
   *     const x = tf.tensor([1, 2]);
   *     const tape = new tf.GradientTape();
   *     const y = tape.run(() => {
   *       tape.watch(x);
   *       return tf.square(x);
   *     });
   *     tape.jacobian(y, x); // [[2, 0], [0, 4]]
   */
  jacobian(target, sources, options = {}) {
    const { unconnectedGradients } = this.startJacobian("jacobian", target, options);
    const leaves = [];
    const template = flattenStructure(sources, leaves);
    const place2 = placeOf(target);
    const found = this.finish(place2, () => {
      const places = leaves.map((x) => this.recording.placesOf(x));
      const all2 = jacobians(this.recording.applications, place2, places.flat());
      const b = makeOps(applyToTensors);
      return places.map((parts2, i) => {
        const own = all2.splice(0, parts2.length).filter((part2) => part2 !== null);
        if (own.length > 0) return own.reduce((p, q) => b.add([p, q]));
        return unconnectedGradients === "zero" ? zeros2(b, place2, [...place2.aval.shape, ...leaves[i].aval.shape]) : null;
      });
    });
    return buildStructure(template, found);
  }
  /**
   * The Jacobian of each element of a batch: ∂target[n]/∂source[n] in the shape [n, ...target.shape[1:], ...source.shape[1:]]. It
   * is right where target[n] depends on source[n] and on no other row.
   * @throws E_SHAPE where the leading sizes differ
   * @example
   *     const x = tf.tensor([[1, 2], [3, 4]]);
   *     const tape = new tf.GradientTape();
   *     const y = tape.run(() => {
   *       tape.watch(x);
   *       return tf.square(x);
   *     });
   *     tape.batchJacobian(y, x); // [[[2, 0], [0, 4]], [[6, 0], [0, 8]]]
   */
  batchJacobian(target, source, options = {}) {
    const { unconnectedGradients } = this.startJacobian("batchJacobian", target, options);
    const place2 = placeOf(target);
    const leaf = placeOf(source);
    return this.finish(place2, () => {
      const b = makeOps(applyToTensors);
      const found = this.recording.placesOf(leaf).flatMap((x) => {
        return batchJacobian(this.recording.applications, place2, x) ?? [];
      });
      const [count2, ...inner] = place2.aval.shape;
      const shape = [count2, ...inner, ...leaf.aval.shape.slice(1)];
      const none2 = unconnectedGradients === "zero" ? zeros2(b, place2, shape) : null;
      return found.length > 0 ? found.reduce((p, q) => b.add([p, q])) : none2;
    });
  }
  startJacobian(what, target, options) {
    this.checkUse();
    if (!isFloat(placeOf(target)))
      throw new MillraceError("E_DTYPE", `${what}: the target is ${target.dtype}, which has no gradient`);
    return gradientOptions(options);
  }
  checkUse() {
    if (this.expired !== void 0) {
      const where2 = this.expired ? ` (${formatSite(this.expired)})` : "";
      throw new MillraceError(
        "E_ASYNC_SCOPE",
        `the scope of tape.record()${where2} was left open across an await: use tape.run, or await before it`
      );
    }
    if (this.used && !this.persistent) {
      throw new MillraceError(
        "E_ARGUMENT",
        "this tape has given its gradient: make it with { persistent: true } to ask more than once"
      );
    }
    this.used = true;
  }
  /** Computes a gradient where the target lies, unseen by this tape, which forgets what it recorded unless it is persistent. */
  finish(place2, compute) {
    const { recording } = this;
    const found = recording.paused("gradient", () => place2 ? engine.near(place2, compute) : compute());
    if (!this.persistent && !recording.open) recording.release();
    return found;
  }
  cotangents(targets, leaves, options) {
    const places = targets.map((y) => inScope(y instanceof VariableImpl ? y.snapshot() : y));
    const seeds = seedsOf(places, this.seedValues(places, options), applyToTensors);
    const sources = leaves.map((x) => this.recording.placesOf(x));
    const found = backward(this.recording.applications, seeds, sources.flat(), applyToTensors);
    const b = makeOps(applyToTensors);
    return leaves.map((x, i) => {
      const parts2 = sources[i].flatMap((s) => found.get(s) ?? []);
      if (parts2.length > 0) return parts2.reduce((p, q) => b.add([p, q]));
      return options.unconnectedGradients === "zero" ? fillLike(b, x, 0) : null;
    });
  }
  seedValues(targets, { outputGradients }) {
    const b = makeOps(applyToTensors);
    const given = outputGradients === void 0 ? void 0 : Array.isArray(outputGradients) ? outputGradients : [outputGradients];
    if (given && given.length !== targets.length) {
      const counts = `${targets.length} targets and ${given.length} outputGradients`;
      throw new MillraceError("E_ARGUMENT", `gradient: there are ${counts}; each target has one`);
    }
    return targets.map((y, i) => {
      if (!dtypes[y.dtype].isFloat)
        throw new MillraceError("E_DTYPE", `gradient: the target is ${y.dtype}, which has no gradient`);
      if (!given) return fillLike(b, y, 1);
      const g = toTensor(given[i]);
      if (sameShape(g.aval.shape, y.aval.shape) !== true) {
        throw new MillraceError(
          "E_SHAPE",
          `gradient: outputGradients[${i}] has shape [${g.shape}], the target [${y.shape}]`
        );
      }
      return g;
    });
  }
};

// packages/core/src/testing/host.ts
function hostVal(array) {
  return { ...array, aval: { dtype: array.dtype, shape: array.shape } };
}
function inferStatic(op, ins, attrs, regions = []) {
  const guards = [];
  const outs = inferOp(op, ins, attrs, regions, guards);
  if (guards.length > 0) throw new Error(`${op.name}: a guard on sizes that are known`);
  return outs;
}
function interpreter(primitive = applyReference) {
  const apply2 = (op, ins, attrs, regions) => {
    const avals = ins.map((x) => x.aval);
    if (op.lower) return lowered(op, ops, ins, attrs, regions, inferStatic(op, avals, attrs, regions));
    if (regions.length === 0) return primitive(op, ins, attrs);
    inferStatic(op, avals, attrs, regions);
    return control(op, ins, regions, apply2);
  };
  const ops = makeOps(apply2);
  return apply2;
}
function applyReference(op, ins, attrs) {
  if (!op.reference) throw new Error(`${op.name} has neither a reference nor a decomposition`);
  const avals = inferStatic(
    op,
    ins.map((x) => x.aval),
    attrs
  );
  const outs = avals.map((a) => hostArray(a.dtype, a.shape.map(Number)));
  op.reference(ins, attrs, outs);
  return outs.map(hostVal);
}
var definition = interpreter();
function applyHost(op, ins, attrs = {}, regions = []) {
  return definition(op, ins, attrs, regions);
}
var hostOps = makeOps(applyHost);
function lowered(op, ops, ins, attrs, regions, avals) {
  const outs = op.lower(ops, ins, attrs, regions);
  const text = (list) => list.map(formatAval).join(", ");
  const [got, want] = [text(outs.map((x) => x.aval)), text(avals)];
  if (got !== want) throw new Error(`${op.name}: infer says ${want}, the decomposition gives ${got}`);
  return outs;
}
function control(op, ins, regions, apply2) {
  const run = (region2, args) => inlineGraph(region2, args, apply2);
  const isTrue = (x) => Number(x.data[0]) !== 0;
  if (op.name === "call") return run(regions[0], ins);
  if (op.name === "cond") return run(regions[isTrue(ins[0]) ? 0 : 1], ins.slice(1));
  if (op.name !== "whileLoop") throw new Error(`${op.name}: no way to run its regions is known`);
  const [condition, body] = regions;
  let carry = ins.slice(0, body.results.length);
  const constants = ins.slice(carry.length);
  while (isTrue(run(condition, [...carry, ...constants])[0])) carry = run(body, [...carry, ...constants]);
  return carry;
}

// packages/core/src/testing/compare.ts
var CheckError = class extends Error {
};
function fail(message) {
  throw new CheckError(message);
}
var epsilons = { float32: 2 ** -23, float64: 2 ** -52 };
function expectSame(what, got, want, tolerance = () => 0, signs = false) {
  const [had, wanted] = [formatAval(got.aval), formatAval(want.aval)];
  if (had !== wanted) fail(`${what}: got ${had}, want ${wanted}`);
  const { isFloat: isFloat6 } = dtypes[want.dtype];
  for (let i = 0; i < want.data.length; i++) {
    const [x, y] = [got.data[i], want.data[i]];
    if (Object.is(x, y) || x === y && !(signs && isFloat6)) continue;
    const close = isFloat6 && Number.isFinite(y) && y !== 0 && Math.abs(Number(x) - Number(y)) <= tolerance(Number(y), i);
    const tiny = isFloat6 && y === 0 && !signs && Math.abs(Number(x)) <= tolerance(0, i);
    if (!close && !tiny) fail(`${what}: element ${i} of ${wanted} is ${show(x)}, want ${show(y)}`);
  }
}
var show = (x) => Object.is(x, -0) ? "-0" : `${x}`;

// packages/core/src/testing/data.ts
function randomOf(seed) {
  let state = 2654435769;
  for (const char of seed) state = Math.imul(state ^ char.codePointAt(0), 2246822507) ^ state >>> 13;
  state = state || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}
function randomArray(random, dtype, shape, domain) {
  const array = hostArray(dtype, shape);
  const { isFloat: isFloat6 } = dtypes[dtype];
  const [low, high] = domain ?? (isFloat6 ? [-2, 2] : [-9, 9]);
  const [least, most] = [Math.max(Math.ceil(low), Number(integerRange(dtype)[0])), Math.max(Math.floor(high), 0)];
  for (let i = 0; i < array.data.length; i++) {
    const u = random();
    if (isFloat6) array.data[i] = low + u * (high - low);
    else array.data[i] = toElement(dtype, dtype === "bool" ? u < 0.5 : least + Math.floor(u * (most - least + 1)));
  }
  return hostVal(array);
}

// packages/core/src/testing/rules.ts
function loweredGraph(op, ins, attrs, regions) {
  return buildRegion(avalsOf(ins), (b, params) => op.lower(b, params, attrs, regions));
}
function pullBack2(b, op, gs, ins, attrs, regions = [], outs) {
  if (op.vjp === "lower") return pullBackGraph(b, loweredGraph(op, ins, attrs, regions), gs, ins);
  if (isNoRule(op.vjp)) throw new Error(`${op.name} has no derivative: ${op.vjp.reason}`);
  return op.vjp(b, gs, ins, outs ?? b.apply(op, ins, attrs, regions), attrs, regions);
}
var cellsOf = (values) => ({ values, cotangents: values.map(() => null) });
function pullBackGraph(b, graph, gs, args) {
  const params = cellsOf(args);
  const nodes = /* @__PURE__ */ new Map();
  const cells = (v) => v.node ? nodes.get(v.node) : params;
  const insOf = (node) => node.inputs.map((v) => cells(v).values[v.index]);
  const add2 = (to2, g) => {
    if (!g || !dtypes[to2.aval.dtype].isFloat) return;
    const { cotangents } = cells(to2);
    const sum3 = cotangents[to2.index];
    cotangents[to2.index] = sum3 ? b.add([sum3, g]) : g;
  };
  for (const node of graph.nodes) nodes.set(node, cellsOf(b.apply(node.op, insOf(node), node.attrs, node.regions)));
  for (const [i, r] of graph.results.entries()) add2(r, gs[i]);
  for (const node of [...graph.nodes].reverse()) {
    const { values, cotangents } = nodes.get(node);
    if (cotangents.every((g) => g === null)) continue;
    const gIns = pullBack2(b, node.op, cotangents, insOf(node), node.attrs, node.regions, values);
    for (const [i, v] of node.inputs.entries()) add2(v, gIns[i]);
  }
  return params.cotangents;
}

// packages/millrace/test/graph-fuzz/lanes.ts
var approximated = /* @__PURE__ */ new Set([
  "atan2",
  "cos",
  "erf",
  "exp",
  "expm1",
  "log",
  "log1p",
  "logistic",
  "pow",
  "rsqrt",
  "sin",
  "tan",
  "tanh"
]);
var choosing = /* @__PURE__ */ new Set([
  "abs",
  "max",
  "min",
  "neg",
  "optimizationBarrier",
  "reduceMax",
  "reduceMin",
  "reduceWindowMax",
  "reduceWindowMin"
]);
var stepped = /* @__PURE__ */ new Set(["ceil", "floor", "round", "sign"]);
var impliesZeros = /* @__PURE__ */ new Set([
  "convFilterGrad",
  "convGeneral",
  "convInputGrad",
  "lstm",
  "lstmGrad"
]);
function rounds({ kind, name }) {
  if (choosing.has(name) || stepped.has(name)) return false;
  if (name === "scatterAdd") return true;
  return !["cast", "compare", "constant", "effect", "index", "select", "shape"].includes(kind);
}
var addsUp = ({ kind, name }) => ["contract", "reduce", "scan", "window"].includes(kind) || name === "scatterAdd";
var epsilonOf = (x) => x.dtype === "float64" ? 2 ** -52 : 2 ** -23;
var tinyOf = (x) => x.dtype === "float64" ? 2 ** -1021 : 2 ** -125;
var isFloat2 = (x) => dtypes[x.dtype].isFloat;
var isFinite2 = (x) => x.data.every(Number.isFinite);
var absolute = (x) => isFloat2(x) ? hostVal({ ...x, data: x.data.map(Math.abs) }) : x;
function sizesOf(op, ins, attrs) {
  return applyReference(op, ins.map(absolute), attrs);
}
var unitsOfRounding = 8;
var grain = 2 ** -4;
var exactLimit = 2 ** 14;
var isRound = (x) => !Number.isFinite(x) || Math.abs(x) <= exactLimit && Number.isInteger(x / grain);
var LaneEvaluator = class {
  /** Whether lanes took different branches or steps. */
  isNearDiscontinuity = false;
  /** Whether something was rounded, which an exact graph must not. */
  isRounded = false;
  /** Whether anything was NaN or infinite. */
  isSpecial = false;
  count;
  mode;
  random;
  constructor(mode, seed, count2 = mode === "exact" ? 1 : 4) {
    this.mode = mode;
    this.count = count2;
    this.random = randomOf(`lanes ${seed}`);
  }
  /** The same value in every lane. */
  of(value) {
    return { aval: value.aval, lanes: Array.from({ length: this.count }, () => value) };
  }
  apply(op, ins, attrs, regions) {
    const steps2 = [];
    const all2 = Array.from({ length: this.count }, (_, lane) => {
      let at = 0;
      const run = interpreter((inner, args, innerAttrs) => {
        const outs = applyReference(inner, args, innerAttrs);
        if (lane === 0 && !this.isSpecial) this.isSpecial = outs.some((y) => isFloat2(y) && !isFinite2(y));
        if (this.mode === "exact") this.noteRounding(inner, args, innerAttrs, outs);
        for (const y of outs) {
          if (isFloat2(y) && !stepped.has(inner.name)) continue;
          if (lane === 0) steps2.push(y);
          else if (!isSame(steps2[at++], y)) this.isNearDiscontinuity = true;
        }
        return lane === 0 ? outs : this.moved(inner, args, innerAttrs, outs);
      });
      return run(
        op,
        ins.map((x) => x.lanes[lane]),
        attrs,
        regions
      );
    });
    return all2[0].map((y, i) => ({ aval: y.aval, lanes: all2.map((outs) => outs[i]) }));
  }
  noteRounding(op, ins, attrs, outs) {
    if (!outs.some(isFloat2)) return;
    const sizes = addsUp(op) ? sizesOf(op, ins, attrs) : [];
    const all2 = [...outs, ...sizes].filter(isFloat2);
    if (approximated.has(op.name) || !all2.every((y) => y.data.every(isRound))) this.isRounded = true;
  }
  /** Results moved at random within their rounding errors. */
  moved(op, ins, attrs, outs) {
    if (!rounds(op)) return outs;
    const sizes = addsUp(op) ? sizesOf(op, ins, attrs) : outs;
    return outs.map((y, i) => {
      if (!isFloat2(y)) return y;
      const unit = unitsOfRounding * epsilonOf(y);
      const size = sizes[i].data;
      const data = y.data.map((v, k) => {
        if (!Number.isFinite(v)) return v;
        const most = Math.abs(v) + Math.abs(Number(size[k]));
        return v + (2 * this.random() - 1) * (Number.isFinite(most) ? unit * most : 0);
      });
      return hostVal({ ...y, data });
    });
  }
};
function isSame(x, y) {
  return x !== void 0 && x.data.length === y.data.length && x.data.every((v, i) => Object.is(v, y.data[i]));
}
function toleranceOf({ lanes }) {
  const [first2] = lanes;
  const [epsilon, tiny] = [epsilonOf(first2), tinyOf(first2)];
  return (want, i) => {
    const moves2 = lanes.map((lane) => Math.abs(Number(lane.data[i]) - want));
    return 4 * Math.max(...moves2) + 2 * unitsOfRounding * epsilon * Math.abs(want) + tiny;
  };
}
function isVague({ lanes }) {
  const [first2] = lanes;
  if (!isFloat2(first2)) return false;
  return lanes.some(
    (lane) => lane.data.some((v, i) => {
      const want = Number(first2.data[i]);
      if (!Number.isFinite(want) || !Number.isFinite(v)) return !Object.is(v, want);
      return Math.abs(v - want) > 1e-3 * (Math.abs(want) + sizeOf2(first2));
    })
  );
}
var sizeOf2 = (x) => {
  const finite = x.data.filter(Number.isFinite).map(Math.abs);
  return finite.length > 0 ? Math.max(...finite) : 0;
};
function firstRow({ aval, lanes }) {
  const shape = aval.shape.slice(1).map(Number);
  const { dtype } = aval;
  const rows = lanes.map((x) => hostVal({ dtype, shape, data: x.data.slice(0, countOf(shape)) }));
  return { aval: { dtype, shape }, lanes: rows };
}

// packages/backend-cpu-napi/src/index.ts
import os from "node:os";

// packages/backend-cpu-napi/src/addon.ts
import { createRequire } from "node:module";
var addonPackage = "@millrace/cpu-native";
function loadAddon() {
  const require2 = createRequire(import.meta.url);
  try {
    return require2(addonPackage);
  } catch (cause) {
    const platform2 = `${process.platform}-${process.arch}${process.platform === "linux" ? "-gnu" : ""}`;
    throw new MillraceError(
      "E_BACKEND",
      `the native CPU backend could not be loaded: install ${addonPackage}, which brings ${addonPackage}-${platform2} as an optional dependency (npm leaves it out under --omit=optional, or with a lock file of another platform)`,
      { cause }
    );
  }
}

// packages/backend-cpu-napi/src/calls.ts
var maxLines = 1 << 16;
var Calls = class {
  numbers = /* @__PURE__ */ new Map();
  sites = [];
  /** The number of the line that is calling, from 1; 0 where it has none. Costs a stack. */
  here() {
    const [site] = captureSites(1);
    if (!site) return 0;
    const place2 = `${formatSite(site)} ${site.scope ?? ""} ${site.role ?? ""}`;
    const known3 = this.numbers.get(place2);
    if (known3 !== void 0 || this.sites.length === maxLines) return known3 ?? 0;
    this.numbers.set(place2, this.sites.push(site));
    return this.sites.length;
  }
  /** The line of a number; undefined for 0. */
  at(call) {
    return this.sites[call - 1];
  }
};

// packages/backend-cpu-napi/src/environment.ts
var instructionPaths = ["portable", "neon", "avx2", "avx512"];
function checkEnvironment(environment = process.env) {
  const { MILLRACE_CPU: path, MILLRACE_THREADS: threads } = environment;
  if (path && !instructionPaths.some((known3) => known3 === path)) {
    throw new MillraceError("E_ARGUMENT", `MILLRACE_CPU is ${instructionPaths.join(", ")} or not set, got "${path}"`);
  }
  if (threads && !/^0*[1-9]\d*$/.test(threads)) {
    throw new MillraceError("E_ARGUMENT", `MILLRACE_THREADS is a whole number from 1 or not set, got "${threads}"`);
  }
}

// packages/backend-cpu-napi/src/errors.ts
function thrown(error, calls) {
  if (!isCoded(error) || !(error.code in errorCodes)) return error;
  const site = calls && siteOf(error, calls);
  return new MillraceError(error.code, error.message, {
    cause: error,
    ...site ? { site } : {}
  });
}
function siteOf(error, calls) {
  return "call" in error && typeof error.call === "number" ? calls.at(error.call) : void 0;
}
function isCoded(error) {
  if (typeof error !== "object" || error === null) return false;
  return "code" in error && typeof error.code === "string" && "message" in error && typeof error.message === "string";
}

// packages/backend-cpu-napi/src/origins.ts
var NativeOrigins = class {
  native;
  constructor(native) {
    this.native = native;
  }
  setBound(bound2, first2) {
    try {
      this.native.setBoundOrigin(bound2, first2);
    } catch (error) {
      throw thrown(error);
    }
  }
  set(buf, origin, from2) {
    try {
      this.native.setOrigin(buf, origin, from2);
    } catch (error) {
      throw thrown(error);
    }
  }
  live() {
    try {
      return rowsOf(this.native.liveByOrigin());
    } catch (error) {
      throw thrown(error);
    }
  }
};
function rowsOf(numbers2) {
  const rows = [];
  for (let i = 0; i < numbers2.length; i += 3)
    rows.push({ origin: numbers2[i], buffers: numbers2[i + 1], bytes: numbers2[i + 2] });
  return rows;
}

// packages/backend-cpu-napi/src/profiler.ts
var NativeProfiler = class {
  native;
  constructor(native) {
    this.native = native;
  }
  start() {
    guard(() => this.native.startProfile());
  }
  stop() {
    const { kernels, events } = guard(() => this.native.stopProfile());
    const runs = [];
    for (let i = 0; i < events.length; i += 5) {
      runs.push({
        kernel: kernels[events[i]],
        origin: events[i + 1],
        queued: events[i + 2] === 1,
        start: events[i + 3] / 1e6,
        milliseconds: events[i + 4] / 1e6
      });
    }
    return runs;
  }
  peaks() {
    return guard(() => this.native.peaks());
  }
};
function guard(call) {
  try {
    return call();
  } catch (error) {
    throw thrown(error);
  }
}

// packages/backend-cpu-napi/src/reclaimer.ts
var megabyte = 1 << 20;
var minDue = 16 * megabyte;
var overhead = 192;
var maxSmallDue = 96 * megabyte;
var maxShare = 0.1;
var collect2;
function collector() {
  if (collect2 === void 0) collect2 = process.env.MILLRACE_NO_GC === "1" ? null : expose();
  return collect2;
}
function expose() {
  const [v8, vm] = [process.getBuiltinModule("node:v8"), process.getBuiltinModule("node:vm")];
  v8.setFlagsFromString("--expose-gc");
  return vm.runInNewContext("gc");
}
var now = () => unwatched(performance.now).call(performance);
var PageReclaimer = class {
  // Before anything is known, tensors are taken for small.
  due = minDue / 8;
  native;
  limit;
  handles = new Int32Array(64);
  liveAfterFull = 0;
  /** Milliseconds since the process began, as `now`. */
  lastEnd = 0;
  /** What had been allocated at the last collection. */
  bytesBefore = 0;
  buffersBefore = 0;
  /** Raised while collection takes more than its share. */
  stretch = 1;
  /** `limit`: the bytes that the context may hold. */
  constructor(native, limit2) {
    this.native = native;
    this.limit = limit2;
  }
  page(token, bufs) {
    if (bufs.length > this.handles.length) this.handles = new Int32Array(bufs.length);
    for (let i = 0; i < bufs.length; i++) this.handles[i] = bufs[i];
    this.native.page(token, this.handles, bufs.length);
  }
  poll(full = false) {
    this.native.poll(full);
  }
  pressure() {
    const gc = collector();
    if (!gc) {
      this.adjust();
      return;
    }
    const start2 = now();
    gc({ type: "minor" });
    this.native.poll(false);
    const young = this.native.liveBytes();
    this.liveAfterFull = Math.min(this.liveAfterFull, young);
    if (young + minDue > this.limit || young > 2 * Math.max(this.liveAfterFull, minDue)) this.collectAll(gc);
    const end = now();
    const share = (end - start2) / Math.max(end - this.lastEnd, 1e-3);
    this.stretch = share > maxShare ? Math.min(this.stretch * 2, 4) : Math.max(this.stretch / 2, 1);
    this.lastEnd = end;
    const { allocations, allocatedBytes, liveBytes, liveBuffers } = this.native.stats();
    const average = (allocatedBytes - this.bytesBefore) / Math.max(allocations - this.buffersBefore, 1);
    [this.bytesBefore, this.buffersBefore] = [allocatedBytes, allocations];
    const live = liveBytes + overhead * liveBuffers;
    const base = Math.max(this.liveAfterFull, minDue);
    const wanted = Math.min(Math.max(minDue, 1.1 * live) * this.stretch, Math.max(maxSmallDue, 3 * base - live));
    const elements = wanted * (average / (average + overhead));
    this.due = Math.max(minDue / 64, Math.min(elements, (this.limit - liveBytes) / 2));
  }
  /** A full collection: what an allocation that failed asks for. */
  relieve() {
    const gc = collector();
    if (gc) this.collectAll(gc);
    else this.adjust();
    this.native.trim();
  }
  collectAll(gc) {
    gc();
    this.native.poll(true);
    this.liveAfterFull = this.native.liveBytes();
  }
  /** Without a collector of our own: V8 is told what lives outside its heap, and collects when it thinks so. */
  adjust() {
    this.native.adjust();
    this.native.poll(true);
    this.due = megabyte;
  }
};

// packages/backend-cpu-napi/src/version.gen.ts
var version2 = "0.1.0";

// packages/backend-cpu-napi/src/index.ts
var queued = 2 ** 30;
var CpuBackend = class {
  name = "cpu";
  version = version2;
  fusion = true;
  reclaimer;
  origins;
  profiler;
  native;
  args = new Int32Array(64);
  donated = new Int32Array(64);
  results = new Int32Array(64);
  waits = 0;
  calls = new Calls();
  /** Throws E_BACKEND where the addon is not installed, E_ARGUMENT where a variable of the environment has no such value. */
  constructor(options = {}) {
    checkEnvironment();
    const limit2 = options.memoryLimit ?? Math.floor(os.totalmem() * 0.8);
    this.native = loadAddon().createContext(limit2);
    this.native.onMessage((printed, lost) => this.hear(printed, lost));
    this.reclaimer = new PageReclaimer(this.native, limit2);
    this.origins = new NativeOrigins(this.native);
    this.profiler = new NativeProfiler(this.native);
  }
  devices() {
    const { path, threads } = loadAddon().machine();
    return [{ name: "cpu:0", description: `native kernels for ${path}, threads: ${threads}` }];
  }
  threads() {
    return loadAddon().machine().threads;
  }
  /** Of the process: other backends and workers share its threads. */
  setThreads(count2) {
    loadAddon().setThreads(count2);
  }
  claims(op) {
    return this.native.claims(op.name);
  }
  compile(program) {
    return this.guard(() => this.native.compile(program));
  }
  bind(exe, sizes) {
    return this.guard(() => this.native.bind(exe, new Float64Array(sizes)));
  }
  run(bound2, args, donate, renew = []) {
    this.args = filled(this.args, args);
    this.donated = paired(this.donated, donate, renew);
    const count2 = this.guard(() => this.start(bound2, args.length, donate.length));
    const handles = new Array(count2);
    for (let i = 0; i < count2; i++) handles[i] = this.results[i];
    return handles;
  }
  start(bound2, args, donations) {
    const count2 = this.native.run(bound2, this.args, args, this.donated, donations, this.results);
    if (count2 >= queued) {
      this.native.nameCall(this.calls.here());
      return count2 - queued;
    }
    if (count2 >= 0) return count2;
    this.results = new Int32Array(-count2);
    return this.start(bound2, args, donations);
  }
  run1(bound2, a) {
    try {
      return this.native.run1(bound2, a);
    } catch (error) {
      return this.retry(error, () => this.native.run1(bound2, a));
    }
  }
  run2(bound2, a, b) {
    try {
      return this.native.run2(bound2, a, b);
    } catch (error) {
      return this.retry(error, () => this.native.run2(bound2, a, b));
    }
  }
  isLong(bound2) {
    return this.guard(() => this.native.isLong(bound2));
  }
  releaseExecutable(exe) {
    this.guard(() => this.native.releaseExecutable(exe));
  }
  releaseBound(bound2) {
    this.guard(() => this.native.releaseBound(bound2));
  }
  upload(bytes, _aval) {
    return this.guard(() => this.native.upload(bytes));
  }
  map(path, offset, { dtype, shape }) {
    const element = dtypes[dtype].bytes;
    const bytes = shape.reduce((n, size) => n * Number(size), element);
    return this.guard(() => this.native.map(path, offset, bytes, element));
  }
  read(buf, signal) {
    return this.waitFor((id) => this.native.read(buf, id), signal);
  }
  /** Gives a promise of the addon a number by which an abort ends it. */
  async waitFor(start2, signal) {
    const id = signal?.addEventListener ? this.nextWait() : void 0;
    const abort = () => void this.native.abandon(id, reasonOf2(signal));
    try {
      const pending = start2(id);
      if (id !== void 0) signal.addEventListener("abort", abort);
      return await pending;
    } catch (error) {
      throw thrown(error, this.calls);
    } finally {
      if (id !== void 0) signal.removeEventListener?.("abort", abort);
    }
  }
  nextWait() {
    this.waits = (this.waits + 1) % 2 ** 30 || 1;
    return this.waits;
  }
  readSync(buf) {
    return this.guard(() => this.native.readSync(buf));
  }
  free(buf) {
    this.guard(() => this.native.free(buf));
  }
  cancel(buf, reason = "") {
    return this.guard(() => this.native.cancel(buf, reason));
  }
  sync(_device, signal) {
    return this.waitFor((id) => this.native.sync(id), signal);
  }
  stats() {
    return this.native.stats();
  }
  /** Cancels what runs and gives everything back; later calls throw E_DISPOSED. */
  close() {
    this.native.close();
  }
  /** Makes errors Millrace's. Memory that ran out is looked for once: a full collection, then one more try. */
  guard(call) {
    try {
      return call();
    } catch (error) {
      return this.retry(error, call);
    }
  }
  retry(error, call) {
    const first2 = thrown(error, this.calls);
    if (!(first2 instanceof MillraceError) || first2.code !== "E_MEMORY") throw first2;
    this.reclaimer.relieve();
    try {
      return call();
    } catch (second2) {
      throw thrown(second2, this.calls);
    }
  }
  hear(printed, lost) {
    for (const { message, dtype, shape, bytes } of printed) {
      log2().info(`${message} ${dtype}[${shape}] ${previewOf(viewAs(dtype, bytes), dtype, shape)}`);
    }
    for (const error of lost) {
      const message = withSite(error.message, siteOf(error, this.calls));
      warnOnce("W_LOST_ERROR", message, `a program failed and nobody read its results: ${message}`);
    }
  }
};
function reasonOf2(signal) {
  const reason = signal?.reason;
  return typeof reason === "object" && reason !== null && "message" in reason ? String(reason.message) : String(reason);
}
function paired(array, args, results) {
  const room = args.length * 2 <= array.length ? array : new Int32Array(args.length * 4);
  for (let i = 0; i < args.length; i++) {
    room[2 * i] = args[i];
    room[2 * i + 1] = results[i] ?? -1;
  }
  return room;
}
function filled(array, values) {
  const room = values.length <= array.length ? array : new Int32Array(values.length * 2);
  for (let i = 0; i < values.length; i++) room[i] = values[i];
  return room;
}
function createCpuBackend(options = {}) {
  return new CpuBackend(options);
}

// packages/millrace/test/graph-fuzz/symbols.ts
function withSymbols(graph) {
  const sizes = /* @__PURE__ */ new Map();
  const symbols = /* @__PURE__ */ new Map();
  for (const { aval } of graph.params) {
    for (const d of aval.shape) {
      const size = Number(d);
      if (size < 2 || symbols.has(size)) continue;
      symbols.set(size, symbol(`n${size}`, 2));
      sizes.set(`n${size}`, size);
    }
  }
  try {
    return { graph: generalise(graph, symbols), sizes };
  } catch (error) {
    if (error instanceof NotGeneral) return void 0;
    if (isMillraceError(error, "E_SHAPE") && graph.nodes.some((node) => node.regions.length > 0)) return void 0;
    throw error;
  }
}
var NotGeneral = class extends Error {
};
function generalise(graph, symbols) {
  const builder = new GraphBuilder();
  const dim = (d) => typeof d === "number" ? symbols.get(d) ?? d : d;
  const aval = (a) => ({ dtype: a.dtype, shape: a.shape.map(dim) });
  const values = new Map(graph.params.map((p) => [p, builder.param(aval(p.aval))]));
  const outsOf2 = /* @__PURE__ */ new Map();
  const read = (v) => v.node ? outsOf2.get(v.node)[v.index] : values.get(v);
  for (const node of graph.nodes) {
    const attrs = Object.fromEntries(
      Object.entries(node.attrs).map(([name, value]) => {
        return [name, node.op.sizeAttrs?.includes(name) ? mapAttr(value, dim) : value];
      })
    );
    const regions = node.regions.map((region2) => generalise(region2, symbols));
    const ins = node.inputs.map(read);
    const isPlain = (d) => typeof d === "number" || symbolName(d) !== void 0;
    if (regions.length > 0 && !ins.every((v) => v.aval.shape.every(isPlain))) throw new NotGeneral();
    outsOf2.set(node, builder.apply(node.op, ins, attrs, regions));
  }
  return builder.finish(graph.results.map(read));
}

// packages/millrace/test/graph-fuzz/run.ts
void new GradientTape();
var cpu = createCpuBackend();
registerBackend("cpu", () => cpu, { priority: 10 });
registerReferenceBackend();
var devices2 = {
  cpu: new Device(cpu, 0),
  reference: new Device(new ReferenceBackend(), 0),
  loops: new Device(new ReferenceBackend({ name: "loops", fusion: true }), 0)
};
var compiledOn = (name) => (graph, args) => runCompiled(devices2[name], devices2[name].compile(graph), [], args);
var unoptimisedOn = (name) => (graph, args) => {
  const device2 = devices2[name];
  const { backend } = device2;
  const lowered2 = lower(claimsOf(backend)).run(graph);
  const program = encodeProgram(schedule(lowered2, [], { fusion: backend.fusion }));
  return runCompiled(device2, new CompiledGraph(device2, backend, backend.compile(program, 0), [], lowered2), [], args);
};
var symbolicOn = (name) => (graph, args) => {
  const found = withSymbols(graph);
  if (!found) return void 0;
  const { graph: general, sizes } = found;
  const symbols = [...sizes.keys()];
  const compiled = compileGeneral(devices2[name], general, symbols);
  return compiled && runCompiled(devices2[name], compiled, [...sizes.values()], args);
};
function compileGeneral(device2, graph, symbols) {
  try {
    return device2.compile(graph, void 0, symbols);
  } catch (error) {
    if (isMillraceError(error, "E_SHAPE") && hasGuards(graph)) return void 0;
    throw error;
  }
}
var hasGuards = (graph) => graph.guards.length > 0 || graph.nodes.some((node) => node.regions.some(hasGuards));
function runCompiled(device2, compiled, sizes, args) {
  const { backend } = device2;
  const bufs = args.map((x) => backend.upload(bytesOf(x.data), x.aval, 0));
  try {
    const bound2 = compiled.bind(sizes);
    const results = device2.run(bound2, bufs, []);
    try {
      return bound2.outs.map(({ dtype, shape }, i) => {
        const bytes = readNow(backend, results[i]);
        return hostVal({ dtype, shape: shape.map(Number), data: viewAs(dtype, bytes).slice() });
      });
    } finally {
      for (const buf of results) backend.free(buf);
    }
  } finally {
    for (const buf of bufs) backend.free(buf);
    compiled.release();
  }
}
function readNow(backend, buf) {
  if (!backend.readSync) throw new TypeError(`${backend.name} reads only later`);
  return backend.readSync(buf);
}
function eagerApply(control2) {
  const apply2 = (op, ins, attrs, regions) => {
    const run = (region2, args) => inlineGraph(region2, args, apply2);
    if (control2 === "JavaScript" && op.name === "cond") return run(regions[ins[0].itemSync() ? 0 : 1], ins.slice(1));
    if (control2 === "JavaScript" && op.name === "whileLoop") {
      const [test, body] = regions;
      const count2 = body.results.length;
      const rest = ins.slice(count2);
      let carry = ins.slice(0, count2);
      while (run(test, [...carry, ...rest])[0].itemSync()) carry = run(body, [...carry, ...rest]);
      return carry;
    }
    return dispatch.current.apply(op, ins, attrs, regions);
  };
  return apply2;
}
var toTensor2 = (x) => tensor(x.data, x.shape, x.dtype);
var toHost = (x) => {
  return hostVal({ dtype: x.dtype, shape: [...x.shape], data: x.dataSync() });
};
var isFloat3 = (x) => dtypes[x.aval.dtype].isFloat;
function onArrays(f, args) {
  const made2 = [];
  tidy(() => {
    made2.push(...f(...args.map(toTensor2)).map(toHost));
  });
  return made2;
}
var eager = (control2) => (graph, args) => onArrays((...xs) => evaluateGraph(graph, xs, eagerApply(control2)), args);
var traced = (graph, args) => onArrays(
  fn((...xs) => evaluateGraph(graph, xs, eagerApply("ops"))),
  args
);
function taped(graph, args, gs, how) {
  const gradient = (...all2) => {
    const xs = all2.slice(0, args.length);
    const sources = xs.filter(isFloat3);
    const tape = new GradientTape();
    const targets = tape.run(() => {
      for (const x of sources) tape.watch(x);
      return evaluateGraph(graph, xs, eagerApply(how.control)).filter(isFloat3);
    });
    const outputGradients = all2.slice(args.length);
    return tape.gradient(targets, sources, { outputGradients, unconnectedGradients: "zero" });
  };
  return onArrays(how.isTraced ? fn(gradient) : gradient, [...args, ...gs]);
}

// packages/millrace/test/graph-fuzz/check.ts
var Mismatch = class extends Error {
  way;
  constructor(way, message) {
    super(`${way}: ${message}`);
    this.way = way;
  }
};
var ways = {
  "passes, one by one": { run: passByPass, exact: true },
  "reference, op by op": { run: compiledOn("reference"), exact: true },
  "reference, loops": { run: compiledOn("loops"), exact: true },
  "reference, loops, any size": { run: symbolicOn("loops"), exact: true },
  cpu: { run: compiledOn("cpu"), exact: false },
  "cpu, unoptimised": { run: unoptimisedOn("cpu"), exact: false },
  "cpu, any size": { run: symbolicOn("cpu"), exact: false },
  "cpu, traced": { run: traced, exact: false },
  "cpu, eager": { run: eager("JavaScript"), exact: false },
  "cpu, eager, ops with regions": { run: eager("ops"), exact: false }
};
var isFloat4 = ({ aval }) => dtypes[aval.dtype].isFloat;
function passByPass(graph, args) {
  const want = evaluateGraph(graph, args, applyHost);
  optimize(
    graph,
    () => false,
    (pass, after) => {
      const problems = verify(after, pass.to);
      if (problems.length > 0) throw new Mismatch(`pass ${pass.name}`, problems.join("\n"));
      const got = evaluateGraph(after, args, applyHost);
      for (const [i, y] of got.entries()) compare(`pass ${pass.name}`, i, y, want[i], () => 0);
    }
  );
  return want;
}
function compare(way, result, got, want, tolerance) {
  try {
    expectSame(`result ${result}`, got, want, tolerance);
  } catch (error) {
    throw new Mismatch(way, error instanceof Error ? error.message : String(error));
  }
}
var usesImpliedZeros = (graph) => graph.nodes.some((node) => impliesZeros.has(node.op.name) || node.regions.some(usesImpliedZeros));
function evaluate2(mode, graph, args, lanes) {
  const evaluator = new LaneEvaluator(mode, "check", lanes);
  const wants = evaluateGraph(
    graph,
    args.map((x) => evaluator.of(x)),
    (op, ins, attrs, regions) => evaluator.apply(op, ins, attrs, regions)
  );
  if (evaluator.isSpecial && usesImpliedZeros(graph)) return "zero times infinity";
  if (evaluator.isRounded) return "rounded";
  if (evaluator.isNearDiscontinuity) return "near a discontinuity";
  return wants.some(isVague) ? "vague" : wants;
}
var manyLanes = 64;
function runWays(example, what, only, extra = {}) {
  const { mode, graph, inputs } = example;
  const wants = evaluate2(mode, graph, inputs);
  if (typeof wants === "string") return wants;
  let outcome = "held";
  const hold = (way, exact, run) => {
    const name = `${what}${way}`;
    if (!only(name) || outcome !== "held") return;
    const got = attempt(name, run);
    if (!got) return;
    const all2 = (list) => {
      for (const [i, want] of list.entries()) {
        const tolerance = mode === "exact" || exact ? () => 0 : toleranceOf(want);
        compare(name, i, got[i], want.lanes[0], tolerance);
      }
    };
    try {
      all2(wants);
    } catch (error) {
      if (mode === "exact" || exact) throw error;
      const wide2 = evaluate2(mode, graph, inputs, manyLanes);
      if (typeof wide2 === "string") outcome = wide2;
      else all2(wide2);
    }
  };
  for (const [way, { run, exact }] of Object.entries(ways)) hold(way, exact, () => run(graph, inputs));
  for (const [way, run] of Object.entries(extra)) hold(way, false, run);
  return outcome;
}
function attempt(way, run) {
  try {
    return run();
  } catch (error) {
    if (error instanceof Mismatch) throw error;
    throw new Mismatch(way, error instanceof Error ? error.stack ?? error.message : String(error));
  }
}
function cotangentsOf(mode, graph) {
  return graph.results.filter(isFloat4).map(({ aval }, i) => {
    const { data, ...rest } = randomArray(randomOf(`cotangent ${i}`), aval.dtype, aval.shape.map(Number), [-2, 2]);
    return mode === "exact" ? hostVal({ ...rest, data: data.map(Math.round) }) : hostVal({ ...rest, data });
  });
}
var always = /* @__PURE__ */ new Set([
  "passes, one by one",
  "reference, loops",
  "cpu",
  "cpu, eager",
  "gradient, cpu",
  "gradient, by an eager tape"
]);
function waysOf(seed) {
  return (way) => always.has(way) || randomOf(`${seed} ${way}`)() < 0.2;
}
function checkExample(example, only = () => true) {
  const value = runWays(example, "", only);
  return { value, gradient: value === "held" ? checkGradient(example, only) : value };
}
function checkGradient({ mode, graph, inputs }, only) {
  const gs = cotangentsOf(mode, graph);
  if (gs.length === 0 || !inputs.some(isFloat4)) return "nothing";
  let gradient;
  try {
    gradient = transforms.current.vjp(graph);
  } catch (error) {
    if (error instanceof Error && /has no gradient|no derivative/.test(error.message)) return "no gradient";
    throw new Mismatch("gradient of the graph", error instanceof Error ? error.stack ?? "" : String(error));
  }
  const all2 = { mode, graph: gradient, inputs: [...inputs, ...gs] };
  return runWays(all2, "gradient, ", only, {
    "by the walk of single ops' tests": () => ownGradient(graph, inputs, gs),
    "by an eager tape": () => taped(graph, inputs, gs, { control: "JavaScript", isTraced: false }),
    "by an eager tape, ops with regions": () => taped(graph, inputs, gs, { control: "ops", isTraced: false }),
    "by a traced tape": () => taped(graph, inputs, gs, { control: "ops", isTraced: true })
  });
}
function ownGradient(graph, inputs, gs) {
  if (graph.nodes.some((node) => isNoRule(node.op.vjp))) return void 0;
  const rest = [...gs];
  const cotangents = graph.results.map((y) => isFloat4(y) ? rest.shift() : null);
  const found = pullBackGraph(hostOps, graph, cotangents, inputs);
  return inputs.flatMap((x, i) => isFloat4(x) ? [found[i] ?? zerosLike(x)] : []);
}
var zerosLike = (x) => hostVal({ ...x, data: x.data.slice().fill(0) });

// packages/core/src/ops/cases.gen.ts
var cases_gen_exports = {};
__export(cases_gen_exports, {
  absCases: () => absCases,
  addCases: () => addCases,
  andCases: () => andCases,
  argMaxCases: () => argMaxCases,
  argMinCases: () => argMinCases,
  assertCases: () => assertCases,
  atan2Cases: () => atan2Cases,
  attentionCases: () => attentionCases,
  attentionGradCases: () => attentionGradCases,
  bitcastCases: () => bitcastCases,
  broadcastInDimCases: () => broadcastInDimCases,
  callCases: () => callCases,
  castCases: () => castCases,
  ceilCases: () => ceilCases,
  concatCases: () => concatCases,
  condCases: () => condCases,
  constantCases: () => constantCases,
  convFilterGradCases: () => convFilterGradCases,
  convGeneralCases: () => convGeneralCases,
  convInputGradCases: () => convInputGradCases,
  cosCases: () => cosCases,
  cumprodCases: () => cumprodCases,
  cumsumCases: () => cumsumCases,
  customGradientCases: () => customGradientCases,
  dimensionCases: () => dimensionCases,
  divCases: () => divCases,
  divNoNanCases: () => divNoNanCases,
  dotGeneralCases: () => dotGeneralCases,
  dynamicSliceCases: () => dynamicSliceCases,
  dynamicUpdateSliceCases: () => dynamicUpdateSliceCases,
  eluCases: () => eluCases,
  eqCases: () => eqCases,
  erfCases: () => erfCases,
  euclideanNormCases: () => euclideanNormCases,
  expCases: () => expCases,
  expm1Cases: () => expm1Cases,
  floorCases: () => floorCases,
  floorDivCases: () => floorDivCases,
  floorModCases: () => floorModCases,
  gatherCases: () => gatherCases,
  geCases: () => geCases,
  geluCases: () => geluCases,
  geluGradCases: () => geluGradCases,
  gtCases: () => gtCases,
  identityCases: () => identityCases,
  iotaCases: () => iotaCases,
  isFiniteCases: () => isFiniteCases,
  layerNormCases: () => layerNormCases,
  layerNormGradCases: () => layerNormGradCases,
  leCases: () => leCases,
  leakyReluCases: () => leakyReluCases,
  log1pCases: () => log1pCases,
  logCases: () => logCases,
  logSigmoidCases: () => logSigmoidCases,
  logSoftmaxCases: () => logSoftmaxCases,
  logSoftmaxGradCases: () => logSoftmaxGradCases,
  logSumExpCases: () => logSumExpCases,
  logisticCases: () => logisticCases,
  lstmCases: () => lstmCases,
  lstmGradCases: () => lstmGradCases,
  ltCases: () => ltCases,
  maxCases: () => maxCases,
  meanCases: () => meanCases,
  minCases: () => minCases,
  mulCases: () => mulCases,
  neCases: () => neCases,
  negCases: () => negCases,
  notCases: () => notCases,
  optimizationBarrierCases: () => optimizationBarrierCases,
  orCases: () => orCases,
  padCases: () => padCases,
  powCases: () => powCases,
  preluCases: () => preluCases,
  printCases: () => printCases,
  recomputeCases: () => recomputeCases,
  reduceAndCases: () => reduceAndCases,
  reduceMaxCases: () => reduceMaxCases,
  reduceMinCases: () => reduceMinCases,
  reduceOrCases: () => reduceOrCases,
  reduceProdCases: () => reduceProdCases,
  reduceSumCases: () => reduceSumCases,
  reduceWindowMaxCases: () => reduceWindowMaxCases,
  reduceWindowMinCases: () => reduceWindowMinCases,
  reduceWindowSumCases: () => reduceWindowSumCases,
  relu6Cases: () => relu6Cases,
  reluCases: () => reluCases,
  remCases: () => remCases,
  reshapeCases: () => reshapeCases,
  reverseCases: () => reverseCases,
  rngBitsCases: () => rngBitsCases,
  roundCases: () => roundCases,
  rsqrtCases: () => rsqrtCases,
  scanCases: () => scanCases,
  scatterAddCases: () => scatterAddCases,
  scatterSetCases: () => scatterSetCases,
  selectAndScatterAddCases: () => selectAndScatterAddCases,
  selectCases: () => selectCases,
  seluCases: () => seluCases,
  signCases: () => signCases,
  siluCases: () => siluCases,
  sinCases: () => sinCases,
  sliceCases: () => sliceCases,
  softmaxCases: () => softmaxCases,
  softmaxGradCases: () => softmaxGradCases,
  softplusCases: () => softplusCases,
  sqrtCases: () => sqrtCases,
  stepCases: () => stepCases,
  stopGradientCases: () => stopGradientCases,
  subCases: () => subCases,
  tanCases: () => tanCases,
  tanhCases: () => tanhCases,
  transposeCases: () => transposeCases,
  unitNormalCases: () => unitNormalCases,
  unitTruncatedNormalCases: () => unitTruncatedNormalCases,
  unitUniformCases: () => unitUniformCases,
  whileLoopCases: () => whileLoopCases,
  xorCases: () => xorCases
});

// packages/millrace/test/graph-fuzz/by-hand.ts
var byHand = {
  assert(g) {
    const x = g.any();
    const one = g.fit("int32", []);
    const [holds] = g.applyNamed("le", [one, one]);
    g.applyNamed("assert", [holds, x], { message: "an int is at most itself" });
  },
  call: (g) => called(g, "call"),
  cond(g) {
    const operands = some2(g);
    const [predicate] = g.applyNamed("lt", [g.fit("int32", []), g.fit("int32", [])]);
    const [yes, outs] = region(g, operands);
    const [no] = region(g, operands, outs);
    g.applyNamed("cond", [predicate, ...operands], {}, [yes, no]);
  },
  constant(g) {
    const x = g.fresh(g.anyDType(), g.anyShape());
    const { dtype, data } = x.lanes[0];
    g.applyNamed("constant", [], { dtype, shape: x.aval.shape.map(Number), data });
  },
  customGradient(g) {
    const operands = some2(g);
    const args = g.below(operands.length + 1);
    const f = inside(g, operands);
    const outs = f.leaves(3);
    const values = 1 + g.below(outs.length);
    const gradient = g.inner();
    const kept = outs.slice(values).map((y) => gradient.paramLike(y));
    gradient.steps(g.below(4));
    const wanted = operands.slice(0, args).filter(isFloat5);
    const factors = wanted.map((x) => gradient.fit(x.aval.dtype, shapeOf2(x)));
    const cotangents = outs.slice(0, values).filter(isFloat5).map((y) => gradient.paramLike(y));
    const found = factors.map((factor) => gradient.timesSumOf(factor, cotangents[0]));
    const own = gradient.finish(found, [...cotangents, ...kept]);
    g.applyNamed("customGradient", operands, { args, values }, [f.finish(outs), own]);
  },
  dimension(g) {
    g.applyNamed("dimension", [], { size: g.below(9), dtype: g.pick(["int32", "int64", "float32"]) });
  },
  print(g) {
    g.applyNamed("print", [g.any()], { message: "" });
  },
  recompute: (g) => called(g, "recompute"),
  scan(g) {
    const length = 1 + g.below(4);
    const carry = some2(g).slice(0, g.below(3));
    const rows = Array.from({ length: g.below(3) }, () => g.fit(g.anyDType(), [length, ...g.anyShape().slice(1)]));
    const rest = g.chance(0.5) ? [g.any()] : [];
    const inner = g.inner();
    for (const x of carry) inner.paramLike(x);
    for (const x of rows) inner.paramLike(firstRow(x));
    for (const x of rest) inner.paramLike(x);
    inner.steps(1 + g.below(4));
    const next = carry.map((x) => inner.fit(x.aval.dtype, shapeOf2(x)));
    const made2 = inner.leaves(g.below(3));
    const attrs = { carried: carry.length, scanned: rows.length, length, reverse: g.chance(0.4) };
    g.applyNamed("scan", [...carry, ...rows, ...rest], attrs, [inner.finish([...next, ...made2])]);
  },
  whileLoop(g) {
    const trips = g.below(5);
    const from2 = g.number("int32", 0);
    const start2 = some2(g);
    const rest = g.chance(0.5) ? [g.any()] : [];
    const operands = [from2, ...start2, ...rest];
    const test = g.inner();
    const [i] = operands.map((x) => test.paramLike(x));
    const goesOn = test.finish(test.applyNamed("lt", [i, test.number("int32", trips)]));
    const body = g.inner();
    const [at] = operands.map((x) => body.paramLike(x));
    body.steps(1 + g.below(4));
    const [next] = body.applyNamed("add", [at, body.number("int32", 1)]);
    const results = [next, ...start2.map((x) => body.fit(x.aval.dtype, shapeOf2(x)))];
    const attrs = { carried: 1 + start2.length, maximumIterations: g.chance(0.5) ? 0 : trips + g.below(2) };
    g.applyNamed("whileLoop", operands, attrs, [goesOn, body.finish(results)]);
  }
};
var isFloat5 = (x) => dtypes[x.aval.dtype].isFloat;
var shapeOf2 = (x) => x.aval.shape.map(Number);
function some2(g) {
  return Array.from({ length: 1 + g.below(3) }, () => g.any());
}
function inside(g, operands) {
  const inner = g.inner();
  for (const x of operands) inner.paramLike(x);
  inner.steps(1 + g.below(5));
  return inner;
}
function region(g, operands, wanted) {
  const inner = inside(g, operands);
  const outs = wanted?.map((x) => inner.fit(x.aval.dtype, shapeOf2(x))) ?? inner.leaves(2);
  return [inner.finish(outs), outs];
}
function called(g, name) {
  const operands = some2(g);
  g.applyNamed(name, operands, {}, [region(g, operands)[0]]);
}

// packages/millrace/test/graph-fuzz/generate.ts
var Unfit = class extends Error {
};
var mostElements = 600;
var casesByName = new Map(Object.values(cases_gen_exports).map((t) => [t.op.name, t]));
function samplesOf(op) {
  const all2 = op.name in byHand ? [] : casesByName.get(op.name)?.samples ?? [];
  return all2.filter(({ ins }) => ins.every((shape) => countOf(shape) <= mostElements / 4));
}
var madeBySample = coreOps.filter((op) => samplesOf(op).length > 0);
var elementwise = madeBySample.filter(isElementwise);
var madeByHand = Object.keys(byHand);
var dtypeWeights = { float32: 12, float64: 3, int32: 4, bool: 2 };
var Generator = class _Generator {
  random;
  mode;
  builder = new GraphBuilder();
  inputs = [];
  pool = [];
  used = /* @__PURE__ */ new Set();
  evaluator;
  seed;
  depth;
  /** Whether some inputs are NaN, infinite or −0. */
  isSpecial;
  /** The sizes that shapes are made of. */
  sizes;
  constructor(mode, seed, outer) {
    this.mode = mode;
    this.seed = seed;
    this.depth = outer ? outer.depth + 1 : 0;
    this.random = randomOf(`graph ${seed}`);
    this.evaluator = new LaneEvaluator(mode, seed);
    this.isSpecial = outer?.isSpecial ?? this.chance(0.08);
    this.sizes = [1, 2 + this.below(3), 2 + this.below(6), this.chance(0.1) ? 0 : 3];
  }
  below(n) {
    return Math.floor(this.random() * n);
  }
  chance(p) {
    return this.random() < p;
  }
  pick(list) {
    if (list.length === 0) throw new Unfit("nothing to pick from");
    return list[this.below(list.length)];
  }
  /** A generator of a region. */
  inner() {
    if (this.depth >= 2) throw new Unfit("regions are deep enough");
    return new _Generator(this.mode, `${this.seed}.${this.below(2 ** 30)}`, this);
  }
  /** A parameter of a region, which has these values at its first run. */
  paramLike({ aval, lanes }) {
    return this.keep({ aval, lanes, value: this.builder.param(aval) });
  }
  /** Applies an op, if what it gives can be compared. */
  apply(op, ins, attrs = {}, regions = []) {
    const { evaluator } = this;
    evaluator.isNearDiscontinuity = false;
    evaluator.isRounded = false;
    const outs = evaluator.apply(op, ins, attrs, regions);
    if (evaluator.isNearDiscontinuity) throw new Unfit("near a discontinuity");
    if (evaluator.isRounded) throw new Unfit("rounded");
    for (const y of outs) {
      if (y.lanes[0].data.length > mostElements) throw new Unfit("large");
      if (this.mode === "numeric" && isVague(y)) throw new Unfit("vague");
      if (this.mode === "numeric" && isHuge(y.lanes[0])) throw new Unfit("huge");
    }
    const values = this.builder.apply(
      op,
      ins.map((x) => x.value),
      attrs,
      regions
    );
    for (const x of ins) this.used.add(x.value);
    return values.map((value, i) => this.keep({ ...outs[i], value }));
  }
  applyNamed(name, ins, attrs = {}, regions = []) {
    return this.apply(findOp(name), ins, attrs, regions);
  }
  keep(entry) {
    this.pool.push(entry);
    return entry;
  }
  /** New data, as an input, or as a constant where a region cannot have one. */
  fresh(dtype, shape, domain) {
    const data = this.data(dtype, shape, domain);
    if (this.depth > 0 || this.chance(0.25))
      return this.applyNamed("constant", [], { dtype, shape, data: data.data })[0];
    this.inputs.push(data);
    return this.keep({ ...this.evaluator.of(data), value: this.builder.param(data.aval) });
  }
  data(dtype, shape, domain) {
    const array = hostArray(dtype, shape);
    const { isFloat: isFloat6, isSigned } = dtypes[dtype];
    const [low, high] = domain ?? (isFloat6 ? [-2.5, 2.5] : [isSigned ? -3 : 0, 4]);
    const step2 = Math.floor(high) - Math.ceil(low) >= 1 ? 1 : 0.25;
    const [least, most] = [Math.ceil(low / step2), Math.floor(high / step2)];
    const isWide = !isFloat6 && !domain && this.chance(0.05);
    for (let i = 0; i < array.data.length; i++) {
      const round2 = step2 * (least + this.below(most - least + 1));
      const number = isFloat6 && this.mode === "numeric" ? low + this.random() * (high - low) : round2;
      const wide2 = isWide ? Math.floor((this.random() - 0.5) * 2 ** 32) : number;
      const special = isFloat6 && this.isSpecial && this.chance(0.1);
      array.data[i] = toElement(dtype, special ? this.pick([Number.NaN, Infinity, -Infinity, -0, 0]) : wide2);
    }
    return hostVal(array);
  }
  anyDType() {
    const all2 = Object.keys(dtypes);
    return weighted(all2, (d) => dtypeWeights[d] ?? 1, this.random());
  }
  anyShape() {
    return Array.from({ length: this.below(4) }, () => this.pick(this.sizes));
  }
  /** A value that was made before, rather a late one. */
  any(fits2 = () => true) {
    const list = this.pool.filter(fits2);
    if (list.length === 0) throw new Unfit("no such value");
    const back = this.chance(0.6) ? this.below(Math.min(4, list.length)) : this.below(list.length);
    return list[list.length - 1 - back];
  }
  anyOf(dtype, domain) {
    if (this.pool.some((x) => x.aval.dtype === dtype) && !this.chance(0.15))
      return this.any((x) => x.aval.dtype === dtype);
    return this.fresh(dtype, this.anyShape(), domain);
  }
  /** A value of this aval within the domain: one that exists, changed until it fits, or a new one. */
  fit(dtype, shape, domain) {
    if (this.chance(0.1)) return this.scalar(dtype, shape, domain);
    if (this.pool.length === 0 || this.chance(0.15)) return this.fresh(dtype, shape, domain);
    try {
      return this.within(this.shaped(this.ofDType(dtype), shape), domain);
    } catch (error) {
      if (error instanceof Unfit) return this.fresh(dtype, shape, domain);
      throw error;
    }
  }
  /** One number stretched: what algebra looks for. */
  scalar(dtype, shape, domain) {
    const list = [0, 1, 2, -1, 0.5].filter((x) => !domain || x >= domain[0] && x <= domain[1]);
    const number = list.length > 0 ? this.pick(list) : domain[0];
    return this.stretched(this.number(dtype, number), shape);
  }
  /** A rank-0 constant. */
  number(dtype, value) {
    const { data } = hostArray(dtype, []);
    data[0] = toElement(dtype, value);
    return this.applyNamed("constant", [], { dtype, shape: [], data })[0];
  }
  stretched(x, shape) {
    return shape.length === 0 ? x : this.applyNamed("broadcastInDim", [x], { shape, dims: [] })[0];
  }
  ofDType(dtype) {
    const same = this.pool.filter((x) => x.aval.dtype === dtype);
    if (same.length > 0 && !this.chance(0.1)) return this.any((x) => x.aval.dtype === dtype);
    return this.applyNamed("cast", [this.any()], { dtype })[0];
  }
  shaped(x, shape) {
    const from2 = x.aval.shape.map(Number);
    const [had, need] = [countOf(from2), countOf(shape)];
    if (from2.join() === shape.join()) return x;
    const stretch2 = (y, to2, dims2) => this.applyNamed("broadcastInDim", [y], { shape: to2, dims: dims2 })[0];
    const dims = [];
    for (const [axis, size] of shape.entries()) if (size === from2[dims.length]) dims.push(axis);
    if (dims.length === from2.length && had > 0) return stretch2(x, shape, dims);
    if (had === 0 || need === 0) throw new Unfit("nothing to reshape");
    if (had === need) return this.applyNamed("reshape", [x], { shape })[0];
    const reshape2 = (y, to2) => this.applyNamed("reshape", [y], { shape: to2 })[0];
    const times = Math.ceil(need / had);
    const flat = times > 1 ? reshape2(stretch2(reshape2(x, [had]), [times, had], [1]), [times * had]) : reshape2(x, [had]);
    const start2 = this.below(times * had - need + 1);
    const cut3 = { start: [start2], limit: [start2 + need], strides: [1] };
    return reshape2(this.applyNamed("slice", [flat], cut3)[0], shape);
  }
  within(x, domain) {
    if (!domain || x.aval.dtype === "bool") return x;
    const [low, high] = domain;
    const inside2 = x.lanes.every(
      (lane) => Array.from(lane.data).every((v) => Number(v) >= low && Number(v) <= high)
    );
    if (inside2) return x;
    const { dtype } = x.aval;
    const shape = x.aval.shape.map(Number);
    const { isFloat: isFloat6 } = dtypes[dtype];
    const [least, most] = isFloat6 ? domain : [Math.ceil(low), Math.floor(high)];
    const bound2 = (to2) => this.stretched(this.number(dtype, to2), shape);
    const [above] = this.applyNamed("max", [x, bound2(least)]);
    return this.applyNamed("min", [above, bound2(most)])[0];
  }
  /** One more node, and what it needs. */
  step() {
    const roll = this.random();
    if (roll < 0.14) byHand[this.pick(madeByHand)](this);
    else this.bySample(roll < 0.45 ? this.pick(elementwise) : this.pick(madeBySample));
  }
  bySample(op) {
    if (this.isSpecial && impliesZeros.has(op.name)) throw new Unfit("zero times infinity");
    const sample2 = this.pick(samplesOf(op));
    const [first2] = sample2.ins;
    const shape = isElementwise(op) && first2 ? this.any().aval.shape.map(Number) : void 0;
    const wanted = this.chance(0.5) ? "float32" : this.anyDType();
    const accepted = acceptedBy(op);
    const dtype = accepted.includes(wanted) ? wanted : this.pick(accepted);
    const ins = sample2.ins.map((own, i) => {
      const given = sample2.dtypes?.[i] ?? "*";
      return this.fit(given === "*" ? dtype : given, shape ?? own, domainOf(sample2, i));
    });
    this.apply(op, ins, sample2.attrs);
  }
  /** Several steps, of which those that do not fit are dropped. */
  steps(count2) {
    for (let i = 0; i < count2; i++) {
      try {
        this.step();
      } catch (error) {
        const isRefused = isMillraceError(error) && ["E_DTYPE", "E_SHAPE", "E_ARGUMENT"].includes(error.code);
        if (!(error instanceof Unfit) && !isRefused) throw error;
      }
    }
  }
  /** Values that nothing reads, at most `count`, or any. */
  leaves(count2) {
    const list = this.pool.filter((x) => !this.used.has(x.value) && x.value.node !== null);
    return list.length > 0 ? list.slice(-count2) : [this.any()];
  }
  /** x · Σ y, or zeros where there is no y. */
  timesSumOf(x, y) {
    const { dtype } = x.aval;
    const shape = x.aval.shape.map(Number);
    const sum3 = y && this.applyNamed("reduceSum", [y], { axes: y.aval.shape.map((_, i) => i) })[0];
    const factor = sum3 ? this.applyNamed("cast", [sum3], { dtype })[0] : this.number(dtype, 0);
    return this.applyNamed("mul", [x, this.stretched(factor, shape)])[0];
  }
  /** `params` gives the parameters another order. */
  finish(results, params) {
    const values = (list) => list.map((x) => x.value);
    return this.builder.finish(values(results), "traced", params && values(params));
  }
};
var acceptedDTypes = /* @__PURE__ */ new Map();
function acceptedBy(op) {
  return remember(acceptedDTypes, op, () => {
    const all2 = Object.keys(dtypes);
    const { ins, attrs, dtypes: given } = samplesOf(op)[0];
    const accepted = all2.filter((dtype) => {
      try {
        inferStatic(
          op,
          ins.map((shape, i) => ({ dtype: given?.[i] && given[i] !== "*" ? given[i] : dtype, shape })),
          attrs
        );
        return true;
      } catch (error) {
        if (isMillraceError(error, "E_DTYPE")) return false;
        throw error;
      }
    });
    return accepted.length > 0 ? accepted : all2;
  });
}
function domainOf({ domain }, operand2) {
  if (domain === void 0) return void 0;
  return typeof domain[0] === "number" ? domain : domain[operand2];
}
function weighted(list, weight, roll) {
  const tickets = list.flatMap((x) => Array.from({ length: weight(x) }, () => x));
  return tickets[Math.floor(roll * tickets.length)];
}
var isHuge = (x) => dtypes[x.dtype].isFloat && x.data.some((v) => Number.isFinite(v) && Math.abs(v) > 1e6);
function generate(seed) {
  const mode = seed % 2 === 0 ? "exact" : "numeric";
  const g = new Generator(mode, `${seed}`);
  for (let i = 1 + g.below(3); i > 0; i--) g.fresh(g.anyDType(), g.anyShape());
  g.fresh("float32", g.anyShape());
  g.steps(3 + g.below(16));
  const results = g.leaves(5);
  if (g.chance(0.3)) results.push(g.any());
  return { mode, graph: g.finish(results), inputs: g.inputs };
}

// packages/millrace/test/graph-fuzz/print-code.ts
function printExample({ mode, graph, inputs }) {
  const data = inputs.map((x) => `  ${arrayCode(x.data)},`);
  return [`example("${mode}", [`, ...data, "], (b) => {", ...bodyLines(graph, ""), "})"].join("\n");
}
function bodyLines(graph, prefix) {
  const names = /* @__PURE__ */ new Map();
  const params = new Map(graph.params.map((p, i) => [p, `${prefix}p${i}`]));
  const nameOf4 = (v) => v.node ? `${names.get(v.node)}[${v.index}]!` : params.get(v);
  const lines = graph.params.map((p) => `  const ${params.get(p)} = b.param(${avalCode(p.aval)});`);
  for (const [i, node] of graph.nodes.entries()) {
    const name = `${prefix}v${i}`;
    const regions = node.regions.map((region2, k) => {
      const inner = bodyLines(region2, `${name}r${k}`).map((line) => `  ${line}`);
      return ["region((b) => {", ...inner, "  })"].join("\n");
    });
    const attrs = Object.entries(node.attrs).map(([key, value]) => `${key}: ${attrCode(value)}`);
    const rest = regions.length > 0 ? `, [${regions.join(", ")}]` : "";
    const ins = node.inputs.map(nameOf4).join(", ");
    lines.push(`  const ${name} = b.apply(findOp("${node.op.name}")!, [${ins}], {${attrs.join(", ")}}${rest});`);
    names.set(node, name);
  }
  return [...lines, `  return [${graph.results.map(nameOf4).join(", ")}];`];
}
var avalCode = ({ dtype, shape }) => `{ dtype: "${dtype}", shape: [${shape.join(", ")}] }`;
function numberCode(x) {
  return typeof x === "bigint" ? `${x}n` : Object.is(x, -0) ? "-0" : `${x}`;
}
function arrayCode(data) {
  return `${data.constructor.name}.of(${Array.from(data, numberCode).join(", ")})`;
}
function attrCode(value) {
  if (typeof value === "number" || typeof value === "bigint") return numberCode(value);
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "boolean") return `${value}`;
  if (isAttrList(value)) return `[${value.map(attrCode).join(", ")}]`;
  if ("terms" in value) throw new TypeError("the graphs that are printed have sizes that are numbers");
  return arrayCode(value);
}

// packages/millrace/test/graph-fuzz/shrink.ts
function shrink(example, fails) {
  let best = example;
  for (; ; ) {
    const smaller = candidates(best).find(fails);
    if (!smaller) return best;
    best = smaller;
  }
}
function candidates(example) {
  const { results, nodes } = example.graph;
  const computed = valuesOf(example);
  const part2 = (ends, cut4) => partOf3(example, computed, ends, cut4);
  const alone = results.length > 1 ? results.map((y) => part2([y])) : [];
  const cut3 = [...nodes].reverse().flatMap((node) => node.inputs.length > 0 ? [part2(results, node)] : []);
  const before3 = results.flatMap((y, i) => {
    if (!y.node || y.node.inputs.length === 0) return [];
    return [part2([...results.slice(0, i), ...y.node.inputs, ...results.slice(i + 1)])];
  });
  return [...alone, ...cut3, ...before3];
}
function valuesOf({ graph, inputs }) {
  const computed = /* @__PURE__ */ new Map();
  let place2 = 0;
  evaluateGraph(graph, inputs, (op, ins, attrs, regions) => {
    const outs = applyHost(op, ins, attrs, regions);
    computed.set(graph.nodes[place2++], outs);
    return outs;
  });
  return computed;
}
function partOf3({ mode, graph, inputs }, computed, ends, cut3) {
  const builder = new GraphBuilder();
  const kept = [];
  const params = /* @__PURE__ */ new Map();
  const made2 = /* @__PURE__ */ new Map();
  const input = (v) => {
    kept.push(v.node ? computed.get(v.node)[v.index] : inputs[graph.params.indexOf(v)]);
    const p = builder.param(v.aval);
    params.set(v, p);
    return p;
  };
  const read = (v) => {
    const { node } = v;
    if (node === null || node === cut3) return params.get(v) ?? input(v);
    if (!made2.has(node)) made2.set(node, builder.apply(node.op, node.inputs.map(read), node.attrs, node.regions));
    return made2.get(node)[v.index];
  };
  const results = ends.map(read);
  return { mode, graph: builder.finish(results), inputs: kept };
}

// packages/millrace/test/graph-fuzz/fuzz.ts
setLogger(null);
function fuzz(seed) {
  const example = generate(seed);
  try {
    return { seed, ...checkExample(example, waysOf(seed)) };
  } catch (error) {
    if (!(error instanceof Mismatch)) throw new Error(`seed ${seed}`, { cause: error });
    return { seed, failed: error.message, code: printExample(shrink(example, failsIn(error.way))) };
  }
}
function failsIn(way) {
  return (example) => {
    try {
      checkExample(example, (name) => name === way || way.startsWith("pass "));
      return false;
    } catch (error) {
      return error instanceof Mismatch && error.way === way;
    }
  };
}
var Tally = class {
  counts = {};
  failures = [];
  add(report) {
    if ("failed" in report) this.failures.push(report);
    else {
      this.count(`value ${report.value}`);
      this.count(`gradient ${report.gradient}`);
    }
  }
  count(name) {
    this.counts[name] = (this.counts[name] ?? 0) + 1;
  }
  /** The share of values and gradients that were not compared although they could have been. */
  get leftOut() {
    const of = (...names) => names.reduce((sum3, name) => sum3 + (this.counts[name] ?? 0), 0);
    const reasons = ["near a discontinuity", "vague", "rounded", "zero times infinity", "no gradient"];
    const out = of(...reasons.flatMap((reason) => [`value ${reason}`, `gradient ${reason}`]));
    return out / Math.max(1, out + of("value held", "gradient held"));
  }
};

// packages/millrace/test/graph-fuzz/main.ts
var [from, to] = process2.argv.slice(2).map(Number);
var tally = new Tally();
for (let seed = from; seed < to; seed++) tally.add(fuzz(seed));
process2.stdout.write(`${JSON.stringify({ from, to, counts: tally.counts, failures: tally.failures })}
`, () => {
  process2.exit(0);
});
