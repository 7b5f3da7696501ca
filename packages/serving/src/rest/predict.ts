import type { FastifyReply } from "fastify";
import type { Waiter } from "../batching/batch.js";
import type { ServingCore } from "../core.js";
import { parseJson } from "../json/parser.js";
import { asBody, type Format, readTensors, signatureNameOf } from "../json/tensors.js";
import { writeOutputs } from "../json/writer.js";
import { type ModelSpec, signatureOf } from "../models/registry.js";
import { checkInputs, type SignaturePlan } from "../models/signature.js";
import type { ServedVersion } from "../models/version.js";
import { named, predict } from "../predictor.js";
import { invalid, type StatusError } from "../status.js";
import { readQuickly } from "./quick.js";
import { answerError } from "./routes.js";

/** Answers of so many characters are taken by the system, whoever reads them. */
const freelyTaken = 1 << 14;

/** A predict request that was read: what it asks, and how its rows get into a queue. */
interface Prepared {
  readonly plan: SignaturePlan;
  readonly format: Format;
  readonly submit: (waiter: Waiter) => void;
}

/** Answers a predict request. */
export function answerPredict(core: ServingCore, spec: ModelSpec, body: Uint8Array, reply: FastifyReply): void {
  const start = performance.now();
  let version: ServedVersion | undefined;
  let prepared: Prepared | undefined;
  const answer = (error: StatusError | undefined, text: string): void => {
    core.metrics.answered(version, prepared?.plan, error?.status ?? "OK", "REST", performance.now() - start);
    // Nothing more may come this way, or the server would wait for the connection to end.
    if (core.isClosing) reply.header("connection", "close");
    if (error) answerError(reply, error);
    else {
      // A client that stops reading would keep its place for ever.
      if (text.length > freelyTaken) reply.raw.setTimeout(core.settings.limits.timeoutMs, () => reply.raw.destroy());
      void reply.type("application/json").send(text);
    }
  };
  try {
    const found = find(core, spec);
    version = found.version;
    prepared = (version && quickly(body, version)) ?? anyhow(body, found);
  } catch (error) {
    answer(core.statusOf(spec.name, error), "");
    return;
  }
  const { plan, format, submit } = prepared;
  predict(
    version!,
    core.settings.limits.timeoutMs,
    () => reply.raw.destroyed,
    submit,
    (error, outputs) => {
      if (error) return answer(error, "");
      try {
        answer(undefined, writeOutputs(named(plan, outputs), format));
      } catch (unwritable) {
        answer(core.statusOf(spec.name, unwritable), "");
      }
    },
  );
}

interface Found {
  readonly version?: ServedVersion;
  /** What to say of a version that is not there, once the body turned out to be right. */
  readonly error?: unknown;
}

function find(core: ServingCore, spec: ModelSpec): Found {
  try {
    return { version: core.registry.find(spec) };
  } catch (error) {
    return { error };
  }
}

function quickly(body: Uint8Array, version: ServedVersion): Prepared | undefined {
  const read = readQuickly(body, version);
  return (
    read && {
      plan: read.plan,
      format: read.format,
      submit: (waiter) => read.queue.commit(read.batch, read.rows, waiter),
    }
  );
}

function anyhow(bytes: Uint8Array, { version, error }: Found): Prepared {
  const body = asBody(parseJson(bytes));
  const name = signatureNameOf(body);
  if (!version) throw error;
  const plan = signatureOf(version, name, (missing) =>
    invalid(`Serving signature name: "${missing}" not found in signature def`),
  );
  const { format, inputs } = readTensors(body, plan);
  const checked = checkInputs(plan, inputs);
  return { plan, format, submit: (waiter) => version.add(plan, checked, waiter) };
}
