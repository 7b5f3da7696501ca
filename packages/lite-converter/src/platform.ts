// What this package uses of the platform, which Node and browsers both have.
interface Platform {
  setTimeout(callback: () => void, ms: number): unknown;
  readonly TextEncoder: new () => { encode(text: string): Uint8Array };
  readonly TextDecoder: new (label?: string, options?: { readonly fatal?: boolean }) => TextReader;
}

/** Bytes as text. */
export interface TextReader {
  decode(bytes: Uint8Array): string;
}

// boundary: both platforms have these
export const platform: Platform = globalThis as unknown as Platform;
