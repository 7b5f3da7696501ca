import type { NamedAval, Signature } from "@millrace/core";

/** "serving_default: input float32[batch,784] → output float32[batch,10]". */
export function signatureText(name: string, { inputs, outputs }: Signature): string {
  return `${name}: ${inputs.map(tensorText).join(", ")} → ${outputs.map(tensorText).join(", ")}`;
}

const tensorText = ({ name, dtype, shape }: NamedAval): string => `${name} ${dtype}[${shape.join(",")}]`;
