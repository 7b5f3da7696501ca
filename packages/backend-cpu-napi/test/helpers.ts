import { type Aval, type Backend, encodeProgram, type LoopRecord, type Region } from "@millrace/core/backend";
import { type CpuBackend, createCpuBackend } from "../src/index.js";

/** A float32 vector of n elements, n being the program's only symbol. */
export const vector: Aval = { dtype: "float32", shape: [4] };

// Expressions 0, 1 and n, by number.
const exprs = [
  { kind: "constant", value: 0 },
  { kind: "constant", value: 1 },
  { kind: "symbol", index: 0 },
] as const;
const [zero, one, n] = [0, 1, 2];
const vectorSlot = { dtype: "float32", dims: [n] } as const;

/** out = a + b. */
const sumOf = (a: number, b: number, out: number): LoopRecord => ({
  kind: "loop",
  extents: [n],
  loads: [a, b].map((slot) => ({ slot, offset: zero, strides: [one] })),
  instructions: [{ op: "add", dtype: "float32", args: [0, 1], immediate: 0n }],
  stores: [{ slot: out, value: 2 }],
});

const program = (root: Region): Uint8Array => encodeProgram({ symbols: ["n"], exprs, guards: [], constants: [], root });

/** (a, b) → a + b, of vectors. */
export const addProgram: Uint8Array = program({
  slots: [vectorSlot, vectorSlot, vectorSlot],
  params: 2,
  results: [2],
  records: [sumOf(0, 1, 2)],
});

const float32Bits = (value: number): bigint => BigInt(new Uint32Array(Float32Array.of(value).buffer)[0]!);

/** (x, y) → x, y after `while (sum(x) < limit) x += y`. It is queued, as its trips are not known. */
export function whileProgram(limit: number): Uint8Array {
  const below: Region = {
    slots: [vectorSlot, vectorSlot, { dtype: "float32", dims: [] }, { dtype: "bool", dims: [] }],
    params: 2,
    results: [3],
    records: [
      {
        kind: "loop",
        extents: [n],
        loads: [{ slot: 0, offset: zero, strides: [one] }],
        instructions: [],
        stores: [{ slot: 2, value: 0, reduce: { op: "reduceSum", mask: 1 } }],
      },
      {
        kind: "loop",
        extents: [],
        loads: [{ slot: 2, offset: zero, strides: [] }],
        instructions: [
          { op: "constant", dtype: "float32", args: [], immediate: float32Bits(limit) },
          { op: "lt", dtype: "bool", args: [0, 1], immediate: 0n },
        ],
        stores: [{ slot: 3, value: 2 }],
      },
    ],
  };
  const body: Region = {
    slots: [vectorSlot, vectorSlot, vectorSlot],
    params: 2,
    results: [2, 1],
    records: [sumOf(0, 1, 2)],
  };
  return program({
    slots: [vectorSlot, vectorSlot, vectorSlot, vectorSlot],
    params: 2,
    results: [2, 3],
    records: [
      {
        kind: "library",
        op: "whileLoop",
        version: 1,
        ins: [0, 1],
        outs: [2, 3],
        attrs: new Map([["carried", 2]]),
        regions: [below, body],
      },
    ],
  });
}

export const bytesOf = (...values: number[]): Uint8Array<ArrayBuffer> =>
  new Uint8Array(Float32Array.from(values).buffer);

export const floatsOf = (bytes: Uint8Array): number[] => [...new Float32Array(bytes.slice().buffer)];

export const upload = (backend: Backend, ...values: number[]): number => backend.upload(bytesOf(...values), vector, 0);

/** The code of the error that `f` throws, or rejects with. */
export async function codeOf(f: () => unknown): Promise<string | undefined> {
  try {
    await f();
    return undefined;
  } catch (error) {
    // boundary: whatever was thrown
    return (error as { readonly code?: string }).code ?? String(error);
  }
}

/** Backends that are closed after the test file. */
export function backends(): () => CpuBackend {
  const made: CpuBackend[] = [];
  afterAll(() => {
    for (const backend of made) backend.close();
  });
  return () => {
    made.push(createCpuBackend());
    return made.at(-1)!;
  };
}
