// Where the files of a saved model come from: a path, a URL, or memory.
import { type FileStat, getFiles, MillraceError, type Signal } from "@millrace/core";
import { artifactFile } from "@millrace/core/graph";
import { download, pathOfFileUrl, readAddress } from "@millrace/core/support";

/**
 * A saved model: the path or URL of its directory or of its main file, the bytes of its only file, or the bytes of its
 * files by name.
 */
export type ArtifactSource =
  | string
  | { readonly href: string }
  | Uint8Array
  | ReadonlyMap<string, Uint8Array>
  | Readonly<Record<string, Uint8Array>>;

/** The files of one saved model. */
export interface SourceFiles {
  /** What errors call it. */
  readonly label: string;
  /** The names of the files, where they can be listed: not on a server, and not where there is one without a name. */
  list(): Promise<readonly string[] | null>;
  /** The file to look at where they cannot. */
  readonly mainFile: string;
  read(name: string, maxBytes: number): Promise<Uint8Array>;
  /** Files of this machine, of which parts can be read; null for others. */
  readonly local: LocalFiles | null;
}

/** Files that have paths. */
export interface LocalFiles {
  pathOf(name: string): string;
  stat(name: string): Promise<FileStat>;
  /** The bytes from `start` to `end`, or to the end of the file. */
  part(name: string, start: number, end: number): Promise<Uint8Array>;
}

/** The name of the only file of a model that is a file. */
export const onlyFile = "";

/** Opens a source. Reads nothing but what tells a directory from a file. */
export async function openSource(source: ArtifactSource, signal: Signal | null): Promise<SourceFiles> {
  if (ArrayBuffer.isView(source)) return fromMemory(new Map([[onlyFile, source]]));
  if (typeof source === "string") {
    if (/^https?:\/\//i.test(source)) return fromUrl(source, signal);
    return fromPath(/^file:\/\//i.test(source) ? pathOfFileUrl(source) : source, signal);
  }
  if (typeof source !== "object" || source === null) {
    throw new MillraceError("E_ARGUMENT", `a saved graph is loaded from a path, a URL or bytes, got ${String(source)}`);
  }
  if (isMap(source)) return fromMemory(source);
  if (isUrl(source)) return openSource(source.href, signal);
  return fromMemory(new Map(Object.entries(source)));
}

// The tag and not instanceof: a test runner or a worker has other constructors.
const isMap = (source: object): source is ReadonlyMap<string, Uint8Array> =>
  Object.prototype.toString.call(source) === "[object Map]";

const isUrl = (source: object): source is { readonly href: string } =>
  "href" in source && typeof source.href === "string";

function missing(label: string, name: string): MillraceError {
  return new MillraceError("E_FILE", `${label}: there is no ${name || "file"}`);
}

function tooLarge(label: string, name: string, bytes: number, maxBytes: number): MillraceError {
  return new MillraceError("E_FORMAT", `${label}: ${name}: ${bytes} bytes exceed the limit of ${maxBytes}`);
}

function fromMemory(files: ReadonlyMap<string, Uint8Array>): SourceFiles {
  const label = "the files given";
  const bytesOf = (name: string): Uint8Array => {
    const bytes = files.get(name);
    if (!bytes) throw missing(label, name);
    if (Object.prototype.toString.call(bytes) === "[object Uint8Array]") return bytes;
    throw new MillraceError("E_ARGUMENT", `${label}: ${name} must be a Uint8Array`);
  };
  return {
    label,
    list: async () => (files.has(onlyFile) ? null : [...files.keys()]),
    mainFile: onlyFile,
    async read(name, maxBytes) {
      const bytes = bytesOf(name);
      if (bytes.length > maxBytes) throw tooLarge(label, name, bytes.length, maxBytes);
      return bytes;
    },
    local: null,
  };
}

async function fromPath(path: string, signal: Signal | null): Promise<SourceFiles> {
  const files = getFiles();
  const kind = await files.kind(path);
  if (kind === null) throw new MillraceError("E_FILE", `${path}: there is no such file or directory`);
  const isArtifact = kind === "file" && /(?:^|[\\/])artifact\.json$/.test(path);
  const folder = isArtifact ? path.slice(0, -artifactFile.length) || "./" : `${path}/`;
  const isFile = kind === "file" && !isArtifact;
  const at = (name: string): string => (name === onlyFile ? path : folder + name);
  const label = path;
  const named = async <T>(name: string, read: () => Promise<T>): Promise<T> => {
    if (name !== onlyFile && (await files.kind(at(name))) !== "file") throw missing(label, name);
    return read();
  };
  return {
    label,
    list: async () => (isFile ? null : files.list(folder)),
    mainFile: onlyFile,
    read: (name, maxBytes) => named(name, () => files.read(at(name), { maxBytes, signal })),
    local: {
      pathOf: at,
      stat: (name) => named(name, () => files.stat(at(name))),
      part: (name, start, end) => files.read(at(name), { range: [start, end], signal }),
    },
  };
}

/** One request a file, to the origin that the caller named: a redirect is told, not followed. */
function fromUrl(url: string, signal: Signal | null): SourceFiles {
  const { pathname } = readAddress(url);
  const isFolder = !/\.(?:json|pb|tflite|onnx|keras|h5|hdf5)$/i.test(pathname);
  const base = isFolder && !pathname.endsWith("/") ? `${url}/` : url;
  return {
    label: url,
    list: async () => null,
    mainFile: isFolder ? artifactFile : onlyFile,
    read: (name, maxBytes) => download(readAddress(name, base).href, maxBytes, signal),
    local: null,
  };
}
