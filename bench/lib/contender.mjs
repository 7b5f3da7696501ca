// A program that measures one system of a case: started once, it sets itself up, sleeps on stdin, and answers each line with one.
// See serve.mjs for the lines.
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import os from "node:os";
import process from "node:process";
import { createInterface } from "node:readline";

/** Every process of a run may use the same cores, so that libraries with pools of their own keep to them too. */
function pinned(command, threads) {
  if (process.platform !== "linux" || !existsSync("/usr/bin/taskset")) return command;
  const [, list] = /Cpus_allowed_list:\s*(\S+)/.exec(readFileSync("/proc/self/status", "utf8"));
  const cores = list.split(",").flatMap((range) => {
    const [first, last = first] = range.split("-").map(Number);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
  return ["/usr/bin/taskset", "-c", cores.slice(0, threads).join(","), ...command];
}

export class Contender {
  #child;
  #answers;

  /**
   * @param {string} system the name in its lines
   * @param {readonly string[]} command the program and its arguments
   * @param {{ threads?: number, timeout?: number }} options `timeout` for one answer, s
   */
  constructor(system, command, { threads = 2, timeout = 400 } = {}) {
    this.system = system;
    this.command = command;
    this.threads = threads;
    this.timeout = timeout;
    this.isPeer = !system.startsWith("millrace");
  }

  /** This process as a peer that is always asked for one task. */
  as(task) {
    const { system } = this;
    const ask = ({ budget }) => this.ask({ task, budget });
    return { system, isPeer: true, running: true, ask, cpuSeconds: () => this.cpuSeconds(), stop: () => this.stop() };
  }

  start() {
    const [program, ...args] = pinned(this.command, this.threads);
    const env = { ...process.env, THREADS: String(this.threads) };
    // What libraries write to stderr while they start is of no use here; a failure is told in the answer.
    this.#child = spawn(program, args, {
      env,
      stdio: ["pipe", "pipe", process.env.BENCH_STDERR ? "inherit" : "ignore"],
    });
    this.#child.on("error", () => {});
    this.#child.stdin.on("error", () => {});
    this.#answers = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  get running() {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** One answer; `{ error }` where the program failed, ended or took too long. */
  async ask(message) {
    if (!this.running) this.start();
    this.#child.stdin.write(`${JSON.stringify(message)}\n`);
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), this.timeout * 1e3);
    try {
      for (;;) {
        const { value, done } = await this.#answers.next();
        if (done) return { error: `the program ended before it answered (${this.command.join(" ")})` };
        // Libraries print what they like; answers are objects.
        if (value.startsWith("{")) return JSON.parse(value);
      }
    } finally {
      clearTimeout(timer);
    }
  }

  /** Seconds that the process has computed so far; undefined where there is no /proc. */
  cpuSeconds() {
    try {
      const fields = readFileSync(`/proc/${this.#child.pid}/stat`, "utf8").split(") ")[1].split(" ");
      return (Number(fields[11]) + Number(fields[12])) / ticksASecond;
    } catch {
      return undefined;
    }
  }

  /** Ends the process and waits for that. */
  async stop() {
    if (!this.running) return;
    const child = this.#child;
    const ended = new Promise((resolve) => child.once("close", resolve));
    child.stdin.end();
    const timer = setTimeout(() => child.kill("SIGKILL"), 5_000);
    await ended;
    clearTimeout(timer);
  }
}

/** USER_HZ, which Linux keeps at 100 for programs. */
const ticksASecond = 100;

export const machine = () => ({
  cpu: os.cpus()[0]?.model.trim() ?? "unknown",
  cores: os.availableParallelism(),
  memoryGB: Math.round(os.totalmem() / 2 ** 30),
  system: `${os.type()} ${os.release()}`,
});
