// What core uses of the platform, which Node and browsers both have. Core's compiler options include neither's library,
// so nothing else can be used by accident.
interface Platform {
  readonly console: { warn(message: string): void; error(message: string): void };
  readonly performance?: { now(): number };
  readonly TextEncoder: new () => { encode(text: string): Uint8Array };
  readonly TextDecoder: new (
    label?: string,
    options?: { readonly fatal?: boolean; readonly ignoreBOM?: boolean },
  ) => { decode(bytes: Uint8Array): string };
  /** V8's `stackTraceLimit`: how many frames a stack holds. */
  readonly Error: { stackTraceLimit?: number };
}

// boundary: both platforms have these
export const platform: Platform = globalThis as unknown as Platform;
