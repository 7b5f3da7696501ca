// Errors and warnings with stable codes. A code never changes its meaning.
import { type CallSite, captureSites, withSite } from "./site.js";

export type { CallSite };

/** Every error code with its meaning in one sentence; docs/errors.md is generated from it. */
export const errorCodes = {
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
  E_VERSION: "Two parts do not work together in these versions, or a needed part is not installed.",
} as const;

/** Every warning code with its meaning in one sentence; the logger gets each once a call site. */
export const warningCodes = {
  W_DEPRECATED: "A name is deprecated and will go in a later major version.",
  W_IMPURE_FUNCTION: "A function that is traced does something at each call that its graph does once, or not at all.",
  W_LOST_ERROR: "A late error was never read: its last handle was freed first.",
  W_OPTIMIZER_STATE: "The state of an optimizer in a file does not fit the model, and was left out.",
  W_REFERENCE_BACKEND: "A large program runs on the reference backend, which is exact and slow.",
  W_RETRACED: "A function was traced so often that it gains little from being one program.",
} as const;

export type ErrorCode = keyof typeof errorCodes;
export type WarningCode = keyof typeof warningCodes;

/** What an error knows besides its code and message. */
export interface ErrorDetails {
  /** The op's name: "matMul". */
  readonly op?: string;
  /** The shapes that came in; a size with a name is written as that name. */
  readonly shapes?: readonly (readonly (number | string)[])[];
  /** The dtypes that came in. */
  readonly dtypes?: readonly string[];
  /** The label of the broken rule: "matMul.C2". */
  readonly rule?: string;
  /** The user's call; where the error is made unless given. */
  readonly site?: CallSite;
  /** The path of layers that the call came from: "sequential/dense_1". */
  readonly layer?: string;
  /** What led to this error. */
  readonly cause?: unknown;
}

/** The form of an error that may leave the process: no tensor values, the cause by name and message alone. */
export interface ErrorJson extends Omit<ErrorDetails, "cause"> {
  readonly name: "MillraceError";
  readonly code: ErrorCode;
  readonly message: string;
  readonly docs: string;
  readonly cause?: { readonly name: string; readonly message: string };
}

/** Marks the errors of every copy of this module. */
const brand: unique symbol = Symbol.for("millrace.error");
const errorName = "MillraceError";
const detailKeys = ["op", "shapes", "dtypes", "rule", "site", "layer"] as const;

/**
 * Every error that Millrace throws on purpose. Branch on `code`, which is stable, never on the message.
 *
 *     try { tf.matMul(a, b); } catch (e) { if (tf.isMillraceError(e, "E_SHAPE")) console.error(e.shapes); else throw e; }
 */
export class MillraceError extends Error {
  readonly code: ErrorCode;
  declare readonly op?: string;
  declare readonly shapes?: readonly (readonly (number | string)[])[];
  declare readonly dtypes?: readonly string[];
  declare readonly rule?: string;
  declare readonly site?: CallSite;
  declare readonly layer?: string;
  /** The message without the user's line. */
  declare readonly reason: string;

  /** @param reason what is wrong and what to do; the message shows the user's line below it */
  constructor(code: ErrorCode, reason: string, details: ErrorDetails = {}) {
    const site = details.site ?? captureSites(1)[0];
    super(withSite(reason, site), "cause" in details ? { cause: details.cause } : undefined);
    this.code = code;
    const known = { ...details, site };
    for (const key of detailKeys) if (known[key] !== undefined) Object.assign(this, { [key]: known[key] });
    Object.defineProperty(this, "reason", { value: reason });
    // The stack is all that a structured clone keeps, so it names the code.
    const header = `${errorName}: `;
    if (this.stack?.startsWith(header)) this.stack = `${errorName} [${code}]: ${this.stack.slice(header.length)}`;
  }

  /** Where the repository explains the code: `docs/errors.md#e_shape`. */
  get docs(): string {
    return `docs/errors.md#${this.code.toLowerCase()}`;
  }

  /** For logs and messages between workers; holds no tensor values. */
  toJSON(): ErrorJson {
    const known = Object.fromEntries(detailKeys.flatMap((key) => (this[key] === undefined ? [] : [[key, this[key]]])));
    const cause = isObject(this.cause)
      ? { cause: { name: `${this.cause.name}`, message: `${this.cause.message}` } }
      : {};
    return { name: errorName, code: this.code, message: this.message, docs: this.docs, ...known, ...cause };
  }

  static {
    Object.defineProperty(MillraceError.prototype, "name", { value: errorName, configurable: true, writable: true });
    Object.defineProperty(MillraceError.prototype, brand, { value: true });
  }
}

/**
 * Whether `error` is a Millrace error, of the given code if one is named. It knows the errors of another copy of this
 * module, of another realm, of a worker, their JSON, and structured clones, to which it gives back the `code` they lost.
 */
export function isMillraceError<C extends ErrorCode = ErrorCode>(
  error: unknown,
  code?: C,
): error is MillraceError & { readonly code: C } {
  if (!isObject(error)) return false;
  const found = error[brand] === true || error.name === errorName ? error.code : codeInStack(error);
  if (!isErrorCode(found) || (code !== undefined && found !== code)) return false;
  if (error.code === undefined) Reflect.defineProperty(error, "code", { value: found, enumerable: true });
  return true;
}

const isObject = (value: unknown): value is Readonly<Record<PropertyKey, unknown>> =>
  typeof value === "object" && value !== null;

const isErrorCode = (value: unknown): value is ErrorCode =>
  typeof value === "string" && Object.hasOwn(errorCodes, value);

const codeInStack = ({ stack }: { readonly stack?: unknown }): string | undefined =>
  typeof stack === "string" ? /^MillraceError \[(E_[A-Z_]+)\]: /.exec(stack)?.[1] : undefined;
