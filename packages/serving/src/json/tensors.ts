import { type DType, dtypes } from "@millrace/core";
import { allocate, countOf, type HostArray, toElement } from "@millrace/core/graph";
import { dtypeNames } from "../dtypes.js";
import type { SignaturePlan } from "../models/signature.js";
import { invalid, StatusError } from "../status.js";
import { isList, isObject, type Json, type JsonObject, WholeDecimal } from "./parser.js";
import { kindOf, showJson } from "./show.js";

/** How a body gives its tensors, and so how the answer gives them: "instances" by row, "inputs" by column. */
export type Format = "row" | "columns";

/** The tensors of a body, by the names of the signature's inputs. */
export interface Request {
  readonly format: Format;
  readonly inputs: Readonly<Record<string, HostArray>>;
}

/** The body of a predict request, an object. */
export function asBody(document: Json): JsonObject {
  if (!isObject(document)) throw invalid(`JSON Value: ${showJson(document)} Is not object`);
  return document;
}

/** The name of the signature that a body asks for, if it names one. */
export function signatureNameOf(body: JsonObject): string | undefined {
  const name = body.get("signature_name");
  if (name === undefined || typeof name === "string") return name;
  throw invalid(`JSON Value: ${showJson(body)} not formatted correctly. 'signature_name' key must be a string value.`);
}

/**
 * Reads the tensors of a body, whatever their sizes.
 * @throws StatusError INVALID_ARGUMENT, with TensorFlow Serving's texts
 */
export function readTensors(body: JsonObject, plan: SignaturePlan): Request {
  const [instances, inputs] = [body.get("instances"), body.get("inputs")];
  if (instances !== undefined && inputs !== undefined) {
    throw invalid(
      `JSON Value: ${showJson(body)} Not formatted correctly expecting only one of 'inputs' or 'instances' keys to exist `,
    );
  }
  if (instances !== undefined) return { format: "row", inputs: readRows(body, instances, plan) };
  if (inputs !== undefined) return { format: "columns", inputs: readColumns(inputs, plan) };
  throw invalid("Missing 'inputs' or 'instances' key");
}

/** Bytes, not a record of inputs. */
function isBase64(value: Json): boolean {
  return isObject(value) && value.size === 1 && typeof value.get("b64") === "string";
}

function readRows(body: JsonObject, rows: Json, plan: SignaturePlan): Record<string, HostArray> {
  if (!isList(rows)) throw invalid(`JSON Value: ${showJson(body)} Excepting 'instances' to be an list/array`);
  const [first] = rows;
  if (first === undefined) throw invalid(`JSON Value: ${showJson(body)} No values in 'instances' array`);
  const names = plan.inputs.map((x) => x.name);
  if (!isObject(first) && names.length > 1) {
    throw invalid(
      "instances is a plain list, but expecting list of objects as multiple input tensors required as per tensorinfo_map",
    );
  }
  const isRecord = (value: Json): value is JsonObject => isObject(value) && !isBase64(value);
  const columns = new Map(plan.inputs.map(({ name, dtype }) => [name, new Rows(dtype)]));
  const byName = isRecord(first);
  for (const [i, row] of rows.entries()) {
    const failed = (where: string, error: unknown): StatusError =>
      error instanceof StatusError
        ? invalid(
            `Failed to process element: ${i}${where} of 'instances' list. Error: ${error.status}: ${error.message}`,
          )
        : invalid(String(error));
    if (byName !== isRecord(row)) {
      throw invalid(
        byName
          ? `Expecting object but got list at item ${i} of input list`
          : `Expecting value/list but got object at item ${i} of input list`,
      );
    }
    if (!isRecord(row)) {
      attempt(
        () => columns.get(names[0]!)!.add(row),
        (error) => failed("", error),
      );
      continue;
    }
    for (const [key, value] of row) {
      attempt(
        () => {
          const column = columns.get(key);
          if (!column) throw invalid(`JSON object: does not have named input: ${key}`);
          column.add(value);
        },
        (error) => failed(` key: ${key}`, error),
      );
    }
    if (row.size !== names.length) {
      throw invalid(
        `Failed to process element: ${i} of 'instances' list. JSON object: ${showJson(row)} keys must be equal to: ` +
          [...names].sort().join(","),
      );
    }
  }
  return Object.fromEntries([...columns].map(([name, column]) => [name, column.tensor()]));
}

function attempt(f: () => void, explain: (error: unknown) => StatusError): void {
  try {
    f();
  } catch (error) {
    throw explain(error);
  }
}

/** Tensors of one shape that become rows of one tensor. */
class Rows {
  private readonly values: Values;
  private shape: readonly number[] | undefined;
  private count = 0;
  private size = 0;

  constructor(dtype: DType) {
    this.values = new Values(dtype);
  }

  add(value: Json): void {
    const shape = shapeOf(value);
    const before = this.values.count;
    this.values.fill(value, shape);
    const size = this.values.count - before;
    this.count++;
    if (this.shape === undefined) {
      this.shape = shape;
      this.size = size;
    } else if (size !== this.size) {
      throw invalid(`Expecting tensor size: ${this.size} but got: ${size}`);
    } else if (shape.join() !== this.shape.join()) {
      throw invalid(`Expecting shape [${this.shape.join()}] but got: [${shape.join()}]`);
    }
  }

  tensor(): HostArray {
    return this.values.tensor([this.count, ...(this.shape ?? [])]);
  }
}

function readColumns(value: Json, plan: SignaturePlan): Record<string, HostArray> {
  if (!isObject(value) || isBase64(value)) {
    if (plan.inputs.length > 1) {
      throw invalid(
        "inputs is a plain value/list, but expecting an object as multiple input tensors required as per tensorinfo_map",
      );
    }
    const [only] = plan.inputs;
    return { [only!.name]: readTensor(value, only!.dtype) };
  }
  return Object.fromEntries(
    plan.inputs.map(({ name, dtype }) => {
      const column = value.get(name);
      if (column === undefined) throw invalid(`Missing named input: ${name} in 'inputs' object.`);
      return [name, readTensor(column, dtype)];
    }),
  );
}

function readTensor(value: Json, dtype: DType): HostArray {
  const shape = shapeOf(value);
  const values = new Values(dtype);
  values.fill(value, shape);
  return values.tensor(shape);
}

/** The sizes along the first element of each level. */
function shapeOf(value: Json): number[] {
  const shape: number[] = [];
  for (let at: Json | undefined = value; at !== undefined && isList(at); at = at[0]) shape.push(at.length);
  return shape;
}

/** The elements of a tensor, in row-major order. */
class Values {
  private readonly dtype: DType;
  private readonly list: (number | bigint)[] = [];

  constructor(dtype: DType) {
    this.dtype = dtype;
  }

  get count(): number {
    return this.list.length;
  }

  fill(value: Json, shape: readonly number[], level = 0): void {
    const rank = shape.length;
    if (!isList(value)) {
      if (level !== rank) {
        throw invalid(
          `JSON Value: ${showJson(value)} found at incorrect level: ${level + 1} in the JSON DOM. Expected at level: ${rank}`,
        );
      }
      this.list.push(elementOf(value, this.dtype));
      return;
    }
    if (level >= rank) throw invalid(`Encountered list at unexpected level: ${level} expected < ${rank}`);
    if (value.length !== shape[level]) {
      throw invalid(
        `Encountered list at unexpected size: ${value.length} at level: ${level} expected size: ${shape[level]}`,
      );
    }
    for (const item of value) this.fill(item, shape, level + 1);
  }

  tensor(shape: readonly number[]): HostArray {
    const data = allocate(this.dtype, countOf(shape));
    // boundary: int64 is read as bigints alone, every other dtype as numbers alone
    const elements = data as { [index: number]: number | bigint };
    for (let i = 0; i < this.list.length; i++) elements[i] = this.list[i]!;
    return { dtype: this.dtype, shape, data };
  }
}

type Float = keyof typeof largestFloat;

const ranges: Readonly<Record<Exclude<DType, "bool" | Float>, readonly [bigint, bigint]>> = {
  int8: [-128n, 127n],
  uint8: [0n, 255n],
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
};
const largestFloat = { bfloat16: 3.3895313892515355e38, float32: 3.4028234663852886e38, float64: Number.MAX_VALUE };
/** The integers up to which every one is a number of that type. */
const largestWhole = { bfloat16: 2 ** 8 - 1, float32: 2 ** 24 - 1, float64: 2 ** 53 - 1 };
const isFloat = (dtype: DType): dtype is Float => dtypes[dtype].isFloat;

/** One element. Integers may become floats where none is lost; floats never become integers. */
function elementOf(value: Json, dtype: DType): number | bigint {
  const wrong = (): StatusError =>
    invalid(`JSON Value: ${showJson(value)} Type: ${kindOf(value)} is not of expected type: ${dtypeNames[dtype].said}`);
  if (dtype === "bool") {
    if (typeof value !== "boolean") throw wrong();
    return value ? 1 : 0;
  }
  const isInteger = typeof value === "bigint" || (typeof value === "number" && Number.isInteger(value));
  if (isFloat(dtype)) {
    const number = value instanceof WholeDecimal ? value.value : Number(value);
    if (!isInteger && typeof value !== "number" && !(value instanceof WholeDecimal)) throw wrong();
    const limit = isInteger ? largestWhole[dtype] : largestFloat[dtype];
    if (Number.isFinite(number) && Math.abs(number) > limit) {
      throw invalid(
        `Cannot convert JSON value: ${showJson(value)} to ${dtypeNames[dtype].said} without loss of precision.`,
      );
    }
    return toElement(dtype, number);
  }
  const [least, most] = ranges[dtype];
  if (!isInteger) throw wrong();
  const whole = BigInt(value as number | bigint);
  if (whole < least || whole > most) throw wrong();
  return dtypes[dtype].bytes === 8 ? whole : Number(whole);
}
