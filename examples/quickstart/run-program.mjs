// Another process: bytes in, bytes out.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { buffer, text } from "node:stream/consumers";

/** Runs a program on `input` and gives what it writes; rejects with what it complains of where it fails. */
export async function runProgram(command, args, input) {
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"] });
  const ended = once(child, "close");
  child.stdin.on("error", () => {}); // it ended early: its exit code says so
  child.stdin.end(input);
  const [output, complaints, [code]] = await Promise.all([buffer(child.stdout), text(child.stderr), ended]);
  if (code !== 0) throw new Error(`${[command, ...args].join(" ")} ended with ${code}\n${complaints}`);
  return output;
}

/** Bytes as float32 numbers. */
export const floatsOf = (bytes) => new Float32Array(new Uint8Array(bytes).buffer);
