// Where the bytes of a model come from: paths, addresses, and bytes themselves.
import { getFiles, MillraceError } from "@millrace/autodiff";
import { download, pathOfFileUrl } from "@millrace/autodiff/support";
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
    if (/^https?:\/\//i.test(text)) return { bytes: await download(text, limits.bytes, signal) };
    return openPath(/^file:\/\//i.test(text) ? pathOfFileUrl(text) : text, names, limits, signal);
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

function tooLarge(size: number, { bytes: most }: Limits): MillraceError {
  return badFile(`the file has over ${size - 1} bytes, the limit is ${most}; see limits.bytes`);
}
