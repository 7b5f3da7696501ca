// Node's file system as core's `Files`.
import { type FileHandle, link, mkdir, open, readdir, realpath, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { type Files, isMillraceError, MillraceError, type Signal, type WriteFileOptions } from "@millrace/autodiff";
import { throwIfAborted } from "@millrace/autodiff/support";

/** Between two pieces of this size a signal is heard. */
const pieceBytes = 1 << 24;

export const nodeFiles: Files = {
  kind: (path) =>
    named("read", path, async () => {
      const found = await stat(path).catch((error: unknown) => {
        if (codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR") return null;
        throw error;
      });
      return found && (found.isDirectory() ? "directory" : "file");
    }),

  stat: (path) =>
    named("read", path, async () => {
      const { dev, ino, size, mtimeNs } = await stat(path, { bigint: true });
      return { bytes: Number(size), version: [dev, ino, size, mtimeNs].join() };
    }),

  list: (path) => named("read", path, async () => (await readdir(path)).sort()),

  read: (path, { maxBytes = Number.MAX_SAFE_INTEGER, range = [0, Number.MAX_SAFE_INTEGER], signal = null } = {}) =>
    named("read", path, async () => {
      // Opening a pipe waits for who writes to it.
      const found = await stat(path);
      if (!found.isFile() && !found.isDirectory())
        throw new MillraceError("E_FILE", `cannot read ${path}: it is no file`);
      const handle = await open(path, "r");
      try {
        const { size } = await handle.stat();
        const [start, end] = [range[0], Math.min(range[1], size)];
        if (end - start > maxBytes) {
          throw new MillraceError("E_FORMAT", `${path}: ${end - start} bytes exceed the limit of ${maxBytes}`);
        }
        return await readAll(handle, start, Math.max(0, end - start), signal);
      } finally {
        await handle.close();
      }
    }),

  write: (path, bytes, options = {}) =>
    named("write", path, () => replace(path, options, (temporary) => writeFile(temporary, bytes, options.signal))),

  writeDirectory: (path, files, options = {}) =>
    named("write", path, () =>
      replace(path, options, async (temporary) => {
        await holdReplaceable(path, [...files.keys()]);
        await mkdir(temporary);
        for (const [name, bytes] of files) {
          const file = join(temporary, ...partsOf(name));
          await mkdir(dirname(file), { recursive: true });
          await writeFile(file, bytes, options.signal);
        }
        await syncDirectory(temporary);
      }),
    ),
};

/** Makes `path` by making a sibling of it, which takes its place when it is whole. */
async function replace(
  path: string,
  { overwrite = true, signal }: WriteFileOptions,
  make: (temporary: string) => Promise<void>,
): Promise<void> {
  // A link stays a link: what it leads to is written.
  const target = await realpath(path).catch(() => path);
  const folder = dirname(target);
  const temporary = join(folder, `.${basename(target)}.${crypto.randomUUID()}.tmp`);
  try {
    throwIfAborted(signal);
    await mkdir(folder, { recursive: true });
    await make(temporary);
    throwIfAborted(signal);
    await put(temporary, target, overwrite);
    await syncDirectory(folder);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/** A directory takes the place of one that holds nothing but what it holds too: no other file is lost. */
async function holdReplaceable(path: string, names: readonly string[]): Promise<void> {
  const written = new Set(names.map((name) => name.split("/")[0]));
  const there = (await stat(path).catch(() => null))?.isDirectory() ? await readdir(path) : [];
  const other = there.find((name) => !written.has(name));
  if (other === undefined) return;
  const what = `it is a directory that holds ${other}, which would be lost; remove it, or name another directory`;
  throw new MillraceError("E_FILE", `cannot write ${path}: ${what}`);
}

async function put(temporary: string, target: string, overwrite: boolean): Promise<void> {
  const isDirectory = (await stat(temporary)).isDirectory();
  if (!overwrite && !isDirectory) {
    // Unlike a rename, a link refuses a name that is taken.
    await link(temporary, target);
    return;
  }
  const there = await stat(target).catch(() => null);
  if (there && !overwrite)
    throw new MillraceError("E_FILE", `cannot write ${target}: it exists, and overwrite is false`);
  if (there && there.isDirectory() !== isDirectory) {
    const [is, wanted] = there.isDirectory() ? ["a directory", "a file"] : ["a file", "a directory"];
    throw new MillraceError("E_FILE", `cannot write ${target}: ${is} is there, and ${wanted} would take its place`);
  }
  if (!there?.isDirectory()) {
    await rename(temporary, target);
    return;
  }
  // A rename takes the place of an empty directory alone: the old one steps aside.
  const old = `${temporary}.old`;
  await rename(target, old);
  try {
    await rename(temporary, target);
  } catch (error) {
    await rename(old, target);
    throw error;
  }
  await rm(old, { recursive: true, force: true });
}

async function readAll(handle: FileHandle, start: number, size: number, signal: Signal | null): Promise<Uint8Array> {
  const bytes = new Uint8Array(size);
  let done = 0;
  while (done < size) {
    throwIfAborted(signal);
    const { bytesRead } = await handle.read(bytes, done, Math.min(pieceBytes, size - done), start + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return bytes.subarray(0, done);
}

async function writeFile(path: string, bytes: Uint8Array, signal: Signal | null | undefined): Promise<void> {
  const handle = await open(path, "wx");
  try {
    for (let done = 0; done < bytes.length; ) {
      throwIfAborted(signal);
      done += (await handle.write(bytes, done, Math.min(pieceBytes, bytes.length - done), done)).bytesWritten;
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** A name is on the disk when its directory is; Windows opens none. */
async function syncDirectory(path: string): Promise<void> {
  if (process.platform === "win32") return;
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** The parts of a name in a directory that is being written; none leads out of it. */
function partsOf(name: string): string[] {
  const parts = name.split("/");
  if (parts.every((part) => part !== "" && part !== "." && part !== ".." && !/[\\\0]/.test(part))) return parts;
  throw new MillraceError("E_FILE", `${JSON.stringify(name)} is no name of a file in a directory`);
}

/** Errors of the platform as E_FILE that names what was done to which path. */
async function named<T>(what: "read" | "write", path: string, f: () => Promise<T>): Promise<T> {
  try {
    return await f();
  } catch (error) {
    if (isMillraceError(error) || codeOf(error) === undefined) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new MillraceError("E_FILE", `cannot ${what} ${path}: ${reason}`, { cause: error });
  }
}

/** The system's code: "ENOENT". What a signal was aborted with has none. */
function codeOf(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null || !("code" in error) || !("syscall" in error)) return undefined;
  return String(error.code);
}
