import type { NamedAval } from "@millrace/core";
import { dtypeNames } from "../dtypes.js";
import type { VersionStatus } from "../models/model.js";
import type { SignaturePlan } from "../models/signature.js";
import type { ServedVersion } from "../models/version.js";

const methodName = "tensorflow/serving/predict";

/** What a status request is answered with. */
export function describeStatus(statuses: readonly VersionStatus[]): object {
  return {
    model_version_status: statuses.map(({ version, state, error }) => ({
      version: String(version),
      state,
      status: { error_code: error.status, error_message: error.message },
    })),
  };
}

/** What a metadata request is answered with: every signature, with -1 for sizes that are not fixed. */
export function describeMetadata(version: ServedVersion): object {
  const signatures = [...version.signatures.values()].map((plan) => [plan.name, describeSignature(plan)]);
  return {
    model_spec: { name: version.model, signature_name: "", version: String(version.number) },
    metadata: { signature_def: { signature_def: Object.fromEntries(signatures) } },
  };
}

function describeSignature({ name, inputs, outputs }: SignaturePlan): object {
  const describe = (avals: readonly NamedAval[], named: (x: NamedAval, i: number) => string): object =>
    Object.fromEntries(avals.map((x, i) => [x.name, describeAval(x, named(x, i))]));
  return {
    inputs: describe(inputs, (x) => `${name}_${x.name}:0`),
    outputs: describe(outputs, (_, i) => `StatefulPartitionedCall:${i}`),
    method_name: methodName,
  };
}

function describeAval({ dtype, shape }: NamedAval, name: string): object {
  return {
    dtype: dtypeNames[dtype].proto,
    tensor_shape: { dim: sizesOf(shape).map((size) => ({ size: String(size), name: "" })), unknown_rank: false },
    name,
  };
}

function sizesOf(shape: NamedAval["shape"]): number[] {
  return shape.map((size) => (typeof size === "number" ? size : -1));
}
