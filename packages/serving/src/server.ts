/// <reference lib="esnext.disposable" preserve="true" />
import type { ServerCredentials } from "@grpc/grpc-js";
import { MillraceError, type Signal } from "@millrace/core";
import { throwIfAborted, withDefaults } from "@millrace/core/support";
import fastify, { type FastifyInstance } from "fastify";
import { ServingCore } from "./core.js";
import type { GrpcServer } from "./grpc/server.js";
import { type ServingOptions, settingsOf } from "./options.js";
import { addRoutes, answerError } from "./rest/routes.js";
import { invalid, StatusError } from "./status.js";

/** Where a protocol is served. */
export interface AddressOptions {
  /** "127.0.0.1" unless said: this machine alone. */
  readonly host?: string;
  /** 8501 for REST and 8500 for gRPC unless said; 0 for any that is free. */
  readonly port?: number;
}

/** Where and how gRPC is served. */
export interface GrpcOptions extends AddressOptions {
  /** ServerCredentials of @grpc/grpc-js, for TLS; without encryption unless given. */
  readonly credentials?: object;
}

/** A signal that a server listens to: an AbortSignal is one. */
export interface CloseSignal extends Signal {
  addEventListener(type: "abort", listener: () => void, options?: { readonly once?: boolean }): void;
}

/** How a server is made. */
export interface ServerOptions extends ServingOptions {
  /** false: no REST. */
  readonly rest?: AddressOptions | false;
  /** Served where it is given. */
  readonly grpc?: GrpcOptions | false;
  /** Aborting it closes the server, as `close` does. */
  readonly signal?: CloseSignal;
}

/** A server that runs. */
export interface Server extends AsyncDisposable {
  /** Where it is: an http URL for REST, host:port for gRPC. */
  readonly urls: { readonly rest?: string; readonly grpc?: string };
  /** Looks for new versions now, and resolves when they serve and the old ones were asked to go. */
  reload(): Promise<void>;
  /**
   * Refuses what is new, finishes what was begun, and unloads the models. After `drainMs`, 30,000 unless said, connections
   * are cut.
   */
  close(options?: { readonly drainMs?: number }): Promise<void>;
}

/**
 * Serves models over REST and gRPC, as TensorFlow Serving does: several models, numbered versions that are loaded as they
 * appear, and requests that are put together into batches. It listens on this machine alone, unless a host is given, and
 * installs no signal handler: whoever runs the process decides when it ends.
 *
 * @throws E_ARGUMENT on an option that is wrong, E_FILE and E_FORMAT where a model cannot be loaded; what listening throws,
 * such as EADDRINUSE, is the cause of an E_ARGUMENT
 * @example
 *     const server = await createServer({ models: { digits: "models/digits" }, rest: { port: 0 } });
 *     const answer = await fetch(`${server.urls.rest}/v1/models/digits:predict`, { method: "POST", body });
 *     await server.close();
 */
export async function createServer(options: ServerOptions): Promise<Server> {
  const { rest = {}, grpc = false, signal, ...serving } = options;
  const http = rest === false ? undefined : withDefaults("createServer: rest", rest, { host: "127.0.0.1", port: 8501 });
  const rpc =
    grpc === false
      ? undefined
      : withDefaults("createServer: grpc", grpc, { host: "127.0.0.1", port: 8500, credentials: undefined });
  const core = new ServingCore(settingsOf(serving));
  throwIfAborted(signal);
  await core.start();
  const server = new RunningServer(core);
  try {
    throwIfAborted(signal);
    if (http) await server.listenRest(http.host, http.port);
    if (rpc) await server.listenGrpc(rpc.host, rpc.port, rpc.credentials);
    throwIfAborted(signal);
  } catch (error) {
    await server.close({ drainMs: 0 });
    throw error;
  }
  if (signal) server.closeOn(signal);
  return server;
}

class RunningServer implements Server {
  readonly urls: { rest?: string; grpc?: string } = {};
  private readonly core: ServingCore;
  private app: FastifyInstance | undefined;
  private grpc: GrpcServer | undefined;
  private closing: Promise<void> | undefined;

  constructor(core: ServingCore) {
    this.core = core;
  }

  async listenRest(host: string, port: number): Promise<void> {
    const { headerBytes, timeoutMs, bodyBytes } = this.core.settings.limits;
    const app = fastify({
      bodyLimit: bodyBytes,
      requestTimeout: timeoutMs,
      http: { maxHeaderSize: headerBytes },
      routerOptions: { caseSensitive: false },
      // The models' own refusal has the contract's form.
      return503OnClosing: false,
      frameworkErrors: (error, _request, reply) => answerError(reply, invalid(error.message)),
    });
    this.app = app;
    app.setNotFoundHandler((request, reply) => {
      const path = request.raw.url ?? "";
      const status = /^\/v1\//i.test(path) ? "INVALID_ARGUMENT" : "NOT_FOUND";
      answerError(reply, new StatusError(status, `Malformed request: ${request.method} ${path}`));
    });
    await app.register(async (scope) => addRoutes(scope, this.core));
    const url = await listening(host, port, () => app.listen({ host, port }));
    this.urls.rest = url;
  }

  async listenGrpc(host: string, port: number, credentials: object | undefined): Promise<void> {
    // Loaded where it is served only.
    const [{ GrpcServer: Grpc }, { ServerCredentials: Credentials }] = await Promise.all([
      import("./grpc/server.js"),
      import("@grpc/grpc-js"),
    ]);
    const grpc = new Grpc(this.core);
    this.grpc = grpc;
    const authority = host.includes(":") ? `[${host}]` : host;
    const bound = await listening(host, port, () =>
      // boundary: what the option is said to be
      grpc.listen(authority, port, (credentials as ServerCredentials | undefined) ?? Credentials.createInsecure()),
    );
    this.urls.grpc = `${authority}:${bound}`;
  }

  reload(): Promise<void> {
    return this.core.registry.refresh();
  }

  close(options: { readonly drainMs?: number } = {}): Promise<void> {
    const { drainMs } = withDefaults("close", options, { drainMs: 30_000 });
    this.closing ??= this.end(drainMs);
    return this.closing;
  }

  closeOn(signal: CloseSignal): void {
    const abort = (): void => {
      this.close().catch((error: unknown) => this.core.report("closing", error));
    };
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort, { once: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private async end(drainMs: number): Promise<void> {
    const rpcOver = this.grpc?.close();
    await this.core.drain(drainMs);
    // What is left has had its time.
    this.app?.server.closeIdleConnections();
    const restOver = this.app?.close();
    const cut = setTimeout(
      () => {
        this.app?.server.closeAllConnections();
        this.grpc?.destroy();
      },
      Math.min(drainMs, 1000),
    );
    await Promise.all([restOver, rpcOver]);
    clearTimeout(cut);
    await this.core.close();
  }
}

/** Listens, or says which address could not be had. */
async function listening<T>(host: string, port: number, listen: () => Promise<T>): Promise<T> {
  try {
    return await listen();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new MillraceError("E_ARGUMENT", `createServer: cannot listen on ${host}:${port}: ${why}`, { cause });
  }
}
