// `tf.createServer`: what serves over HTTP and gRPC is loaded with the first server.
import type { Server, ServerOptions } from "@millrace/serving";

export type { Server, ServerOptions } from "@millrace/serving";

/**
 * Serves models over REST and gRPC, as TensorFlow Serving does: see `createServer` of @millrace/serving.
 *
 * @throws E_ARGUMENT on an option that is wrong or an address that cannot be had, E_FILE and E_FORMAT where a model cannot be
 * loaded
 * @example
 *     const server = await tf.createServer({ models: { digits: "models/digits" }, rest: { port: 0 } });
 *     const answer = await fetch(`${server.urls.rest}/v1/models/digits:predict`, { method: "POST", body });
 *     await server.close();
 */
export async function createServer(options: ServerOptions): Promise<Server> {
  const serving = await import("@millrace/serving");
  return serving.createServer(options);
}
