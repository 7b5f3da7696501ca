// The values of options, as they are here and as Keras writes them. What kind of value an option has is told by its name.
import { MillraceError } from "@millrace/autodiff";
import { type Activation, type ActivationIdentifier, getActivation } from "../activations/activations.js";
import type { Initializer, InitializerIdentifier } from "../initializers/initializer.js";
import { getInitializer } from "../initializers/registry.js";
import { getRegularizer, type Regularizer, type RegularizerIdentifier } from "../regularizers/regularizers.js";
import { isSerialized, type Serialized } from "../util/identifiers.js";
import { camelCase, snakeCase } from "../util/names.js";
import { serialize } from "../util/serialize.js";
import { badFile, isJson, show } from "./checks.js";
import { type Family, kerasClass } from "./classes.js";

/** How objects inside of configurations are written and read. */
export interface Objects {
  write(family: Family, described: Serialized): unknown;
  read(family: Family, value: unknown): object;
  readFunction(value: unknown): unknown;
}

interface Kind {
  write(value: unknown, objects: Objects): unknown;
  /** Throws E_FORMAT where a file holds no such value. */
  read(value: unknown, objects: Objects): unknown;
}

/** A kind of value that is the same here and in files. */
const same = (what: string, accepts: (value: unknown) => boolean): Kind => ({
  write: (value) => value,
  read(value) {
    if (accepts(value)) return value;
    throw badFile(`${show(value)} is no ${what}`);
  },
});
const isNumber = (value: unknown): value is number => typeof value === "number";
const isWhole = (value: unknown): boolean => Number.isSafeInteger(value);
const orNull = (accepts: (value: unknown) => boolean) => (value: unknown) => value === null || accepts(value);

/** A number that Python must read as a float, also where it is whole: some of Keras's classes refuse 0 for 0.0. */
export class Float {
  readonly value: number;
  constructor(value: number) {
    this.value = value;
  }
}
const floatOf = (value: unknown): unknown => (isNumber(value) ? new Float(value) : value);

const whole = same("whole number", isWhole);
const number: Kind = { ...same("number", isNumber), write: floatOf };
const numberOrNull: Kind = { ...same("number", orNull(isNumber)), write: floatOf };
const flag = same("true or false", (value) => typeof value === "boolean");
const shape = same(
  "shape",
  orNull((value) => Array.isArray(value) && value.every(orNull(isWhole))),
);
const axes = same("axis", (value) => isWhole(value) || (Array.isArray(value) && value.every(isWhole)));
const text = same(
  "name",
  orNull((value) => typeof value === "string"),
);

/** A whole number, or null; generators of seeds, which files may also hold, become null. */
const seed: Kind = { write: (value) => value, read: (value) => (isWhole(value) ? value : null) };

/** One of a few words: "channelsLast", "channels_last" in files. */
const oneOf = (...words: readonly string[]): Kind => ({
  write: (value) => snakeCase(String(value)),
  read(value) {
    const word = typeof value === "string" ? camelCase(value) : "";
    if (words.includes(word)) return word;
    if (word === "" || word.length > 100) throw badFile(`${show(value)} is none of ${words.map(snakeCase).join(", ")}`);
    throw new MillraceError("E_UNIMPLEMENTED", `${show(value)} is not built; ${words.map(snakeCase).join(", ")} are`);
  },
});

/** Height and width, or one number for both, which files hold twice. */
const pair: Kind = {
  write: (value) => (isNumber(value) ? [value, value] : value),
  read(value) {
    if (value === null || isWhole(value)) return value;
    if (Array.isArray(value) && value.length === 2 && value.every(isWhole)) return value;
    throw badFile(`${show(value)} is no pair of whole numbers`);
  },
};

/** An object as it describes itself; one of a class of the caller's was described when the layer was. */
function described(family: Family, value: unknown, get: () => { getConfig(): Record<string, unknown> }): Serialized {
  return isSerialized(value) && !kerasClass(family, value.className) ? value : serialize(get());
}

const initializer: Kind = {
  // boundary: options of this name hold identifiers of initializers
  write: (value, objects) =>
    objects.write(
      "initializer",
      described("initializer", value, () => getInitializer(value as InitializerIdentifier)),
    ),
  read: (value, objects) => objects.read("initializer", value) as Initializer,
};

const regularizer: Kind = {
  write(value, objects) {
    if (value === null) return null;
    // boundary: as for initializers
    const get = (): Regularizer => getRegularizer(value as RegularizerIdentifier)!;
    return objects.write("regularizer", described("regularizer", value, get));
  },
  read: (value, objects) => (value === null ? null : objects.read("regularizer", value)),
};

const activation: Kind = {
  write(value) {
    // boundary: as for initializers
    const made = getActivation(value as ActivationIdentifier | null);
    return made.activationName ?? writeFunction("the activation", made);
  },
  read(value, objects) {
    if (value === null) return null;
    // boundary: a function of the caller's is taken for an activation where a file names one
    return objects.readFunction(value) as string | Activation;
  },
};

/** A layer in another one. */
const innerLayer: Kind = {
  // boundary: options of this name hold what a layer says of itself
  write: (value, objects) => (value === null ? null : objects.write("layer", value as Serialized)),
  read: (value, objects) => (value === null ? null : objects.read("layer", value)),
};
const innerLayers: Kind = {
  // boundary: a list of such
  write: (value, objects) => (value as readonly unknown[]).map((one) => innerLayer.write(one, objects)),
  read(value, objects) {
    if (Array.isArray(value)) return value.map((one) => innerLayer.read(one, objects));
    throw badFile(`${show(value)} is no list of layers`);
  },
};
const mergeModes: readonly unknown[] = ["concat", "sum", "ave", "mul", null];

const kinds: Readonly<Record<string, Kind>> = {
  ...kindOf(whole, "units", "filters", "inputDim", "outputDim"),
  ...kindOf(number, "epsilon", "momentum", "rate", "alpha", "negativeSlope", "threshold", "value", "gain", "mean"),
  ...kindOf(number, "stddev", "minval", "maxval", "learningRate", "beta1", "beta2", "rho", "l1", "l2", "delta"),
  ...kindOf(number, "labelSmoothing", "maskValue"),
  ...kindOf(numberOrNull, "maxValue", "weightDecay", "clipnorm", "clipvalue", "globalClipnorm"),
  ...kindOf(flag, "useBias", "unitForgetBias", "returnSequences", "goBackwards", "center", "keepDims", "amsgrad"),
  ...kindOf(flag, "nesterov", "centered", "fromLogits", "returnState", "stateful", "unroll", "resetAfter", "maskZero"),
  ...kindOf(flag, "zeroOutputForMask"),
  ...kindOf(innerLayer, "layer", "cell", "backwardLayer"),
  cells: innerLayers,
  ...kindOf(pair, "kernelSize", "strides", "dilationRate", "poolSize"),
  ...kindOf(shape, "targetShape", "noiseShape"),
  padding: oneOf("valid", "same"),
  dataFormat: oneOf("channelsLast", "channelsFirst"),
  mode: oneOf("fanIn", "fanOut", "fanAvg"),
  distribution: oneOf("truncatedNormal", "untruncatedNormal", "uniform"),
  reduction: oneOf("sumOverBatchSize", "sum", "none"),
  mergeMode: same("way to merge", (value) => mergeModes.includes(value)),
  axis: axes,
  name: text,
  seed,
  // Whether there is a factor, and of VarianceScaling which.
  scale: {
    ...same("number or true or false", (value) => isNumber(value) || typeof value === "boolean"),
    write: floatOf,
  },
};

function kindOf(kind: Kind, ...names: readonly string[]): Record<string, Kind> {
  return Object.fromEntries(names.map((name) => [name, kind]));
}

/** The kind of an option's value; undefined for an option that no class here has. */
export function optionKind(name: string): Kind | undefined {
  if (/initializer$/i.test(name)) return initializer;
  if (/regularizer$/i.test(name)) return regularizer;
  if (/activation$/i.test(name)) return activation;
  return Object.hasOwn(kinds, name) ? kinds[name] : undefined;
}

/** A function in a file: its name. Throws E_ARGUMENT where it has none. */
export function writeFunction(what: string, f: object): Record<string, unknown> {
  const name = "name" in f ? f.name : undefined;
  if (typeof name === "string" && name !== "") {
    return { module: "builtins", class_name: "function", config: name, registered_name: name };
  }
  const advice = "give it one, and name it in customObjects when loading";
  throw new MillraceError("E_ARGUMENT", `save: ${what} is a function without a name: ${advice}`);
}

/** A whole number or null in each place; a list of such for several tensors. Throws E_FORMAT. */
export function readShapes(value: unknown): readonly (number | null)[] | readonly (readonly (number | null)[])[] {
  const isSize = orNull((size) => isWhole(size) && (size as number) >= 0);
  if (Array.isArray(value) && value.length > 0 && value.every(Array.isArray)) {
    if (value.every((one: readonly unknown[]) => one.every(isSize))) return value;
  } else if (Array.isArray(value) && value.every(isSize)) return value;
  throw badFile(`${show(value)} is no shape`);
}

/** Whether a value is an object of Keras's in a file. */
export function isKerasObject(
  value: unknown,
): value is { readonly class_name: string; readonly config: unknown; readonly [key: string]: unknown } {
  return isJson(value) && typeof value.class_name === "string" && "config" in value;
}
