// Where the bytes of a model come from: paths, addresses, and bytes themselves.
import { getFiles, MillraceError } from "@millrace/autodiff";
import { type Signal, throwIfAborted } from "../util/platform.js";
import { badFile, type Limits, show } from "./checks.js";
import type { ModelFiles } from "./formats.js";

/**
 * What a model is loaded from: a path (where files are provided, as `millrace` does for Node), an address (http:, https:,
 * file:), bytes, or what gives bytes, as a File, Blob or Response does.
 * @public
 */
export type ModelSource = string | { readonly href: string } | ArrayBuffer | ArrayBufferView | ByteSource;

/**
 * What gives its bytes when it is asked.
 * @public
 */
export interface ByteSource {
  arrayBuffer(): Promise<ArrayBuffer>;
}

/** The bytes of a file, or the files of a directory. */
export type Opened = { readonly bytes: Uint8Array } | { readonly directory: ModelFiles };

interface Response {
  readonly ok: boolean;
  readonly status: number;
  readonly body: { getReader(): Reader } | null;
}
interface Reader {
  read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array }>;
  cancel(): Promise<void>;
}
// boundary: both platforms have these
const { fetch, URL: Address } = globalThis as unknown as {
  readonly fetch: (url: string, options: { signal?: unknown }) => Promise<Response>;
  readonly URL: new (text: string) => { readonly href: string; readonly pathname: string };
};

/** Reads a source within the limits. Throws E_FILE, E_FORMAT where it is too large, E_ARGUMENT for no source. */
export async function openSource(
  source: ModelSource,
  names: readonly string[],
  limits: Limits,
  signal: Signal | null,
): Promise<Opened> {
  throwIfAborted(signal);
  const text = typeof source === "string" ? source : isAddress(source) ? source.href : null;
  if (text !== null) {
    if (/^https?:\/\//i.test(text)) return download(text, limits, signal);
    return openPath(/^file:\/\//i.test(text) ? pathOf(text) : text, names, limits, signal);
  }
  const bytes = await bytesOf(source);
  throwIfAborted(signal);
  if (bytes.length > limits.bytes) throw tooLarge(bytes.length, limits);
  return { bytes };
}

async function openPath(
  path: string,
  names: readonly string[],
  limits: Limits,
  signal: Signal | null,
): Promise<Opened> {
  const files = getFiles();
  const options = { maxBytes: limits.bytes, signal };
  if ((await files.kind(path)) !== "directory") return { bytes: await files.read(path, options) };
  const found = await files.list(path);
  const contents = new Map<string, Uint8Array>();
  for (const name of names.filter((one) => found.includes(one))) {
    contents.set(name, await files.read(`${path}/${name}`, options));
  }
  const read = (name: string): Uint8Array => {
    const bytes = contents.get(name);
    if (bytes) return bytes;
    throw badFile(`${path} holds no ${name}`);
  };
  return { directory: { names: found, read } };
}

async function download(address: string, limits: Limits, signal: Signal | null): Promise<Opened> {
  const failed = (what: string, cause?: unknown): MillraceError =>
    new MillraceError("E_FILE", `cannot read ${address}: ${what}`, { cause });
  const response = await fetch(new Address(address).href, signal ? { signal } : {}).catch((error: unknown) => {
    throwIfAborted(signal);
    throw failed(error instanceof Error ? error.message : String(error), error);
  });
  if (!response.ok || !response.body) throw failed(`the server answers ${response.status}`);
  const reader = response.body.getReader();
  const parts: Uint8Array[] = [];
  let size = 0;
  try {
    for (;;) {
      throwIfAborted(signal);
      const { done, value } = await reader.read();
      if (done || !value) break;
      size += value.length;
      if (size > limits.bytes) throw tooLarge(size, limits);
      parts.push(value);
    }
  } catch (error) {
    await reader.cancel().catch(() => {});
    throw error;
  }
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return { bytes };
}

async function bytesOf(source: unknown): Promise<Uint8Array> {
  if (ArrayBuffer.isView(source)) return new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
  if (Object.prototype.toString.call(source) === "[object ArrayBuffer]") return new Uint8Array(source as ArrayBuffer);
  if (typeof source === "object" && source !== null && "arrayBuffer" in source) {
    return new Uint8Array(await (source as ByteSource).arrayBuffer());
  }
  throw new MillraceError("E_ARGUMENT", `a model is loaded from a path, an address or bytes, got ${show(source)}`);
}

function isAddress(source: unknown): source is { readonly href: string } {
  return typeof source === "object" && source !== null && "href" in source && typeof source.href === "string";
}

/** The path that a file: address names; one of a drive begins with its letter. */
function pathOf(address: string): string {
  const path = decodeURIComponent(new Address(address).pathname);
  return /^\/[A-Za-z]:/.test(path) ? path.slice(1) : path;
}

function tooLarge(size: number, { bytes: most }: Limits): MillraceError {
  return badFile(`the file has over ${size - 1} bytes, the limit is ${most}; see limits.bytes`);
}
