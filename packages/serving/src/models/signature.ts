import type { NamedAval, Signature } from "@millrace/core";
import { countOf, type HostArray } from "@millrace/core/graph";
import { dtypeNames } from "../dtypes.js";
import { invalid } from "../status.js";

/** What a signature takes and gives, and whether requests for it can be put together. */
export interface SignaturePlan {
  readonly name: string;
  readonly inputs: readonly NamedAval[];
  readonly outputs: readonly NamedAval[];
  /**
   * Whether requests may be joined along dimension 0: that of every input and output is one symbol, which nothing else
   * depends on.
   */
  readonly isBatched: boolean;
  /** The shape of one row of each input, where all sizes after the first are known. */
  readonly rowShapes: readonly (readonly number[])[] | undefined;
  /** The float32 elements of one row, where there is nothing else in it; else 0. */
  readonly rowFloats: number;
}

export function planSignature(name: string, { inputs, outputs }: Signature): SignaturePlan {
  const all = [...inputs, ...outputs];
  const batch = inputs[0]?.shape[0];
  const inner = all.flatMap((x) => x.shape.slice(1));
  const isBatched =
    typeof batch === "string" &&
    all.every((x) => x.shape[0] === batch) &&
    !inner.some((size) => typeof size === "string" && mentions(size, batch));
  const shapes = inputs.map((x) => x.shape.slice(1).filter((size) => typeof size === "number"));
  const isFixed = isBatched && shapes.every((shape, i) => shape.length === inputs[i]!.shape.length - 1);
  const rowShapes = isFixed ? shapes : undefined;
  const isFloat = isFixed && inputs.every((x) => x.dtype === "float32");
  const rowFloats = isFloat ? shapes.reduce((n, shape) => n + countOf(shape), 0) : 0;
  return { name, inputs, outputs, isBatched, rowShapes, rowFloats };
}

/** Whether an expression of sizes has this symbol in it. */
function mentions(expression: string, symbol: string): boolean {
  const names: readonly string[] = expression.match(/[\p{L}_][\p{L}\p{N}_]*/gu) ?? [];
  return names.includes(symbol);
}

/**
 * Checks the tensors of a request against the signature and gives them in its order.
 * @throws StatusError INVALID_ARGUMENT where an input's dtype, rank or a known size is another
 */
export function checkInputs(plan: SignaturePlan, inputs: Readonly<Record<string, HostArray>>): HostArray[] {
  return plan.inputs.map(({ name, dtype, shape }) => {
    const x = inputs[name]!;
    if (x.dtype !== dtype) {
      throw invalid(
        `input "${name}" of signature "${plan.name}": expected ${dtypeNames[dtype].said}, got ${dtypeNames[x.dtype].said}`,
      );
    }
    const fits = x.shape.length === shape.length && shape.every((d, i) => typeof d !== "number" || d === x.shape[i]);
    if (fits) return x;
    throw invalid(
      `input "${name}" of signature "${plan.name}": expected shape [${shape.join(",")}], got [${x.shape.join(",")}]`,
    );
  });
}

/** The rows that the inputs share. */
export function rowsOf(plan: SignaturePlan, inputs: readonly HostArray[]): number {
  const rows = inputs[0]!.shape[0]!;
  inputs.forEach((x, i) => {
    if (x.shape[0] === rows) return;
    const [a, b] = [plan.inputs[0]!.name, plan.inputs[i]!.name];
    throw invalid(`inputs of a batch share dimension 0: "${a}" has ${rows} rows, "${b}" has ${x.shape[0]}`);
  });
  return rows;
}
