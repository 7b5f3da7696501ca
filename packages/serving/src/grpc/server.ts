import {
  type handleUnaryCall,
  Server,
  type ServerCredentials,
  type ServerUnaryCall,
  type ServiceDefinition,
} from "@grpc/grpc-js";
import type { ServingCore } from "../core.js";
import { asStatusError, invalid, StatusError, statuses } from "../status.js";
import { type Codec, messages } from "./contract.js";
import { answerPredict, type Caller, modelMetadata, modelStatus } from "./services.js";

/** A method, from bytes to bytes. */
type Handler = handleUnaryCall<Buffer, Buffer>;

/** The gRPC side of a server. */
export class GrpcServer {
  private readonly server: Server;
  private readonly core: ServingCore;

  constructor(core: ServingCore) {
    this.core = core;
    this.server = new Server({
      "grpc.max_receive_message_length": core.settings.limits.bodyBytes,
      "grpc.max_send_message_length": -1,
      // A message is read whole before it is counted: no connection may bring more of them at a time than are taken on.
      "grpc.max_concurrent_streams": core.settings.limits.pendingRequests,
    });
    this.add("tensorflow.serving.PredictionService", {
      Predict: this.handle(messages.predictRequest, messages.predictResponse, (request, caller, answer) =>
        answerPredict(core, request, caller, answer),
      ),
      GetModelMetadata: this.direct(messages.metadataRequest, messages.metadataResponse, (request) =>
        modelMetadata(core, request),
      ),
    });
    this.add("tensorflow.serving.ModelService", {
      GetModelStatus: this.direct(messages.statusRequest, messages.statusResponse, (request) =>
        modelStatus(core, request),
      ),
    });
    this.add("grpc.health.v1.Health", {
      Check: this.direct(messages.healthRequest, messages.healthResponse, ({ service = "" }) => {
        if (service === "" || service.startsWith("tensorflow.serving.")) return { status: core.isClosing ? 2 : 1 };
        throw new StatusError("NOT_FOUND", `unknown service ${service}`);
      }),
    });
  }

  /** Starts to listen. Resolves with the port. */
  listen(host: string, port: number, credentials: ServerCredentials): Promise<number> {
    return new Promise((resolve, reject) => {
      this.server.bindAsync(`${host}:${port}`, credentials, (error, bound) => (error ? reject(error) : resolve(bound)));
    });
  }

  /** Takes no new calls; resolves when those that were begun are over. */
  close(): Promise<void> {
    return new Promise((resolve) => this.server.tryShutdown(() => resolve()));
  }

  /** Cuts the connections. */
  destroy(): void {
    this.server.forceShutdown();
  }

  private add(service: string, handlers: Readonly<Record<string, Handler>>): void {
    const same = (bytes: Buffer): Buffer => bytes;
    const methods = Object.keys(handlers).map((name): [string, ServiceDefinition[string]] => [
      name,
      {
        path: `/${service}/${name}`,
        requestStream: false,
        responseStream: false,
        // Messages are read by the handlers, which say what is wrong with one.
        requestSerialize: same,
        requestDeserialize: same,
        responseSerialize: same,
        responseDeserialize: same,
      },
    ]);
    this.server.addService(Object.fromEntries(methods), handlers);
  }

  /** A method that answers at once, however busy the server is. */
  private direct<Req, Res>(request: Codec<Req>, response: Codec<Res>, answer: (request: Req) => Res): Handler {
    return (call, callback) => {
      try {
        callback(null, response.encode(answer(decoded(request, call.request))));
      } catch (error) {
        callback(failure(this.core.statusOf("a call", error)));
      }
    };
  }

  /** A method that answers later, and counts as pending until then. */
  private handle<Req, Res>(
    request: Codec<Req>,
    response: Codec<Res>,
    start: (request: Req, caller: Caller, answer: (error: StatusError | undefined, response?: Res) => void) => void,
  ): Handler {
    return (call, callback) => {
      try {
        const leave = this.core.admission.enter(call.request.length);
        const answer = (error: StatusError | undefined, message?: Res): void => {
          leave();
          try {
            if (error || message === undefined) callback(failure(error));
            else callback(null, response.encode(message));
          } catch (cause) {
            callback(failure(this.core.statusOf("an answer", cause)));
          }
        };
        try {
          start(decoded(request, call.request), callerOf(call), answer);
        } catch (error) {
          answer(this.core.statusOf("a call", error));
        }
      } catch (error) {
        callback(failure(error));
      }
    };
  }
}

function decoded<T>(codec: Codec<T>, bytes: Uint8Array): T {
  try {
    return codec.decode(bytes);
  } catch (error) {
    throw invalid(`the message is malformed: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function failure(error: unknown): { readonly code: number; readonly details: string } {
  const { status, message } = asStatusError(error);
  return { code: statuses[status].grpc, details: message };
}

function callerOf(call: ServerUnaryCall<Buffer, Buffer>): Caller {
  const deadline = Number(call.getDeadline());
  return { isGone: () => call.cancelled, patienceMs: deadline - Date.now() };
}
