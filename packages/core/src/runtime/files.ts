// Where paths lead. Core and the packages above it run in browsers and import nothing of Node's: the platform's entry
// gives them files.
import { MillraceError } from "../types/errors.js";
import type { Signal } from "../types/signal.js";

/** Options of reading a file. */
export interface ReadFileOptions {
  /** The most bytes that are read; a larger file rejects with E_FORMAT before it is read. */
  readonly maxBytes?: number;
  /** Where reading begins and, unless the file does before, ends; the whole file unless said. */
  readonly range?: readonly [start: number, end: number];
  readonly signal?: Signal | null;
}

/** Options of writing files. */
export interface WriteFileOptions {
  /** Whether what is there is replaced; true unless said. Else it stays, and the promise rejects with E_FILE. */
  readonly overwrite?: boolean;
  readonly signal?: Signal | null;
}

/** What is known of a file without reading it. */
export interface FileStat {
  readonly bytes: number;
  /** Another text where the file was changed or replaced. */
  readonly version: string;
}

/**
 * Files of a platform. Each promise rejects with E_FILE where the platform refuses, its own error being the cause, and
 * with the signal's reason where that aborts.
 */
export interface Files {
  /** What is at a path; null where nothing is. */
  kind(path: string): Promise<"file" | "directory" | null>;
  /** What is known of a file without reading it. */
  stat(path: string): Promise<FileStat>;
  /** The names in a directory, sorted. */
  list(path: string): Promise<readonly string[]>;
  /** The bytes of a file. */
  read(path: string, options?: ReadFileOptions): Promise<Uint8Array>;
  /** Writes a file whole or not at all: what was there stays until all bytes are on the disk. Directories are made. */
  write(path: string, bytes: Uint8Array, options?: WriteFileOptions): Promise<void>;
  /**
   * Writes a directory of files whole or not at all. A name may hold "/", for directories inside. It takes the place of one
   * that holds nothing else; where other files would be lost it rejects with E_FILE.
   */
  writeDirectory(path: string, files: ReadonlyMap<string, Uint8Array>, options?: WriteFileOptions): Promise<void>;
}

let provided: Files | null = null;

/** Gives this process files; null takes them away. The entry of `millrace` for Node does so. */
export function provideFiles(files: Files | null): void {
  provided = files;
}

/** The files of this process. Throws E_FILE where there are none, as in a browser: what takes a path also takes bytes. */
export function getFiles(): Files {
  if (provided) return provided;
  const what = "no files are provided here: pass bytes instead of a path, import millrace, or call provideFiles";
  throw new MillraceError("E_FILE", what);
}
