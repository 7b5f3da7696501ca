// `millrace serve`: a server of saved models, until it is told to stop.
import { dirname, resolve } from "node:path";
import process from "node:process";
import { getFiles, getLogger, MillraceError } from "@millrace/core";
import { createServer, parseServingConfig, type ServerOptions } from "@millrace/serving";
import * as tf from "../../index.js";
import { findModels } from "../models.js";
import { note, print } from "../output.js";

interface ServeOptions {
  readonly config?: string;
  readonly name?: string;
  readonly host: string;
  /** false: --no-rest. */
  readonly rest: boolean;
  readonly port: number;
  readonly grpc: boolean;
  readonly grpcPort: number;
  readonly maxBatchSize?: number;
  readonly batchTimeoutMicros?: number;
  readonly json?: boolean;
}

/** The most bytes of a configuration. */
const mostConfigBytes = 1 << 24;

/** How long a stop waits for what was begun. */
const drainMs = 10_000;

/** Serves until the process is asked to stop; what was begun is finished then. */
export async function serve(directory: string | undefined, options: ServeOptions): Promise<void> {
  if (!options.rest && !options.grpc) {
    throw new MillraceError("E_ARGUMENT", "serve: with --no-rest and --no-grpc there is nothing to listen on");
  }
  await tf.ready();
  const { models, batching } = await modelsOf(directory, options);
  const { host, port, grpcPort } = options;
  const server = await createServer({
    models,
    batching: { ...batching, ...definedBatching(options) },
    rest: options.rest ? { host, port } : false,
    grpc: options.grpc ? { host, port: grpcPort } : false,
    logger: getLogger(),
  });
  if (options.json) print(JSON.stringify({ event: "ready", ...server.urls }));
  else {
    if (server.urls.rest) note(`REST  ${server.urls.rest}/v1/models/${firstName(models)}`);
    if (server.urls.grpc) note(`gRPC  ${server.urls.grpc}`);
    note("Ctrl-C stops it.");
  }
  await stopAsked();
  note("stopping");
  await server.close({ drainMs });
  if (options.json) print(JSON.stringify({ event: "closed" }));
}

type Served = Required<Pick<ServerOptions, "models">> & Pick<ServerOptions, "batching">;

async function modelsOf(directory: string | undefined, { config, name }: ServeOptions): Promise<Served> {
  if ((directory === undefined) === (config === undefined)) {
    throw new MillraceError("E_ARGUMENT", "serve: give a directory, or --config with a file");
  }
  if (config !== undefined) {
    const text = new TextDecoder().decode(await getFiles().read(config, { maxBytes: mostConfigBytes }));
    return parseServingConfig(text, { directory: dirname(resolve(config)) });
  }
  const found = findModels(directory!);
  if (name !== undefined && found.length > 1) {
    const names = found.map((model) => model.name).join(", ");
    throw new MillraceError("E_ARGUMENT", `serve: --name is for one model, and ${directory} holds ${names}`);
  }
  const served = found.map(async (model) => ({
    name: name ?? model.name,
    // A graph without versions is served as it is now.
    ...(model.version === null ? { executable: await tf.loadExecutable(model.path) } : { path: dirname(model.path) }),
  }));
  return { models: await Promise.all(served) };
}

function definedBatching({ maxBatchSize, batchTimeoutMicros }: ServeOptions): object {
  return {
    ...(maxBatchSize === undefined ? {} : { maxBatchSize }),
    ...(batchTimeoutMicros === undefined ? {} : { batchTimeoutMicros }),
  };
}

const firstName = (models: Served["models"]): string =>
  (Array.isArray(models) ? models[0]?.name : Object.keys(models)[0]) ?? "";

/** Resolves when the process is asked to stop; asked again, it ends at once. */
function stopAsked(): Promise<void> {
  return new Promise((done) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      process.once(signal, () => {
        process.once(signal, () => process.exit(1));
        done();
      });
    }
  });
}
