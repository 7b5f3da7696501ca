// Runs loop kernels in TypeScript by the references of their instructions: slow, obvious, and the proof of the scheduler.
import { forEachIndex, type HostArray, hostArray } from "../ir/host.js";
import { findOp } from "../ops/table.js";
import type { TypedArray } from "../types/dtype.js";
import type { Instruction, LoopRecord, Store } from "./program.js";

/** `values` are the sizes; `read` gives a slot's content, `make` a zeroed array for one. */
export function runLoop(
  loop: LoopRecord,
  values: readonly number[],
  read: (slot: number) => HostArray,
  make: (slot: number) => HostArray,
): void {
  const shape = loop.extents.map((e) => values[e]!);
  const computed: HostArray[] = loop.loads.map((load) => {
    const from = read(load.slot);
    const strides = load.strides.map((s) => values[s]!);
    const out = hostArray(from.dtype, shape);
    forEachIndex(shape, (index, flat) => {
      out.data[flat] = from.data[index.reduce((at, i, axis) => at + i * strides[axis]!, values[load.offset]!)]!;
    });
    return out;
  });
  for (const instruction of loop.instructions) computed.push(runInstruction(instruction, computed, shape));
  for (const store of loop.stores) runStore(store, computed[store.value]!, make(store.slot), shape);
}

function runInstruction(i: Instruction, values: readonly HostArray[], shape: readonly number[]): HostArray {
  const out = hostArray(i.dtype, shape);
  if (i.op === "constant") fillBits(out.data, i.immediate);
  else if (i.op === "iota") {
    forEachIndex(shape, (index, flat) => {
      const at = index[Number(i.immediate)]!;
      out.data[flat] = i.dtype === "int64" ? BigInt(at) : at;
    });
  } else
    findOp(i.op)!.reference!(
      i.args.map((a) => values[a]!),
      { dtype: i.dtype },
      [out],
    );
  return out;
}

function fillBits(data: TypedArray, bits: bigint): void {
  const bytes = new DataView(new ArrayBuffer(8));
  bytes.setBigUint64(0, bits, true);
  const one = new (data.constructor as new (buffer: ArrayBuffer, offset: number, length: number) => TypedArray)(
    bytes.buffer,
    0,
    1,
  );
  for (let i = 0; i < data.length; i++) data[i] = one[0]!;
}

function runStore(store: Store, value: HostArray, out: HostArray, shape: readonly number[]): void {
  const { reduce } = store;
  if (!reduce) {
    for (let i = 0; i < out.data.length; i++) out.data[i] = value.data[i]!;
    return;
  }
  const axes = shape.map((_, axis) => axis).filter((axis) => reduce.mask & (1 << axis));
  findOp(reduce.op)!.reference!([value], { axes }, [out]);
}
