// What a strict program sees of @millrace/core and @millrace/autodiff: sizes and dtypes in types, wrong calls refused.

import { GradientTape, grad, variableGrads } from "@millrace/autodiff";
import * as core from "@millrace/core";

core.registerReferenceBackend();

const x: core.Tensor<[2, 3], "float32"> = core.tensor([
  [1, 2, 3],
  [4, 5, 6],
]);
const w = core.variable(core.zeros([3, 4]), { name: "w" });
const y: core.Tensor<[2, 4], "float32"> = core.matMul(x, w);
const chained: core.Tensor<[2, 4], "float32"> = x.matMul(w).add(1).relu();
// @ts-expect-error matMul: inner sizes 3 and 2 differ
core.matMul(x, x);

const { value, grads } = variableGrads(() => core.mean(core.square(core.matMul(x, w))), [w]);
const g: core.Tensor | undefined = grads.w;
const slope: core.Tensor = grad((z) => core.square(z))(core.tensor([1, 2]));
const tape = new GradientTape();
const step = core.fn((input: core.Tensor) => core.sum(input));

async function read(): Promise<number> {
  const data: Float32Array = await y.data();
  const rows: number[][] = await chained.array();
  return data.length + rows.length + (await value.item());
}

try {
  await read();
} catch (error) {
  if (core.isMillraceError(error, "E_SHAPE")) console.error(error.shapes);
}
x[Symbol.dispose]();

export { g, slope, step, tape };
