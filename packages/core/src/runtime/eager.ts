// Compiling one op for eager code: the program is made for a pattern of sizes, and bound to the sizes at hand.
import { type Attr, type Attrs, attrKey, mapAttr } from "../ir/attrs.js";
import type { Aval } from "../ir/aval.js";
import { type Dim, type SymDim, symbol } from "../ir/dim.js";
import { GraphBuilder } from "../ir/graph.js";
import type { AnyOp } from "../ir/op.js";
import { remember } from "../ir/remember.js";
import type { BoundGraph, CompiledGraph } from "./compiled-graph.js";
import type { Device } from "./device.js";
import { RecentMap } from "./recent-map.js";

/**
 * Sizes by pattern: 0 and 1 stay, every other size becomes a symbol, equal sizes the same one. So `add` of two [8] and
 * of two [9] is one program, and of [8,1] with a broadcast another.
 */
class SizePattern {
  readonly sizes: number[] = [];
  private readonly symbols: SymDim[] = [];

  /** 0, 1, or the number of the symbol plus 2. */
  code(size: number): number {
    if (size === 0 || size === 1) return size;
    let at = this.sizes.indexOf(size);
    if (at < 0) at = this.sizes.push(size) - 1;
    return at + 2;
  }

  dim(size: number): Dim {
    const code = this.code(size);
    if (code < 2) return code;
    while (this.symbols.length < this.sizes.length) {
      // Negative sizes occur in attributes, as a slice's offset may; they are symbols without a lower bound.
      const value = this.sizes[this.symbols.length]!;
      this.symbols.push(symbol(`s${this.symbols.length}`, value < 0 ? Number.MIN_SAFE_INTEGER : 2));
    }
    return this.symbols[code - 2]!;
  }
}

/** Programs that are kept of one device; an op has one for each dtype, pattern of sizes and attributes. */
const maxPrograms = 1024;

/** The programs of one device's eager ops. */
export class EagerPrograms {
  private readonly programs: RecentMap<string, CompiledGraph>;
  private readonly device: Device;

  constructor(device: Device) {
    this.device = device;
    this.programs = new RecentMap(
      maxPrograms,
      (program) => program.release(),
      () => device.onEvict(),
    );
  }

  get count(): number {
    return this.programs.size;
  }

  release(): void {
    this.programs.clear();
  }

  /** The program for an op on these operands, whose rules already hold. */
  bind(op: AnyOp, ins: readonly Aval[], attrs: Attrs): BoundGraph {
    const pattern = new SizePattern();
    let key = `${op.id}`;
    for (const { dtype, shape } of ins) key += `|${dtype}${shape.map((d) => pattern.code(Number(d))).join()}`;
    for (const name in attrs) key += `|${name}:${this.attrPart(op, name, attrs[name]!, pattern)}`;
    return this.program(key, op, ins, attrs).bind(pattern.sizes);
  }

  private program(key: string, op: AnyOp, ins: readonly Aval[], attrs: Attrs): CompiledGraph {
    const seen = this.programs.get(key);
    if (seen) return seen;
    const made = this.compile(op, ins, attrs);
    this.programs.add(key, made);
    return made;
  }

  private attrPart(op: AnyOp, name: string, value: Attr, pattern: SizePattern): string {
    if (!op.sizeAttrs?.includes(name)) return attrKey(value);
    return attrKey(mapAttr(value, (d) => pattern.code(Number(d))));
  }

  private compile(op: AnyOp, ins: readonly Aval[], attrs: Attrs): CompiledGraph {
    const pattern = new SizePattern();
    const builder = new GraphBuilder();
    const params = ins.map((a) => builder.param({ dtype: a.dtype, shape: a.shape.map((d) => pattern.dim(Number(d))) }));
    const entries = Object.entries(attrs).map(([name, value]): [string, Attr] => {
      return [name, op.sizeAttrs?.includes(name) ? mapAttr(value, (d) => pattern.dim(Number(d))) : value];
    });
    const results = builder.apply(op, params, Object.fromEntries(entries));
    return this.device.compile(
      builder.finish(results),
      () => op.name,
      pattern.sizes.map((_, i) => `s${i}`),
    );
  }
}

/** The programs of eager ops, by device. */
export class EagerDevices {
  private readonly programs = new Map<Device, EagerPrograms>();
  private readonly onEvict: () => void;

  /** `onEvict` is called when bounds were given back: whoever remembers them must forget them. */
  constructor(onEvict: () => void) {
    this.onEvict = onEvict;
  }

  of(device: Device): EagerPrograms {
    return remember(this.programs, device, () => {
      device.onEvict = this.onEvict;
      return new EagerPrograms(device);
    });
  }

  /** Gives them all back. */
  release(): void {
    for (const programs of this.programs.values()) programs.release();
    this.programs.clear();
  }
}
