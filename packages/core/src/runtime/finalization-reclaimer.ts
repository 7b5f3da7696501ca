import type { Buf, Reclaimer } from "./backend.js";

/** Frees pages when the JavaScript engine says that their tokens have died, which it does between jobs. */
export class FinalizationReclaimer implements Reclaimer {
  private readonly registry: FinalizationRegistry<readonly Buf[]>;
  readonly due: number = Number.POSITIVE_INFINITY;

  constructor(free: (buf: Buf) => void) {
    this.registry = new FinalizationRegistry((bufs) => bufs.forEach(free));
  }
  page(token: object, bufs: readonly Buf[]): void {
    this.registry.register(token, [...bufs]);
  }
  poll(): void {}
  pressure(): void {}
}
