// What memory an optimizer's step touches, read off its program.
import * as tf from "@millrace/autodiff";
import {
  optimize,
  schedule,
  symbolsOfGraph,
  type Template,
  type TensorImpl,
  traceFunction,
} from "@millrace/core/graph";
import { optimizers } from "../src/index.js";

type Optimizer = ReturnType<typeof optimizers.adam | typeof optimizers.sgd | typeof optimizers.rmsprop>;

tf.registerReferenceBackend();

/** Two matrices of one shape and two vectors, too large for their loops to be joined for their size alone. */
const shapes = [[80, 64], [80, 64], [5000], [5000], [3]];

interface Traffic {
  readonly reads: { readonly gradients: number[]; readonly others: number[] };
  readonly writes: number[];
  /** Buffers that are neither parameter nor result. */
  readonly kept: number;
}

/** Of each buffer of more than one element, how often the step reads it, and how often it writes it. */
function traffic(optimizer: Optimizer): Traffic {
  const variables = shapes.map((shape) => tf.variable(tf.ones(shape)));
  optimizer.build(variables);
  const grads = shapes.map((shape) => tf.ones(shape));
  const step = (...gs: tf.Tensor[]): void => optimizer.applyGradients(gs.map((g, i) => [g, variables[i]!] as const));
  // boundary: tensors are the engine's
  const leaves = grads as unknown as TensorImpl[];
  const template: Template = { kind: "list", items: leaves.map((_, index) => ({ kind: "leaf", index })) };
  const traced = traceFunction(
    step,
    undefined,
    template,
    leaves.map((x) => x.aval),
  );
  const lowered = optimize(traced.graph, () => false);
  const { root } = schedule(lowered, [...symbolsOfGraph(lowered)], { fusion: true });
  const isLarge = (slot: number): boolean => root.slots[slot]!.dims.length > 0;
  const loads = root.records.flatMap((r) => (r.kind === "loop" ? r.loads : [])).map((l) => l.slot);
  const stores = root.records.flatMap((r) => (r.kind === "loop" ? r.stores : [])).map((s) => s.slot);
  expect(root.records.every((r) => r.kind === "loop" || r.kind === "alias")).toBe(true);
  const readsOf = (slot: number): number => loads.filter((s) => s === slot).length;
  const params = Array.from({ length: root.params }, (_, i) => i).filter(isLarge);
  return {
    reads: {
      gradients: params.filter((i) => i < grads.length).map(readsOf),
      others: params.filter((i) => i >= grads.length).map(readsOf),
    },
    kept: stores.filter((s) => isLarge(s) && !root.results.includes(s)).length,
    writes: root.results.filter(isLarge).map((s) => stores.filter((t) => t === s).length),
  };
}

const once = (xs: number[]): number[] => xs.map(() => 1);

describe("each parameter, gradient and slot is read once and written once by", () => {
  const made: Record<string, () => Optimizer> = {
    SGD: () => optimizers.sgd(),
    "SGD with momentum": () => optimizers.sgd({ momentum: 0.9 }),
    "SGD with Nesterov's momentum and weight decay": () =>
      optimizers.sgd({ momentum: 0.9, nesterov: true, weightDecay: 0.1 }),
    RMSprop: () => optimizers.rmsprop({ momentum: 0.9, centered: true }),
    Adam: () => optimizers.adam(),
    "Adam with bounds on the elements": () => optimizers.adam({ clipvalue: 1, amsgrad: true }),
    AdamW: () => optimizers.adamW({ weightDecay: 0.01 }),
  };
  test.each(Object.keys(made))("%s", (name) => {
    const { reads, kept, writes } = traffic(made[name]!());
    expect(reads.gradients).toEqual([1, 1, 1, 1, 1]);
    expect(reads.others).toEqual(once(reads.others));
    expect(writes).toEqual(once(writes));
    expect(writes.length).toBe(reads.others.length);
    expect(kept).toBe(0);
  });
});

test.each(["clipnorm", "globalClipnorm"])("with %s gradients are read a second time, for their norm", (bound) => {
  for (const optimizer of [
    optimizers.adam({ [bound]: 1 }),
    optimizers.adamW({ [bound]: 1 }),
    optimizers.sgd({ [bound]: 1, momentum: 0.9, weightDecay: 0.1 }),
  ]) {
    const { reads, kept, writes } = traffic(optimizer);
    expect(reads.gradients).toEqual([2, 2, 2, 2, 2]);
    expect(reads.others).toEqual(once(reads.others));
    expect(writes).toEqual(once(writes));
    expect(kept).toBe(0);
  }
});
