// No type of fastify's is named in what is exported: declarations are to be read without those of all its dependencies.
import type { FastifyInstance } from "fastify";
import { ServingCore } from "./core.js";
import { type ServingOptions, settingsOf } from "./options.js";
import { addRoutes } from "./rest/routes.js";

/**
 * Serves models over TensorFlow Serving's REST contract, as a fastify plugin: what else a server needs (authentication,
 * CORS, TLS) is fastify's. Closing the fastify instance finishes the requests that were begun and unloads the models.
 *
 * @param app the instance of fastify, which `register` gives
 * @throws MillraceError E_ARGUMENT on an option that is wrong, E_FILE and E_FORMAT where a model cannot be loaded
 * @example
 *     const app = fastify();
 *     await app.register(millraceServing, { models: { digits: "models/digits" } });
 *     await app.listen({ port: 8501 });
 */
export async function millraceServing(app: object, options: ServingOptions): Promise<void> {
  // Where the routes stand is fastify's, not the plugin's.
  const { prefix: _, ...own } = options as ServingOptions & { readonly prefix?: string };
  // boundary: `register` calls it so
  const instance = app as FastifyInstance;
  const core = new ServingCore(settingsOf(own));
  await core.start();
  instance.addHook("preClose", () => core.drain(core.settings.limits.timeoutMs));
  instance.addHook("onClose", () => core.close());
  addRoutes(instance, core);
}
