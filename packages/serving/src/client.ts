/**
 * A client of a served model, for Node and browsers.
 * @packageDocumentation
 */
import { type DType, MillraceError, type Signal, type Tensor, tensor } from "@millrace/core";
import { untilAborted } from "@millrace/core/support";
import type { CheckedInputs, ModelTypes, OutputsOf, SignatureTypes } from "./client/types.js";
import { dtypeOfProto } from "./dtypes.js";

export type { CheckedInputs, ModelTypes, OutputsOf, SignatureTypes, TensorType } from "./client/types.js";

/**
 * Options of a client.
 * @public
 */
export interface ClientOptions {
  /** Headers of every request, such as authorization. */
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * Options of a call.
 * @public
 */
export interface PredictOptions<Name> {
  /** "serving_default" unless said. */
  readonly signature?: Name;
  readonly signal?: Signal;
}

/**
 * A served model.
 * @public
 */
export interface Client<M extends ModelTypes<M>> {
  /**
   * The outputs for these inputs, by name.
   * @throws E_REMOTE where the server refuses or fails, with its text; the signal's reason where that aborts
   */
  predict<
    const X extends Readonly<Record<string, Tensor>>,
    Name extends keyof M & string = "serving_default" & keyof M,
  >(inputs: CheckedInputs<M[Name]["inputs"], X>, options?: PredictOptions<Name>): Promise<OutputsOf<M[Name], X>>;
}

/**
 * A client of the model at `url`, as in "http://127.0.0.1:8501/v1/models/digits". With the types that `millrace types`
 * writes, a wrong shape is marked in the editor.
 *
 * @example
 *     const digits = createClient<Digits>("http://127.0.0.1:8501/v1/models/digits");
 *     const { output } = await digits.predict({ input: tf.zeros([3, 28, 28, 1]) });
 * @public
 */
export function createClient<M extends ModelTypes<M> = Record<string, SignatureTypes>>(
  url: string,
  options: ClientOptions = {},
): Client<M> {
  const base = url.replace(/\/+$/, "");
  let metadata: Promise<Metadata> | undefined;
  return {
    predict: async (given, { signature = "serving_default", signal } = {}) => {
      // boundary: the types have checked the inputs
      const inputs = given as Readonly<Record<string, Tensor>>;
      const request = {
        headers: { "content-type": "application/json", ...options.headers },
        redirect: "error" as const, // to a server that the caller did not name
        // boundary: fetch listens to an AbortSignal, which is what a signal is here
        signal: (signal ?? null) as AbortSignal | null,
      };
      // Calls share it, so no call's signal ends it. Where it fails, the next call asks again.
      metadata ??= fetchJson(`${base}/metadata`, { ...request, signal: null })
        .then(readMetadata)
        .catch((error: unknown) => {
          metadata = undefined;
          throw error;
        });
      const outputs = (await untilAborted(metadata, signal, () => {})).get(signature);
      if (!outputs) throw new MillraceError("E_REMOTE", `${base} has no signature "${signature}"`);
      const columns = await Promise.all(
        Object.entries(inputs).map(async ([name, x]) => `${JSON.stringify(name)}:${jsonOf(await x.array())}`),
      );
      const body = `{"signature_name":${JSON.stringify(signature)},"inputs":{${columns.join()}}}`;
      const answer = await fetchJson(`${base}:predict`, { ...request, method: "POST", body });
      // boundary: the types say what the server's signature says
      return tensorsOf(outputs, answer) as never;
    },
  };
}

/** The dtypes of the outputs of each signature. */
type Metadata = ReadonlyMap<string, ReadonlyMap<string, DType>>;

/** JSON with the words for numbers that JSON has none for. */
function jsonOf(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(jsonOf).join()}]`;
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}

async function fetchJson(url: string, request: RequestInit): Promise<unknown> {
  const failed = (what: string) => (cause: unknown) => {
    if (request.signal?.aborted) throw request.signal.reason;
    throw new MillraceError("E_REMOTE", `${url} ${what}`, { cause });
  };
  const answer = await fetch(url, request).catch(failed("could not be reached, or redirects"));
  const text = await answer.text().catch(failed("did not finish its answer"));
  const read = parse(text);
  if (answer.ok && read !== undefined) return read;
  const said = isRecord(read) && typeof read.error === "string" ? read.error : text.slice(0, 200);
  throw new MillraceError("E_REMOTE", `${url} answered ${answer.status}: ${said}`);
}

/** JSON, and the words NaN and Infinity of TensorFlow Serving; undefined where it is neither. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Words outside of strings become marked strings.
    const marked = text.replace(/"(?:[^"\\]|\\.)*"|-?\b(?:NaN|Infinity)\b/g, (part) =>
      part.startsWith('"') ? part : `{"number":"${part}"}`,
    );
    try {
      return JSON.parse(marked, (_, value: unknown) =>
        isRecord(value) && typeof value.number === "string" ? Number(value.number) : value,
      );
    } catch {
      return undefined;
    }
  }
}

function readMetadata(answer: unknown): Metadata {
  const definitions = at(answer, "metadata", "signature_def", "signature_def");
  if (!isRecord(definitions)) throw new MillraceError("E_REMOTE", "the server's metadata has no signatures");
  return new Map(
    Object.entries(definitions).map(([name, definition]) => {
      const outputs = at(definition, "outputs");
      const entries = Object.entries(isRecord(outputs) ? outputs : {});
      return [name, new Map(entries.map(([output, info]) => [output, dtypeOf(at(info, "dtype"))]))];
    }),
  );
}

function dtypeOf(name: unknown): DType {
  const found = dtypeOfProto(name);
  if (found) return found;
  throw new MillraceError("E_REMOTE", `the server has an output of ${String(name)}, which no tensor can hold`);
}

/** The outputs of an answer: bare where there is one, else by name. */
function tensorsOf(outputs: ReadonlyMap<string, DType>, answer: unknown): Record<string, Tensor> {
  const given = at(answer, "outputs");
  if (given === undefined) throw new MillraceError("E_REMOTE", "the server's answer has no outputs");
  const named = outputs.size === 1 ? { [[...outputs.keys()][0]!]: given } : given;
  return Object.fromEntries(
    [...outputs].map(([name, dtype]) => {
      const values = at(named, name);
      if (values === undefined) throw new MillraceError("E_REMOTE", `the server's answer has no output "${name}"`);
      // boundary: what JSON holds; `tensor` refuses what is no array of numbers
      const nested = (dtype === "int64" ? bigints(values) : values) as number[];
      return [name, tensor(nested, undefined, dtype) as Tensor];
    }),
  );
}

function bigints(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(bigints);
  if (Number.isSafeInteger(value)) return BigInt(value as number);
  throw new MillraceError("E_REMOTE", `the server answered ${String(value)}, which JSON carries inexactly`);
}

function at(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>((inner, key) => (isRecord(inner) ? inner[key] : undefined), value);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
