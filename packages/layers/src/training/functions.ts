// The programs of a model: one for a training step, one for a test step, one for predictions.
import * as tf from "@millrace/autodiff";
import { GradientTape, type Tensor, type Variable } from "@millrace/autodiff";
import { isList, type Tensors } from "../topology/layer.js";
import { collectLosses } from "../topology/losses.js";
import { structure } from "../topology/phase.js";
import { type BatchShape, type BatchShapes, isShapeList, shapeOf } from "../util/shapes.js";
import type { Step } from "./batch.js";
import type { Compiled } from "./compiled.js";
import type { Model } from "./model.js";

type StepFunction = (xs: readonly Tensor[], ys: readonly Tensor[], weights: readonly Tensor[], size: Tensor) => void;

interface TrainStep {
  readonly compiled: Compiled;
  /** The version of the structure that `variables` were found in. */
  readonly version: number;
  readonly variables: readonly Variable[];
  readonly run: StepFunction;
}

/** Batch sizes whose scalars are kept: usually that of whole batches and that of the last. */
const keptSizes = 16;

/** Traced functions of one model. They are made anew when its layers or what is trainable change. */
export class ModelFunctions {
  private readonly model: Model;
  private trainStep: TrainStep | null = null;
  private testStep: { readonly compiled: Compiled; readonly run: StepFunction } | null = null;
  private predictor: ((x: Tensors) => Tensors) | null = null;
  /** Batch sizes as scalars on the device. */
  private readonly sizes = new Map<number, Tensor>();

  constructor(model: Model) {
    this.model = model;
  }

  /** Forgets the traces: layers were added or removed. */
  forget(): void {
    this.trainStep = null;
    this.testStep = null;
    this.predictor = null;
  }

  dispose(): void {
    this.forget();
    tf.dispose([...this.sizes.values()]);
    this.sizes.clear();
  }

  /** Forward, loss, gradients, update and metric sums, as one program. */
  train(compiled: Compiled, step: Step): void {
    if (this.trainStep?.compiled !== compiled || this.trainStep.version !== structure.version) {
      this.trainStep = this.makeTrainStep(compiled, step);
    }
    this.trainStep.run(step.xs, step.ys, step.weights, this.sizeOf(step));
  }

  private makeTrainStep(compiled: Compiled, step: Step): TrainStep {
    this.prepare(compiled, step);
    const variables = this.model.trainableWeights;
    const { version } = structure;
    const known = this.trainStep;
    const isSame =
      known?.compiled === compiled &&
      known.variables.length === variables.length &&
      known.variables.every((v, i) => v === variables[i]);
    // Another model changed: the trace still holds.
    if (isSame) return { ...known, version };
    compiled.optimizer.build(variables);
    const run = tf.fn(this.trainingStep(compiled, variables), { name: "trainStep" });
    return { compiled, version, variables, run };
  }

  /** Forward, loss and metric sums, as one program. */
  test(compiled: Compiled, step: Step): void {
    if (this.testStep?.compiled !== compiled) {
      this.prepare(compiled, step);
      this.testStep = { compiled, run: tf.fn(this.testingStep(compiled), { name: "testStep" }) };
    }
    this.testStep.run(step.xs, step.ys, step.weights, this.sizeOf(step));
  }

  /** Builds model and metrics for batches like this one: a traced function can make no variables. */
  prepare(compiled: Compiled, step: Step): void {
    const inputs = step.xs.map(anyBatch);
    const shapes: BatchShapes = inputs.length === 1 ? inputs[0]! : inputs;
    const { model } = this;
    model.buildFor(shapes);
    // A model of one's own makes its layers' weights when it is called.
    if (model.allLayers().some((layer) => !layer.built)) {
      tf.tidy(() => void model.applyTensors(inputOf(step.xs), { training: false }));
    }
    const outputs = model.computeOutputShape(shapes);
    compiled.build(step.ys.map(shapeOf), isShapeList(outputs) ? outputs : [outputs]);
  }

  /** The outputs, as one program. */
  predict(x: Tensors): Tensors {
    this.predictor ??= tf.fn((inputs: Tensors) => this.model.applyTensors(inputs, { training: false }), {
      name: "predict",
    });
    return this.predictor(x);
  }

  private trainingStep(compiled: Compiled, variables: readonly Variable[]): StepFunction {
    return (xs, ys, weights, size) => {
      const tape = new GradientTape({ watchAccessedVariables: false });
      tape.watch(variables);
      let outputs: readonly Tensor[] = [];
      const loss = tape.run(() => {
        const { value, losses } = collectLosses(() => this.model.applyTensors(inputOf(xs), { training: true }));
        outputs = isList(value) ? value : [value];
        return compiled.loss(ys, outputs, weights, [...losses, ...this.model.regularizationLosses()]);
      });
      const grads: readonly (Tensor | null)[] = tape.gradient(loss.total, variables);
      compiled.optimizer.applyGradients(variables.map((variable, i) => [grads[i] ?? null, variable] as const));
      compiled.update(ys, outputs, weights, loss, size);
    };
  }

  private testingStep(compiled: Compiled): StepFunction {
    return (xs, ys, weights, size) => {
      const { value, losses } = collectLosses(() => this.model.applyTensors(inputOf(xs), { training: false }));
      const outputs = isList(value) ? value : [value];
      const loss = compiled.loss(ys, outputs, weights, [...losses, ...this.model.regularizationLosses()]);
      compiled.update(ys, outputs, weights, loss, size);
    };
  }

  private sizeOf(step: Step): Tensor {
    const known = this.sizes.get(step.size);
    if (known) return known;
    if (this.sizes.size >= keptSizes) {
      tf.dispose([...this.sizes.values()]);
      this.sizes.clear();
    }
    const made: Tensor = tf.scalar(step.size, "float32");
    this.sizes.set(step.size, made);
    return made;
  }
}

/** What a model is applied to: its one input, or the list. */
export function inputOf(xs: readonly Tensor[]): Tensors {
  return xs.length === 1 ? xs[0]! : xs;
}

function anyBatch(x: Tensor): BatchShape {
  return [null, ...shapeOf(x).slice(1)];
}
