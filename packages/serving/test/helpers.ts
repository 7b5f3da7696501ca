import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { Agent, type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "@millrace/core";
import fastify, { type FastifyInstance } from "fastify";
import { type Load, millraceServing, type ServingOptions } from "../src/index.js";

tf.registerReferenceBackend();

/** x [batch, 3] → y = x · factor. */
export function scale(factor: number): tf.Executable {
  const value = tf.scalar(factor);
  const w = tf.variable(value, { name: "factor", trainable: false });
  value.dispose();
  const f = ({ x }: Record<string, tf.Tensor>): tf.Tensor => tf.mul(x!, w);
  return new tf.Executable([
    tf.nameFunction("serving_default", (inputs) => ({ y: f(inputs) }), { x: { shape: ["batch", 3] } }),
  ]);
}

/** A function as an executable of one signature, without weights. */
export function executable(
  f: (inputs: Record<string, tf.Tensor>) => Record<string, tf.Tensor>,
  inputs: Readonly<Record<string, tf.NamedSpec>>,
  name = "serving_default",
): tf.Executable {
  return new tf.Executable([tf.nameFunction(name, f, inputs)]);
}

/** A directory of versions, each a file with the factor of `scale`; a version is there whole or not at all. */
export class Versions {
  readonly path: string = mkdtempSync(join(tmpdir(), "millrace-serving-"));
  private next = 0;

  add(version: number, content: string): void {
    const made = join(this.path, `.new-${this.next++}`);
    mkdirSync(made);
    writeFileSync(join(made, "factor"), content);
    renameSync(made, join(this.path, String(version)));
  }
  /** Repairs or breaks a version in place. */
  write(version: number, content: string): void {
    writeFileSync(join(this.path, String(version), "factor"), content);
  }
  remove(version: number): void {
    rmSync(join(this.path, String(version)), { recursive: true });
  }
  end(): void {
    rmSync(this.path, { recursive: true });
  }
}

/** What such a version becomes. */
export const load: Load = async (directory) => {
  const factor = Number(await readFile(join(directory, "factor"), "utf8"));
  if (Number.isNaN(factor)) throw new tf.MillraceError("E_FORMAT", `${directory}: no factor`);
  return scale(factor);
};

/** A server that listens, and how to ask it. */
export class Served {
  readonly url: string;
  private readonly end: () => Promise<void>;
  private readonly agent = new Agent({ keepAlive: true });

  constructor(url: string, end: () => Promise<void>) {
    this.url = url;
    this.end = end;
  }

  /** Asks over a socket, with a path as it is. */
  ask(method: string, path: string, body?: string | Uint8Array, headers: OutgoingHttpHeaders = {}): Promise<Answered> {
    const { hostname: host, port } = new URL(this.url);
    return new Promise((resolve, reject) => {
      const isSized = body !== undefined && !("transfer-encoding" in headers);
      const length = isSized ? { "content-length": Buffer.byteLength(body) } : {};
      const options = { agent: this.agent, host, port, method, path, headers: { ...length, ...headers } };
      const sent = request(options, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () =>
          resolve({ status: response.statusCode!, body: Buffer.concat(chunks).toString(), headers: response.headers }),
        );
        response.on("error", reject);
      });
      sent.on("error", reject);
      sent.end(body);
    });
  }
  async post(path: string, body: string | Uint8Array, headers?: OutgoingHttpHeaders): Promise<[number, string]> {
    const { status, body: text } = await this.ask("POST", path, body, headers);
    return [status, text];
  }
  async get(path: string): Promise<[number, string]> {
    const { status, body } = await this.ask("GET", path);
    return [status, body];
  }
  metrics(): Promise<string> {
    return this.get("/monitoring/prometheus/metrics").then(([, text]) => text);
  }
  /** Its connections end with it. */
  close(): Promise<void> {
    return this.end();
  }
}

export interface Answered {
  readonly status: number;
  readonly body: string;
  readonly headers: IncomingHttpHeaders;
}

/** fastify with the plugin, on a port of this machine. */
export async function serve(options: ServingOptions): Promise<Served> {
  const app = fastify();
  await app.register(millraceServing, { pollMs: 0, load, ...options });
  return listen(app);
}

export async function listen(app: FastifyInstance): Promise<Served> {
  return new Served(await app.listen({ host: "127.0.0.1", port: 0 }), () => app.close());
}

/** The value of one line of what Prometheus reads, or undefined. */
export function metric(text: string, name: string, labels: Readonly<Record<string, string>>): number | undefined {
  const line = text.split("\n").find((l) => {
    return (
      l.startsWith(`:tensorflow:serving:${name}{`) &&
      Object.entries(labels).every(([k, v]) => l.includes(`${k}="${v}"`))
    );
  });
  return line === undefined ? undefined : Number(line.slice(line.lastIndexOf(" ") + 1));
}

/** Keeps what is logged out of the tests' output, and gives it to those that look. */
export function quietLogger(): tf.Logger & { readonly errors: string[] } {
  const errors: string[] = [];
  const nothing = (): void => {};
  return { errors, debug: nothing, info: nothing, warn: nothing, error: (m) => errors.push(m) };
}
