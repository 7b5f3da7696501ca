import type { HostArray } from "@millrace/core/graph";
import type { ServingCore } from "../core.js";
import { dtypeNames } from "../dtypes.js";
import { type ModelSpec, signatureOf } from "../models/registry.js";
import { checkInputs, type SignaturePlan } from "../models/signature.js";
import type { ServedVersion } from "../models/version.js";
import { named, predict } from "../predictor.js";
import { invalid, StatusError, statuses } from "../status.js";
import {
  bigOf,
  type GetModelMetadataRequest,
  type GetModelMetadataResponse,
  type GetModelStatusRequest,
  type GetModelStatusResponse,
  longOf,
  type ModelSpecProto,
  messages,
  type PredictRequest,
  type PredictResponse,
  stateNumbers,
  type TensorInfo,
} from "./contract.js";
import { readTensorProto, writeTensorProto } from "./tensors.js";

/** What a call knows of its client. */
export interface Caller {
  isGone(): boolean;
  /** Milliseconds that it waits; infinite where it set no deadline. */
  readonly patienceMs: number;
}

const methodName = "tensorflow/serving/predict";

function specOf(proto: ModelSpecProto | null | undefined): ModelSpec {
  if (!proto) throw invalid("Missing ModelSpec");
  const { name = "", version, version_label } = proto;
  if (version) return { name, version: Number(bigOf(version.value ?? 0)) };
  return version_label ? { name, label: version_label } : { name };
}

/** Answers PredictionService.Predict. */
export function answerPredict(
  core: ServingCore,
  request: PredictRequest,
  caller: Caller,
  answer: (error: StatusError | undefined, response?: PredictResponse) => void,
): void {
  const start = performance.now();
  const { timeoutMs, bodyBytes } = core.settings.limits;
  let version: ServedVersion | undefined;
  let plan: SignaturePlan | undefined;
  const end = (error: StatusError | undefined, response?: PredictResponse): void => {
    core.metrics.answered(version, plan, error?.status ?? "OK", "GRPC", performance.now() - start);
    answer(error, response);
  };
  try {
    version = core.registry.find(specOf(request.model_spec));
    plan = signatureOf(
      version,
      request.model_spec?.signature_name,
      (missing) => new StatusError("FAILED_PRECONDITION", `Serving signature key "${missing}" not found.`),
    );
    const wanted = outputsOf(plan, request.output_filter ?? []);
    const inputs = checkInputs(plan, readInputs(plan, request.inputs ?? {}, bodyBytes));
    const [servedBy, asked] = [version, plan];
    predict(
      version,
      Math.max(0, Math.min(timeoutMs, caller.patienceMs)),
      () => caller.isGone(),
      (waiter) => servedBy.add(asked, inputs, waiter),
      (error, outputs) => {
        if (error) return end(error);
        const chosen = named(asked, outputs).filter(([name]) => wanted.has(name));
        end(undefined, {
          outputs: Object.fromEntries(chosen.map(([name, x]) => [name, writeTensorProto(x)])),
          model_spec: specFor(servedBy, asked.name),
        });
      },
    );
  } catch (error) {
    end(core.statusOf("Predict", error));
  }
}

function specFor({ model, number }: ServedVersion, signature_name: string): ModelSpecProto {
  return { name: model, version: { value: longOf(number) }, signature_name };
}

function readInputs(
  plan: SignaturePlan,
  protos: NonNullable<PredictRequest["inputs"]>,
  maxBytes: number,
): Record<string, HostArray> {
  const sent = Object.keys(protos).sort();
  const needed = plan.inputs.map((x) => x.name).sort();
  const extra = sent.filter((name) => !needed.includes(name));
  if (sent.length !== needed.length) {
    const missing = needed.filter((name) => !sent.includes(name));
    throw invalid(
      `input size does not match signature: ${sent.length}!=${needed.length} len({${sent}}) != len({${needed}}). ` +
        `Sent extra: {${extra}}. Missing but required: {${missing}}.`,
    );
  }
  if (extra.length > 0) {
    throw invalid(
      `input tensor alias not found in signature: ${extra[0]}. Inputs expected to be in the set {${needed}}.`,
    );
  }
  return Object.fromEntries(sent.map((name) => [name, readTensorProto(name, protos[name] ?? {}, maxBytes)]));
}

/** The outputs that are asked for: all where none is named. */
function outputsOf(plan: SignaturePlan, filter: readonly string[]): ReadonlySet<string> {
  const all = plan.outputs.map((x) => x.name);
  const chosen = new Set<string>();
  for (const name of filter) {
    if (!all.includes(name)) {
      throw invalid(
        `output tensor alias not found in signature: ${name} Outputs expected to be in the set {${all.sort()}}.`,
      );
    }
    if (chosen.has(name)) throw invalid(`duplicate output tensor alias: ${name}`);
    chosen.add(name);
  }
  return filter.length === 0 ? new Set(all) : chosen;
}

/** Answers PredictionService.GetModelMetadata. */
export function modelMetadata(core: ServingCore, request: GetModelMetadataRequest): GetModelMetadataResponse {
  const spec = specOf(request.model_spec);
  const wanted = request.metadata_field ?? [];
  if (wanted.length === 0) throw invalid("GetModelMetadataRequest must specify at least one metadata_field");
  for (const field of wanted) if (field !== "signature_def") throw invalid(`Metadata field ${field} is not supported`);
  const version = core.registry.find(spec);
  const describe = (
    avals: SignaturePlan["inputs"],
    nameOf: (name: string, i: number) => string,
  ): Record<string, TensorInfo> =>
    Object.fromEntries(
      avals.map(({ name, dtype, shape }, i) => [
        name,
        {
          name: nameOf(name, i),
          dtype: dtypeNames[dtype].number,
          tensor_shape: { dim: shape.map((size) => ({ size: longOf(typeof size === "number" ? size : -1) })) },
        },
      ]),
    );
  const signatures = [...version.signatures.values()].map(({ name, inputs, outputs }) => [
    name,
    {
      inputs: describe(inputs, (input) => `${name}_${input}:0`),
      outputs: describe(outputs, (_, i) => `StatefulPartitionedCall:${i}`),
      method_name: methodName,
    },
  ]);
  return {
    model_spec: { name: version.model, version: { value: longOf(version.number) } },
    metadata: {
      signature_def: {
        type_url: "type.googleapis.com/tensorflow.serving.SignatureDefMap",
        value: messages.signatureDefMap.encode({ signature_def: Object.fromEntries(signatures) }),
      },
    },
  };
}

/** Answers ModelService.GetModelStatus. */
export function modelStatus(core: ServingCore, request: GetModelStatusRequest): GetModelStatusResponse {
  return {
    model_version_status: core.registry.statuses(specOf(request.model_spec)).map(({ version, state, error }) => ({
      version: longOf(version),
      state: stateNumbers[state],
      status: { error_code: statuses[error.status].grpc, error_message: error.message },
    })),
  };
}
