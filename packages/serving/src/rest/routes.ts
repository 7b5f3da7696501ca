import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { ServingCore } from "../core.js";
import { asStatusError, invalid, StatusError, statuses } from "../status.js";
import { describeMetadata, describeStatus } from "./describe.js";
import { routeOf } from "./paths.js";
import { answerPredict } from "./predict.js";

/** Adds the contract's routes to an instance of fastify, which must have no others. */
export function addRoutes(app: FastifyInstance, core: ServingCore): void {
  const { bodyBytes } = core.settings.limits;
  // A body is bytes, whatever its type is said to be: what curl says by itself is no JSON.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => done(null, body));
  app.setErrorHandler((error, _request, reply) => answerError(reply, ofFastify(error, core)));
  app.addHook("onRequest", (request, reply, done) => {
    if (request.method !== "POST") return done();
    const announced = Number(request.headers["content-length"] ?? bodyBytes);
    try {
      reply.raw.once("close", core.admission.enter(Math.min(announced, bodyBytes)));
      done();
    } catch (error) {
      reply.header("retry-after", "1");
      if (core.isClosing) reply.header("connection", "close");
      answerError(reply, asStatusError(error));
    }
  });
  app.get("/monitoring/prometheus/metrics", async (_request, reply) =>
    reply.type(core.metrics.contentType).send(await core.metrics.text()),
  );
  app.get("/v1/*", (request, reply) => answerQuery(core, app.prefix, request, reply));
  app.post("/v1/*", { bodyLimit: bodyBytes }, (request, reply) => answerPost(core, app.prefix, request, reply));
}

/** The path of a request from /v1 on. */
function pathOf(request: FastifyRequest, prefix: string): string {
  const url = request.raw.url ?? "";
  const end = url.indexOf("?");
  return (end < 0 ? url : url.slice(0, end)).slice(prefix.length);
}

function answerQuery(core: ServingCore, prefix: string, request: FastifyRequest, reply: FastifyReply): void {
  try {
    const { kind, spec } = routeOf("GET", pathOf(request, prefix));
    const { registry } = core;
    reply.send(kind === "metadata" ? describeMetadata(registry.find(spec)) : describeStatus(registry.statuses(spec)));
  } catch (error) {
    answerError(reply, core.statusOf(request.url, error));
  }
}

function answerPost(core: ServingCore, prefix: string, request: FastifyRequest, reply: FastifyReply): void {
  try {
    const { kind, spec } = routeOf("POST", pathOf(request, prefix));
    if (kind !== "predict") throw new StatusError("UNIMPLEMENTED", `the method ${kind} is not built yet, only predict`);
    // boundary: the content type parser gives bytes; without a body there are none
    const body = (request.body as Uint8Array | undefined) ?? new Uint8Array(0);
    answerPredict(core, spec, body, reply);
  } catch (error) {
    answerError(reply, core.statusOf(request.url, error));
  }
}

/** Answers {"error": "…"}. */
export function answerError(reply: FastifyReply, { status, message }: StatusError): void {
  void reply
    .code(statuses[status].http)
    .type("application/json")
    .send(JSON.stringify({ error: message }));
}

/** What fastify itself finds wrong with a request, in the contract's codes. */
function ofFastify(error: unknown, core: ServingCore): StatusError {
  // boundary: fastify's errors have a status
  const { statusCode = 500, message } = error as { readonly statusCode?: number; readonly message: string };
  if (statusCode === 413) {
    const { bodyBytes } = core.settings.limits;
    return new StatusError("RESOURCE_EXHAUSTED", `the body has more than the ${bodyBytes} bytes that are taken`);
  }
  if (statusCode < 500) return invalid(message);
  return core.statusOf("a request", error);
}
