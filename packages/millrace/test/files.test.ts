// Files are written whole or not at all, and every refusal names the path.
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { type Files, isMillraceError } from "@millrace/autodiff";
import { nodeFiles as files } from "../src/files.js";
import * as tf from "../src/index.js";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "millrace-files-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const at = (name: string): string => join(folder, name);
const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
const codeOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => "no error",
    (error: unknown) => (isMillraceError(error) ? error.code : error),
  );

test("the entry for Node provides files", () => {
  expect(tf.getFiles()).toBe(files as Files);
});

test("what was written is read, and nothing else is left beside it", async () => {
  await files.write(at("a"), bytes(1, 2, 3));
  await files.write(at("a"), bytes(4));
  expect(await files.read(at("a"))).toEqual(bytes(4));
  expect(readdirSync(folder)).toEqual(["a"]);
  expect([await files.kind(at("a")), await files.kind(folder), await files.kind(at("b"))]).toEqual([
    "file",
    "directory",
    null,
  ]);
});

test("a file over the limit is refused before it is read", async () => {
  writeFileSync(at("a"), bytes(1, 2, 3));
  expect(await files.read(at("a"), { maxBytes: 3 })).toHaveLength(3);
  expect(await codeOf(files.read(at("a"), { maxBytes: 2 }))).toBe("E_FORMAT");
});

test("parts of a file, and what tells that it is another version", async () => {
  writeFileSync(at("a"), bytes(1, 2, 3, 4));
  expect(await files.read(at("a"), { range: [1, 3] })).toEqual(bytes(2, 3));
  expect(await files.read(at("a"), { range: [3, 9] })).toEqual(bytes(4));
  expect(await files.read(at("a"), { range: [5, 9] })).toEqual(bytes());
  expect(await codeOf(files.read(at("a"), { range: [0, 3], maxBytes: 2 }))).toBe("E_FORMAT");
  const before = await files.stat(at("a"));
  expect([before.bytes, await files.stat(at("a"))]).toEqual([4, before]);
  await files.write(at("a"), bytes(1, 2, 3, 4));
  expect((await files.stat(at("a"))).version).not.toBe(before.version);
  expect(await codeOf(files.stat(at("b")))).toBe("E_FILE");
});

test("overwrite: false leaves what is there", async () => {
  await files.write(at("a"), bytes(1), { overwrite: false });
  expect(await codeOf(files.write(at("a"), bytes(2), { overwrite: false }))).toBe("E_FILE");
  expect(readFileSync(at("a"))).toEqual(Buffer.from([1]));
  await files.writeDirectory(at("d"), new Map([["x", bytes(1)]]), { overwrite: false });
  expect(await codeOf(files.writeDirectory(at("d"), new Map(), { overwrite: false }))).toBe("E_FILE");
  expect(await files.list(at("d"))).toEqual(["x"]);
  expect(readdirSync(folder)).toEqual(["a", "d"]);
});

test("an abort leaves what was there, and rejects with its reason", async () => {
  await files.write(at("a"), bytes(1));
  for (const hears of [0, 1, 2]) {
    let asked = 0;
    const signal = {
      get aborted(): boolean {
        return asked++ >= hears;
      },
      reason: "enough",
    };
    expect(await codeOf(files.write(at("a"), bytes(2), { signal }))).toBe("enough");
  }
  expect(readFileSync(at("a"))).toEqual(Buffer.from([1]));
  expect(readdirSync(folder)).toEqual(["a"]);
});

test("a directory is written whole, takes the place of the old one, and no name leads out of it", async () => {
  await files.writeDirectory(
    at("d"),
    new Map([
      ["x", bytes(1)],
      ["in/y", bytes(2)],
    ]),
  );
  await files.writeDirectory(
    at("d"),
    new Map([
      ["x", bytes(1)],
      ["in/z", bytes(3)],
    ]),
  );
  expect([await files.list(at("d")), await files.list(at("d/in"))]).toEqual([["in", "x"], ["z"]]);
  expect(await files.read(at("d/in/z"))).toEqual(bytes(3));
  for (const name of ["../x", "/x", "a//b", ".", "", "a\\b", "a\0"]) {
    expect([name, await codeOf(files.writeDirectory(at("d"), new Map([[name, bytes(1)]])))]).toEqual([name, "E_FILE"]);
  }
  expect(await files.list(at("d"))).toEqual(["in", "x"]);
  expect(readdirSync(folder)).toEqual(["d"]);
});

test("a directory with other files is not replaced", async () => {
  writeFileSync(at("thesis.txt"), "a");
  expect(await codeOf(files.writeDirectory(folder, new Map([["x", bytes(1)]])))).toBe("E_FILE");
  expect(readFileSync(at("thesis.txt"), "utf8")).toBe("a");
  mkdirSync(at("empty"));
  await files.writeDirectory(at("empty"), new Map([["x", bytes(1)]]));
  expect(readdirSync(at("empty"))).toEqual(["x"]);
});

test("a pipe is not waited for", async () => {
  if (process.platform === "win32") return; // it has no such files
  execFileSync("mkfifo", [at("pipe")]);
  expect(await codeOf(files.read(at("pipe")))).toBe("E_FILE");
});

test("a file does not take the place of a directory, nor a directory that of a file", async () => {
  mkdirSync(at("d"));
  writeFileSync(at("a"), "a");
  expect(await codeOf(files.write(at("d"), bytes(1)))).toBe("E_FILE");
  expect(await codeOf(files.writeDirectory(at("a"), new Map()))).toBe("E_FILE");
  expect(readFileSync(at("a"), "utf8")).toBe("a");
});

test("the directories that a path needs are made", async () => {
  await files.write(at("new/er/file"), bytes(50));
  await files.writeDirectory(at("newer/one"), new Map([["a", bytes(50)]]));
  expect([readFileSync(at("new/er/file"), "utf8"), readFileSync(at("newer/one/a"), "utf8")]).toEqual(["2", "2"]);
});

test("a link stays a link", async () => {
  writeFileSync(at("real"), "1");
  symlinkSync(at("real"), at("link"));
  await files.write(at("link"), bytes(50));
  expect([readFileSync(at("real"), "utf8"), readdirSync(folder)]).toEqual(["2", ["link", "real"]]);
});

test("the platform's refusals are E_FILE, with its error as the cause", async () => {
  const error = await files.read(at("none")).catch((e: unknown) => e);
  expect(
    isMillraceError(error, "E_FILE") && [error.message.includes(at("none")), (error.cause as { code: string }).code],
  ).toEqual([true, "ENOENT"]);
  expect(await codeOf(files.list(at("none")))).toBe("E_FILE");
  writeFileSync(at("file"), "");
  expect(await codeOf(files.write(at("file/a"), bytes(1)))).toBe("E_FILE");
  if (process.getuid?.() === 0) return; // root may write where it may not
  chmodSync(folder, 0o500);
  expect(await codeOf(files.write(at("a"), bytes(1)))).toBe("E_FILE");
  chmodSync(folder, 0o700);
  expect(existsSync(at("a"))).toBe(false);
});
