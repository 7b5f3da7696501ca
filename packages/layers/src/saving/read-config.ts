// A model from its configuration as Keras 3 writes it. Nothing in it is run: classes are those of Millrace, or the caller's.
import { isMillraceError, MillraceError } from "@millrace/autodiff";
import { getActivation } from "../activations/activations.js";
import { getInitializer } from "../initializers/registry.js";
import { InputLayer } from "../layers/core/input-layer.js";
import { get as getLoss, Loss } from "../losses/index.js";
import { get as getMetric, Metric } from "../metrics/index.js";
import { get as getOptimizer } from "../optimizers/index.js";
import { getRegularizer } from "../regularizers/regularizers.js";
import { Functional } from "../topology/functional.js";
import { drawGraph, type GraphLayer, isReference, type TensorReference } from "../topology/graph.js";
import { Layer } from "../topology/layer.js";
import { builtInLayer, registeredLayer } from "../topology/registry.js";
import { Sequential } from "../topology/sequential.js";
import type { CompileOptions } from "../training/compiled.js";
import { Model } from "../training/model.js";
import type { Serialized } from "../util/identifiers.js";
import { camelCase } from "../util/names.js";
import type { BatchShape } from "../util/shapes.js";
import { badCustomObject, badFile, believing, isJson, type Json, type Limits, sameJson, show } from "./checks.js";
import { type Family, kerasClass, readOnly, skipped } from "./classes.js";
import { isKerasObject, type Objects, optionKind, readShapes } from "./options.js";
import { forOutputs, readDType, readInput, readNode, readReferences } from "./read-parts.js";

/** What a file may name beside the classes of Millrace. */
export interface ReadOptions {
  readonly customObjects: Readonly<Record<string, unknown>>;
  readonly safeMode: boolean;
  readonly limits: Limits;
}

type KerasObject = { readonly class_name: string; readonly config: unknown; readonly [key: string]: unknown };

/** Reads one file's configuration. */
export class ConfigReader implements Objects {
  private readonly options: ReadOptions;
  /** Applications of layers so far, those inside of layers counted each time. */
  private applications = 0;
  private readonly costs = new Map<Layer, number>();
  private readonly made: Layer[] = [];
  /** Layers that stand in several models, by the numbers that the file gives them. */
  private readonly shared = new Map<unknown, Layer>();

  constructor(options: ReadOptions) {
    this.options = options;
  }

  write(): never {
    throw new MillraceError("E_INTERNAL", "a configuration is being read, not written");
  }

  /** Gives back what was made, where the file turns out to be no good. */
  dispose(): void {
    for (const layer of this.made) layer.dispose();
  }

  /** The model of a file, not compiled. Throws E_FORMAT, E_UNIMPLEMENTED, or E_VERSION for a class that is not given. */
  readModel(value: unknown): Model {
    const layer = this.readLayer(value);
    if (layer instanceof Model) return layer;
    throw badFile(`the file holds a layer ${show(layer.className)}, no model`);
  }

  private readLayer(value: unknown): Layer {
    if (!isKerasObject(value)) throw badFile(`${show(value)} describes no layer`);
    const { config } = value;
    if (!isJson(config)) throw badFile(`${show(value.class_name)} has no configuration but ${show(config)}`);
    const name = typeof config.name === "string" ? config.name : "?";
    return believing(`the layer ${show(name)} (${value.class_name})`, () => {
      this.spend(1);
      const id = value.shared_object_id;
      const known = this.shared.get(id);
      if (known) return known;
      const layer = this.makeLayer(value, config);
      this.made.push(layer);
      if (id !== undefined) this.shared.set(id, layer);
      const build = isJson(value.build_config) ? value.build_config.input_shape : undefined;
      const isBuilder = layer instanceof InputLayer || layer instanceof Functional || layer instanceof Sequential;
      if (build !== undefined && build !== null && !isBuilder) layer.buildFor(readShapes(build));
      return layer;
    });
  }

  private makeLayer(value: KerasObject, config: Json): Layer {
    const { class_name: className } = value;
    const own = this.custom(value);
    if (own !== undefined) return customLayer(className, own, this.baseOptions(config, true));
    const registered = registeredLayer(registeredName(value));
    const isKeras = isFromKeras(value);
    if (isKeras && className === "Functional") return this.readFunctional(config);
    if (isKeras && className === "Sequential") return this.readSequential(config);
    if (registered) return customLayer(className, registered, this.baseOptions(config, true));
    if (className === "InputLayer" && isKeras) return readInput(config);
    const known = kerasClass("layer", className);
    if (!isKeras || !known) throw this.unknown("layer", value);
    return builtInLayer(className)!.fromConfig(this.layerOptions(className, config));
  }

  private layerOptions(className: string, config: Json): Json {
    const own = this.readOptions("layer", className, config, ["name", "trainable", "dtype"]);
    return { ...own, ...this.baseOptions(config, false) };
  }

  /** A layer in another one: that makes it of the description where the class is Millrace's. */
  private readInner(value: unknown): object {
    if (!isKerasObject(value) || !isJson(value.config) || this.custom(value) !== undefined)
      return this.readLayer(value);
    const { class_name: className, config } = value;
    if (!isFromKeras(value) || !kerasClass("layer", className)) return this.readLayer(value);
    this.spend(1);
    return { className, config: this.layerOptions(className, config) };
  }

  /** The options of every layer: checked, and in the names that they have here. Others are left out or kept. */
  private baseOptions({ name, trainable, dtype, ...rest }: Json, keepsRest: boolean): Json {
    if (name !== undefined && (typeof name !== "string" || name === "")) throw badFile(`${show(name)} is no name`);
    if (trainable !== undefined && typeof trainable !== "boolean") {
      throw badFile(`trainable is true or false, got ${show(trainable)}`);
    }
    const base = {
      ...(name === undefined ? {} : { name }),
      ...(trainable === undefined ? {} : { trainable }),
      ...(dtype === undefined || dtype === null ? {} : { dtype: readDType(dtype) }),
    };
    return keepsRest ? { ...rest, ...base } : base;
  }

  /** Options of a class of Keras's in their own names and values. Throws E_UNIMPLEMENTED for what is not here. */
  private readOptions(family: Family, className: string, config: Json, without: readonly string[] = []): Json {
    const { fixed = {}, ignored = {}, renamed = {} } = kerasClass(family, className)!;
    const must: Json = { ...readOnly(family), ...fixed };
    const names = new Map(Object.entries(renamed).map(([own, theirs]) => [theirs, own]));
    const own: [string, unknown][] = [];
    for (const [theirs, value] of Object.entries(config)) {
      if (without.includes(theirs) || Object.hasOwn(ignored, theirs) || skipped(family).includes(theirs)) continue;
      if (Object.hasOwn(must, theirs)) {
        if (sameJson(value, must[theirs])) continue;
        const what = `${className} with ${theirs}: ${show(value)} is not built; ${theirs}: ${show(must[theirs])} is`;
        throw new MillraceError("E_UNIMPLEMENTED", what);
      }
      const name = names.get(theirs) ?? camelCase(theirs);
      const kind = optionKind(name);
      if (!kind)
        throw new MillraceError("E_UNIMPLEMENTED", `${className} with the option ${show(theirs)} is not built`);
      own.push([name, believing(theirs, () => kind.read(value, this))]);
    }
    return Object.fromEntries(own);
  }

  private readSequential(config: Json): Sequential {
    const { layers, name, build_input_shape: shape, trainable } = config;
    if (!Array.isArray(layers)) throw badFile("the model has no list of layers");
    const model = new Sequential(this.baseOptions({ ...(name === undefined ? {} : { name }) }, false));
    let cost = 0;
    for (const value of layers) {
      const layer = this.readLayer(value);
      model.add(layer);
      cost += this.costOf(layer);
    }
    this.costs.set(model, cost);
    if (!model.built && shape !== undefined && shape !== null) model.buildFor(readShapes(shape) as BatchShape);
    if (trainable === false) model.trainable = false;
    return model;
  }

  private readFunctional(config: Json): Functional {
    const { layers, name, trainable } = config;
    if (!Array.isArray(layers)) throw badFile("the model has no list of layers");
    const entries = layers.map((value: unknown): GraphLayer<Layer> => {
      const layer = this.readLayer(value);
      const { name: own = layer.name, inbound_nodes: nodes = [] } = value as Json;
      if (typeof own !== "string" || !Array.isArray(nodes)) throw badFile(`${show(own)} has no list of nodes`);
      return { name: own, layer, inboundNodes: nodes.map(readNode) };
    });
    let cost = 0;
    const applied = (layer: Layer): void => {
      const own = this.costOf(layer);
      this.spend(own);
      cost += own;
    };
    const nested = new Set(entries.filter(({ layer }) => layer instanceof Functional).map((entry) => entry.name));
    // Here, and nowhere else, Keras counts the drawing of a functional model as its first application.
    const end = ([own, node, tensor]: TensorReference): TensorReference => [
      own,
      node - (nested.has(own) ? 1 : 0),
      tensor,
    ];
    const [inputLayers, ends] = [readReferences(config.input_layers), readReferences(config.output_layers)];
    const outputLayers = isReference(ends) ? end(ends) : ends.map(end);
    const inputs = isReference(inputLayers) ? [inputLayers] : inputLayers;
    const graph = drawGraph({ layers: entries, inputLayers: inputs, outputLayers }, applied);
    const model = new Functional({ ...graph, ...this.baseOptions({ ...(name === undefined ? {} : { name }) }, false) });
    this.costs.set(model, cost);
    if (trainable === false) model.trainable = false;
    return model;
  }

  /** How many layers one application of a layer applies. */
  private costOf(layer: Layer): number {
    return 1 + (this.costs.get(layer) ?? 0);
  }

  private spend(layers: number): void {
    this.applications += layers;
    const { limits } = this.options;
    if (this.applications > limits.layers) {
      throw badFile(`the model applies over the limit of ${limits.layers} layers; see limits.layers`);
    }
  }

  // --- objects inside of configurations

  read(family: Family, value: unknown): object {
    if (family === "layer") return this.readInner(value);
    if (typeof value === "string") return this.named(family, value);
    if (!isKerasObject(value)) throw badFile(`${show(value)} describes no ${family}`);
    const own = this.custom(value);
    if (own !== undefined) return customObject(family, value.class_name, own, value.config);
    const { class_name: className } = value;
    if (!isFromKeras(value) || !kerasClass(family, className)) throw this.unknown(family, value);
    if (!isJson(value.config)) throw badFile(`the ${family} ${className} has no configuration`);
    const read = { className, config: this.readOptions(family, className, value.config) };
    // What compile makes from a description belongs to the model.
    return family === "initializer" || family === "regularizer" ? makers[family](read) : read;
  }

  /** An object by its name alone. */
  private named(family: Family, name: string): object {
    checkName(name);
    const own = this.given(name);
    if (own !== undefined) return customObject(family, name, own, {});
    return known(`${family} ${show(name)}`, () => makers[family](name));
  }

  readFunction(value: unknown): unknown {
    const name = functionName(value);
    if (name === null) {
      if (isKerasObject(value)) this.refuseCode(value);
      throw new MillraceError("E_UNIMPLEMENTED", `${show(value)} in place of a function is not built`);
    }
    checkName(name);
    const own = this.given(name);
    if (own === undefined) return known(`activation ${show(name)}`, () => getActivation(name));
    if (typeof own === "function") return own;
    throw badCustomObject(`${show(name)} must be a function`);
  }

  /** What compile takes. */
  readCompiled(config: Json, model: Model): CompileOptions {
    const { optimizer, loss = null, loss_weights: lossWeights = null, metrics = null } = config;
    const { weighted_metrics: weighted = null } = config;
    if (weighted !== null && !sameJson(weighted, [])) {
      throw new MillraceError("E_UNIMPLEMENTED", "weighted_metrics are not built; load with compile: false");
    }
    const names = model.outputNames;
    return {
      optimizer: this.read("optimizer", optimizer) as never,
      loss: forOutputs(loss, names, (one) => this.readMeasure("loss", one)) as never,
      lossWeights: forOutputs(
        typeof lossWeights === "number" ? [lossWeights] : lossWeights,
        names,
        (one) => one,
      ) as never,
      metrics: (forOutputs(metrics, names, (one) => this.readMeasure("metric", one)) ?? []) as never,
    };
  }

  /** A loss or metric: a name stays one, since it says how the result is called. */
  private readMeasure(family: "loss" | "metric", value: unknown): unknown {
    const name = functionName(value);
    if (name === null) return this.read(family, value);
    const own = this.given(name);
    if (own !== undefined) return isMeasureClass(own) ? this.named(family, name) : own;
    if (["accuracy", "acc"].includes(name)) return name;
    this.named(family, name);
    return name;
  }

  // --- what is not Millrace's own

  /** What the caller gave for a name. */
  private given(name: string): unknown {
    const { customObjects } = this.options;
    return Object.hasOwn(customObjects, name) ? customObjects[name] : undefined;
  }

  /** What the caller gave for an object of a file. Code in a file is refused, and never run. */
  private custom(value: KerasObject): unknown {
    this.refuseCode(value);
    const registered = typeof value.registered_name === "string" ? this.given(value.registered_name) : undefined;
    return registered ?? this.given(registeredName(value)) ?? this.given(value.class_name);
  }

  private refuseCode({ class_name: className, config }: KerasObject): void {
    if (className !== "__lambda__" && className !== "Lambda") return;
    const { customObjects, safeMode } = this.options;
    if (!safeMode && Object.hasOwn(customObjects, className)) return;
    const name = isJson(config) && typeof config.name === "string" ? ` (${show(config.name)})` : "";
    const what = `the file holds Python code in a ${className}${name}, which is never run`;
    const advice = `to put a class of yours in its place, load with safeMode: false and customObjects: { ${className}: … }`;
    throw new MillraceError("E_UNIMPLEMENTED", `${what}; ${advice}`);
  }

  private unknown(family: Family, value: KerasObject): MillraceError {
    const { class_name: className } = value;
    const name = registeredName(value);
    const advice = `give a class for it: tf.loadModel(source, { customObjects: { ${JSON.stringify(name)}: … } })`;
    if (isFromKeras(value)) {
      return new MillraceError("E_UNIMPLEMENTED", `Keras's ${family} ${show(className)} is not built here; ${advice}`);
    }
    return new MillraceError(
      "E_VERSION",
      `the file needs the ${family} ${show(name)}, a class of its maker's; ${advice}`,
    );
  }
}

/** Names are compared with all that are known: a long one would take its time. */
function checkName(name: string): void {
  if (name.length > 200) throw badFile(`${show(name)} is too long for a name`);
}

/** The object of a family that a name or a description in its own names stands for. */
const makers: Readonly<Record<Family, (it: string | Serialized) => object>> = {
  layer: unexpected,
  initializer: getInitializer,
  regularizer: (it) => getRegularizer(it)!,
  loss: getLoss,
  metric: getMetric,
  optimizer: getOptimizer,
};
function unexpected(): never {
  throw badFile("a layer stands where another object is expected");
}

/** Runs `f`, which knows Millrace's names; another name in a file is of something that is not here. */
function known<T>(what: string, f: () => T): T {
  try {
    return f();
  } catch (error) {
    if (!isMillraceError(error, "E_ARGUMENT")) throw error;
    throw new MillraceError("E_UNIMPLEMENTED", `the ${what} is not built here; give it in customObjects`, {
      cause: error,
    });
  }
}

function isFromKeras({ module }: KerasObject): boolean {
  return typeof module === "string" && (module === "keras" || module.startsWith("keras."));
}

/** The name of a class without the package that Keras registers it in: "Custom>Scale" is "Scale". */
function registeredName({ registered_name: name, class_name: className }: KerasObject): string {
  return typeof name === "string" ? name.slice(name.lastIndexOf(">") + 1) : className;
}

/** The name of a function: alone, or as Keras writes functions; null for anything else. */
function functionName(value: unknown): string | null {
  if (typeof value === "string") return value;
  if (!isKerasObject(value) || value.class_name !== "function") return null;
  if (typeof value.config === "string") return value.config.slice(value.config.lastIndexOf(">") + 1);
  throw badFile("a function has no name");
}

interface Maker {
  fromConfig?(config: Json): object;
}

/** Whether this is a class of losses or metrics, not a function that is one. */
function isMeasureClass(value: unknown): boolean {
  if (typeof value !== "function") return false;
  const { prototype } = value as { readonly prototype?: unknown };
  return prototype instanceof Loss || prototype instanceof Metric;
}

function customLayer(name: string, made: unknown, config: Json): Layer {
  const layer = customObject("layer", name, made, config);
  if (layer instanceof Layer) return layer;
  throw badCustomObject(`what is given for ${show(name)} makes no layer`);
}

function customObject(family: Family, name: string, made: unknown, config: unknown): object {
  if (typeof made === "object" && made !== null && family !== "layer") return made;
  if (typeof made !== "function") {
    throw badCustomObject(`${show(name)} must be a class, or an object for a ${family}`);
  }
  // boundary: a class of the caller's is made from its configuration
  const { fromConfig } = made as Maker;
  if (fromConfig) return fromConfig.call(made, config as Json);
  // boundary: as above
  return new (made as unknown as new (config: unknown) => object)(config);
}
