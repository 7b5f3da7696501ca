// What core uses of the platform, which Node and browsers both have. Neither's own library is included, so nothing else
// can be used by accident.
declare const console: {
  warn(message: string): void;
  error(message: string): void;
};
declare class TextEncoder {
  encode(text: string): Uint8Array<ArrayBuffer>;
}
declare class TextDecoder {
  decode(bytes: Uint8Array): string;
}
interface ErrorConstructor {
  /** V8's: how many frames a stack holds. */
  stackTraceLimit?: number;
}
