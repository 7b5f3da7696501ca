// What Keras 3 knows of each class that is also here: where it lives, and options of Keras's that are not here.
import type { Json } from "./checks.js";

/** Kinds of objects in configurations. */
export type Family = "layer" | "initializer" | "regularizer" | "loss" | "metric" | "optimizer";

/** Where Keras exports each family. */
export const modules: Readonly<Record<Family, string>> = {
  layer: "keras.layers",
  initializer: "keras.initializers",
  regularizer: "keras.regularizers",
  loss: "keras.losses",
  metric: "keras.metrics",
  optimizer: "keras.optimizers",
};

/** A class as Keras has it. */
export interface KerasClass {
  /** Options that are not here: what is written, and the only values that are read. */
  readonly fixed?: Json;
  /** Options that change nothing here: what is written; any value is read. */
  readonly ignored?: Json;
  /** Own options by the names that Keras gives them, where that is not the own one in snake case. */
  readonly renamed?: Readonly<Record<string, string>>;
  /** Own options that Keras writes as a list also where they are one number. */
  readonly listed?: readonly string[];
  /** Own options that stand for another where they are null, which Keras writes out. */
  readonly sameAs?: Readonly<Record<string, string>>;
  /** Whether Keras writes down what shape the layer was built for. */
  readonly builds?: boolean;
}

/** What every layer may have in a file. */
const anyLayer: KerasClass = { fixed: { activity_regularizer: null, quantization_config: null, lora_rank: null } };

const constraints = (...weights: readonly string[]): Json =>
  Object.fromEntries(weights.map((weight) => [`${weight}_constraint`, null]));

const merge: KerasClass = { builds: true };
const plain: KerasClass = {};
const pool: KerasClass = { sameAs: { strides: "poolSize" } };
const globalPool: KerasClass = { renamed: { keepDims: "keepdims" } };

const cell: KerasClass = {
  builds: true,
  fixed: { ...constraints("kernel", "recurrent", "bias"), dropout: 0, recurrent_dropout: 0 },
  ignored: { seed: null },
};
const recurrent: KerasClass = {
  builds: true,
  fixed: { ...cell.fixed, activity_regularizer: null },
  ignored: cell.ignored!,
};

const layers: Readonly<Record<string, KerasClass>> = {
  Activation: plain,
  Add: merge,
  Average: merge,
  AveragePooling2D: pool,
  BatchNormalization: {
    builds: true,
    fixed: { ...constraints("beta", "gamma"), synchronized: false, renorm: false, renorm_clipping: null },
    ignored: { renorm_momentum: 0.99 },
  },
  Bidirectional: merge,
  Concatenate: merge,
  Conv2D: { builds: true, fixed: { groups: 1, activity_regularizer: null, ...constraints("kernel", "bias") } },
  Dense: { builds: true, fixed: { ...constraints("kernel", "bias"), quantization_config: null } },
  Dropout: { ignored: { seed: null } },
  ELU: plain,
  Embedding: {
    builds: true,
    fixed: {
      activity_regularizer: null,
      ...constraints("embeddings"),
      quantization_config: null,
    },
  },
  Flatten: { builds: true, fixed: { data_format: "channels_last" } },
  GlobalAveragePooling2D: globalPool,
  GlobalMaxPooling2D: globalPool,
  GRU: recurrent,
  GRUCell: cell,
  LSTM: recurrent,
  LSTMCell: cell,
  LayerNormalization: {
    builds: true,
    fixed: { rms_scaling: false, ...constraints("beta", "gamma") },
    listed: ["axis"],
  },
  LeakyReLU: plain,
  Masking: plain,
  MaxPooling2D: pool,
  Maximum: merge,
  Minimum: merge,
  Multiply: merge,
  RNN: merge,
  ReLU: plain,
  Reshape: plain,
  SimpleRNN: { builds: true, fixed: recurrent.fixed! },
  SimpleRNNCell: cell,
  Softmax: plain,
  StackedRNNCells: merge,
  Subtract: merge,
  TimeDistributed: merge,
};

const scaling: KerasClass = { fixed: { input_axes: null, output_axes: null } };
const initializers: Readonly<Record<string, KerasClass>> = {
  Constant: plain,
  GlorotNormal: scaling,
  GlorotUniform: scaling,
  HeNormal: scaling,
  HeUniform: scaling,
  Identity: plain,
  LecunNormal: scaling,
  LecunUniform: scaling,
  Ones: plain,
  Orthogonal: plain,
  RandomNormal: plain,
  RandomUniform: plain,
  TruncatedNormal: plain,
  VarianceScaling: scaling,
  Zeros: plain,
};

const regularizers: Readonly<Record<string, KerasClass>> = { L1: plain, L2: plain, L1L2: plain };

const losses: Readonly<Record<string, KerasClass>> = {
  BinaryCrossentropy: plain,
  CategoricalCrossentropy: plain,
  Hinge: plain,
  Huber: plain,
  MeanAbsoluteError: plain,
  MeanAbsolutePercentageError: plain,
  MeanSquaredError: plain,
  SparseCategoricalCrossentropy: { fixed: { axis: -1, ignore_class: null } },
};

const metric: KerasClass = { ignored: { dtype: "float32" } };
const metrics: Readonly<Record<string, KerasClass>> = {
  Accuracy: metric,
  BinaryAccuracy: metric,
  BinaryCrossentropy: metric,
  CategoricalAccuracy: metric,
  CategoricalCrossentropy: { ...metric, fixed: { axis: -1 } },
  Mean: metric,
  MeanAbsoluteError: metric,
  MeanSquaredError: metric,
  SparseCategoricalAccuracy: metric,
  SparseCategoricalCrossentropy: { ...metric, fixed: { axis: -1, ignore_class: null } },
};

const optimizer: KerasClass = {
  fixed: {
    use_ema: false,
    ema_overwrite_frequency: null,
    loss_scale_factor: null,
    gradient_accumulation_steps: null,
  },
  ignored: { ema_momentum: 0.99 },
  renamed: { beta1: "beta_1", beta2: "beta_2" },
};
const optimizers: Readonly<Record<string, KerasClass>> = {
  Adam: optimizer,
  AdamW: optimizer,
  RMSprop: optimizer,
  SGD: optimizer,
};

/** The classes of each family by Keras's names. */
export const classes: Readonly<Record<Family, Readonly<Record<string, KerasClass>>>> = {
  layer: layers,
  initializer: initializers,
  regularizer: regularizers,
  loss: losses,
  metric: metrics,
  optimizer: optimizers,
};

/** What is known of a class; undefined where Millrace has it not. */
export function kerasClass(family: Family, className: string): KerasClass | undefined {
  const known = classes[family];
  return Object.hasOwn(known, className) ? known[className] : undefined;
}

/** Options that a file may hold beside those of the class, and the only values of them that are read. */
export function readOnly(family: Family): Json {
  return family === "layer" ? anyLayer.fixed! : {};
}

/** Options that a file may hold beside those of the class, and that change nothing. */
export function skipped(family: Family): readonly string[] {
  // Releases of Keras before 3.15 wrote the dtype of losses.
  return family === "loss" ? ["dtype"] : [];
}
