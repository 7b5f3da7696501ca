// HDF5 files, through libhdf5 in WebAssembly. It is over 4 MB, so it is loaded when the first file is read or written.
// Inside of it memory is bounded and no file of the machine can be reached; what it throws at hostile bytes is E_FORMAT.
import type { Dataset, File } from "h5wasm";
import { badFile, believing, isJson, show } from "./checks.js";

type Library = typeof import("h5wasm");
/** What is used of the library's file system, which is in memory. */
interface FileSystem {
  writeFile(path: string, bytes: Uint8Array): void;
  readFile(path: string): Uint8Array;
  unlink(path: string): void;
  chmod(path: string, mode: number): void;
  streams: unknown[];
}

/** Numbers of a dataset. */
export type Numbers = Float32Array | Float64Array | Int32Array | Uint32Array | BigInt64Array | BigUint64Array;

/** A file that is read. */
export interface Hdf5Reader {
  /** The names in a group, sorted; null where there is no group. */
  keys(path: string): readonly string[] | null;
  /** The shape of a dataset; null where there is none. */
  shape(path: string): readonly number[] | null;
  /** Its numbers. Ask for the shape first: they are read whole. */
  numbers(path: string): Numbers;
}

/** A group that is written: its name in an attribute, as Keras has it, and its datasets. */
export interface Hdf5Group {
  readonly path: string;
  readonly name: string;
  readonly datasets: readonly { readonly name: string; readonly shape: readonly number[]; readonly data: Numbers }[];
}

let loading: Promise<{ library: Library; files: FileSystem }> | null = null;
let count = 0;

/** Loads the library, once. */
export function loadHdf5(): Promise<unknown> {
  return load();
}

async function load(): Promise<{ library: Library; files: FileSystem }> {
  loading ??= (async () => {
    const library = await import("h5wasm");
    // boundary: the library's types know less of emscripten's file system than is used here
    const files = (await library.ready).FS as unknown as FileSystem;
    // A file may name others that hold its data: the terminal and random bytes are none of them.
    files.chmod("/dev", 0);
    files.chmod("/proc", 0);
    return { library, files };
  })();
  return loading;
}

/** Whether bytes begin as an HDF5 file does. */
export function isHdf5(bytes: Uint8Array): boolean {
  return bytes.length > 8 && [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a].every((byte, i) => bytes[i] === byte);
}

/** Runs the synchronous `f` on a file. What the file is not good for throws E_FORMAT. */
export async function readHdf5<T>(bytes: Uint8Array, f: (reader: Hdf5Reader) => T): Promise<T> {
  if (!isHdf5(bytes)) throw badFile("the weights are no HDF5 file");
  const { library, files } = await load();
  return withFile(files, (path) => {
    files.writeFile(path, bytes);
    const file = opened(library, path, "r");
    try {
      return f(readerOf(library, file));
    } finally {
      closed(file);
    }
  });
}

/** The bytes of a file with these groups. */
export async function writeHdf5(groups: readonly Hdf5Group[]): Promise<Uint8Array> {
  const { library, files } = await load();
  return withFile(files, (path) => {
    const file = opened(library, path, "w");
    const made = new Set<string>();
    const group = (at: string): void => {
      if (at === "" || made.has(at)) return;
      group(at.slice(0, Math.max(0, at.lastIndexOf("/"))));
      file.create_group(at);
      made.add(at);
    };
    for (const { path: at, name, datasets } of groups) {
      group(at);
      const own = new library.Group(file.file_id, `/${at}`);
      own.create_attribute("name", name);
      for (const { name: dataset, shape, data } of datasets) {
        own.create_dataset({ name: dataset, data, shape: [...shape] });
      }
    }
    closed(file);
    return files.readFile(path);
  });
}

/** Gives `f` the path of a file that is gone after it. Meanwhile the library prints nothing. */
function withFile<T>(files: FileSystem, f: (path: string) => T): T {
  const path = `/millrace-${count++}.h5`;
  const errors = files.streams[2];
  files.streams[2] = undefined;
  try {
    return f(path);
  } finally {
    files.streams[2] = errors;
    try {
      files.unlink(path);
    } catch {
      // It was never written.
    }
  }
}

function opened(library: Library, path: string, mode: "r" | "w"): File {
  return believing("the weights", () => {
    const file = new library.File(path, mode);
    if (file.file_id > 0n) return file;
    throw badFile("the weights are a damaged HDF5 file");
  });
}

function closed(file: File): void {
  try {
    file.close();
  } catch {
    // The library has thrown already, at what was read.
  }
}

function readerOf(library: Library, file: File): Hdf5Reader {
  const kinds = new Map<string, "group" | "dataset" | null>([["", "group"]]);
  // Every part of a path is looked at before the next: a link could lead into another file.
  const kind = (path: string): "group" | "dataset" | null => {
    const known = kinds.get(path);
    if (known !== undefined) return known;
    const parent = path.slice(0, Math.max(0, path.lastIndexOf("/")));
    const found = kind(parent) === "group" ? kindOf(library, file, path) : null;
    kinds.set(path, found);
    return found;
  };
  const dataset = (path: string): Dataset => new library.Dataset(file.file_id, `/${path}`);
  return {
    keys: (path) =>
      believing(path, () =>
        kind(path) === "group" ? new library.Group(file.file_id, `/${path}`).keys().sort() : null,
      ),
    shape: (path) => believing(path, () => (kind(path) === "dataset" ? (dataset(path).shape ?? null) : null)),
    numbers: (path) =>
      believing(path, () => {
        const own = dataset(path);
        if ((own.metadata.virtual_sources ?? []).length > 0) throw badFile(`${path}: its data is in other files`);
        const value: unknown = own.value;
        // One element comes as itself.
        if (typeof value === "number") return Float64Array.of(value);
        if (typeof value === "bigint") return BigInt64Array.of(value);
        if (isNumbers(value)) return value;
        throw badFile(`${path} holds no numbers but ${show(own.dtype)}`);
      }),
  };
}

function kindOf(library: Library, file: File, path: string): "group" | "dataset" | null {
  const found: unknown = file.get(`/${path}`);
  if (found instanceof library.Group) return "group";
  if (found instanceof library.Dataset) return "dataset";
  if (found === null) return null;
  const type = isJson(found) ? found.type : found;
  throw badFile(`${path} is a ${show(type)}, where a group or dataset was expected`);
}

function isNumbers(value: unknown): value is Numbers {
  const kinds = ["Float32", "Float64", "Int32", "Uint32", "BigInt64", "BigUint64"];
  return (
    ArrayBuffer.isView(value) && kinds.some((name) => `[object ${name}Array]` === Object.prototype.toString.call(value))
  );
}
