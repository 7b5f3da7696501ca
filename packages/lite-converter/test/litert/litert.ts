// LiteRT in one python process: it starts once for all models of a file of tests.
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { createInterface, type Interface } from "node:readline";
import { fileURLToPath } from "node:url";
import { referencePython } from "../../../../tools/lib/reference-python.mjs";

/** A tensor as it crosses to python. */
export interface LiteArray {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array | Uint8Array | BigInt64Array;
}

export interface Answer {
  readonly outputs: Readonly<Record<string, LiteArray>>;
  readonly operators: readonly string[];
}

const types = { float32: Float32Array, int32: Int32Array, uint8: Uint8Array, bool: Uint8Array, int64: BigInt64Array };

export const python: string | undefined = referencePython();

export class LiteRT {
  private readonly child: ChildProcessWithoutNullStreams;
  private readonly lines: AsyncIterator<string>;
  private readonly reader: Interface;
  private errors = "";

  constructor() {
    const script = fileURLToPath(new URL("run.py", import.meta.url));
    this.child = spawn(python!, [script], { env: { ...process.env, TF_CPP_MIN_LOG_LEVEL: "3" } });
    this.child.stderr.on("data", (text) => {
      this.errors = (this.errors + text).slice(-4000);
    });
    this.reader = createInterface({ input: this.child.stdout });
    this.lines = this.reader[Symbol.asyncIterator]();
  }

  async run(
    model: Uint8Array,
    inputs: Readonly<Record<string, LiteArray>>,
    { signature = "serving_default", plain = false }: { signature?: string; plain?: boolean } = {},
  ): Promise<Answer> {
    const encoded = Object.fromEntries(
      Object.entries(inputs).map(([name, { dtype, shape, data }]) => {
        const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
        return [name, { dtype, shape, data: bytes.toString("base64") }];
      }),
    );
    const request = { model: Buffer.from(model).toString("base64"), signature, inputs: encoded, plain };
    this.child.stdin.write(`${JSON.stringify(request)}\n`);
    const { value, done } = await this.lines.next();
    if (done) throw new Error(`LiteRT's process ended: ${this.errors}`);
    const reply = JSON.parse(value);
    if (reply.error) throw new Error(`${reply.error}\n${this.errors}`);
    const outputs = Object.entries<{ dtype: keyof typeof types; shape: number[]; data: string }>(reply.outputs);
    return {
      operators: reply.operators,
      outputs: Object.fromEntries(
        outputs.map(([name, { dtype, shape, data }]) => {
          const bytes = new Uint8Array(Buffer.from(data, "base64"));
          return [name, { dtype, shape, data: new types[dtype](bytes.buffer) }];
        }),
      ),
    };
  }

  close(): void {
    this.reader.close();
    this.child.stdin.end();
  }
}
