// What this package uses of the platform, which Node and browsers both have; no library of either is among the compiler's.

interface Reader {
  read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array }>;
  cancel(): Promise<void>;
}

/** A response of `fetch`. */
export interface FetchResponse {
  readonly ok: boolean;
  readonly status: number;
  readonly type: string;
  readonly headers: { get(name: string): string | null };
  readonly body: { getReader(): Reader } | null;
}

interface Platform {
  fetch(url: string, options: { readonly redirect: "manual"; readonly signal?: unknown }): Promise<FetchResponse>;
  readonly URL: new (url: string, base?: string) => { readonly href: string; readonly pathname: string };
}

// boundary: both platforms have these
export const platform: Platform = globalThis as unknown as Platform;
