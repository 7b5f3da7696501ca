// What core uses of the platform, which Node and browsers both have. Core's compiler options include neither's library,
// so nothing else can be used by accident.
/** A response of `fetch`. */
interface FetchResponse {
  readonly ok: boolean;
  readonly status: number;
  readonly type: string;
  readonly headers: { get(name: string): string | null };
  readonly body: { getReader(): Reader } | null;
}

interface Reader {
  read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array }>;
  cancel(): Promise<void>;
}

interface Platform {
  readonly console: { warn(message: string): void; error(message: string): void };
  readonly performance?: { now(): number };
  readonly TextEncoder: new () => { encode(text: string): Uint8Array };
  readonly TextDecoder: new (
    label?: string,
    options?: { readonly fatal?: boolean; readonly ignoreBOM?: boolean },
  ) => { decode(bytes: Uint8Array): string };
  readonly URL: new (address: string, base?: string) => { readonly href: string; readonly pathname: string };
  fetch(address: string, options: { readonly redirect: "manual"; readonly signal?: unknown }): Promise<FetchResponse>;
  /** V8's `stackTraceLimit`: how many frames a stack holds. */
  readonly Error: { stackTraceLimit?: number };
}

// boundary: both platforms have these
export const platform: Platform = globalThis as unknown as Platform;
