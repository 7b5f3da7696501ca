// A backend of your own. It starts from the reference backend, adds a limit on memory, and reads the programs that it is given.
import type { Aval } from "@millrace/core";
import {
  type Bound,
  type Buf,
  decodeProgram,
  type Executable,
  MillraceError,
  ReferenceBackend,
  type Region,
} from "@millrace/core/backend";

/** Runs programs in JavaScript within a limit on memory, as a test of what a small device can hold. */
export class QuotaBackend extends ReferenceBackend {
  /** Kernels in the programs compiled so far, by op; "loop" is a fused one. */
  readonly kernelsByOp: Map<string, number> = new Map();
  private readonly limit: number;

  /** @param limit the most bytes of tensors */
  constructor(limit: number) {
    super({ name: "quota", fusion: true });
    this.limit = limit;
  }

  override compile(program: Uint8Array): Executable {
    this.count(decodeProgram(program).root);
    return super.compile(program);
  }

  override upload(bytes: Uint8Array, aval: Aval): Buf {
    if (this.stats().liveBytes + bytes.byteLength > this.limit) throw this.full();
    return super.upload(bytes, aval);
  }

  override run(bound: Bound, args: readonly Buf[]): readonly Buf[] {
    const results = super.run(bound, args);
    if (this.stats().liveBytes <= this.limit) return results;
    for (const buf of results) this.free(buf);
    throw this.full();
  }

  private full(): MillraceError {
    return new MillraceError("E_MEMORY", `the quota of ${this.limit} bytes is used up: dispose of tensors`);
  }

  private count({ records }: Region): void {
    for (const record of records) {
      const kernel = record.kind === "library" ? record.op : record.kind;
      this.kernelsByOp.set(kernel, (this.kernelsByOp.get(kernel) ?? 0) + 1);
      if (record.kind === "library") for (const inner of record.regions) this.count(inner);
    }
  }
}
