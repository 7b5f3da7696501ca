// Options objects as the engine reads them, and checks of numbers in them.
import { MillraceError } from "@millrace/autodiff";
import { required, withDefaults } from "@millrace/autodiff/support";

export { required };

/** A default for every key of an options type: its value, or `required`. */
export type Defaults<C> = { readonly [K in keyof C]-?: C[K] | typeof required };

/** An options object with every key set. */
export type Complete<C> = { readonly [K in keyof C]-?: Exclude<C[K], undefined> };

/** `withDefaults`, where every option has a default or is required. */
export function complete<C extends object>(who: string, options: C, defaults: Defaults<C>): Complete<C> {
  // boundary: no default is undefined, so no option is
  return withDefaults<C, Defaults<C>>(who, options, defaults) as Complete<C>;
}

/** Refuses a number that is not a whole one of at least `min`. */
export function checkWhole(who: string, name: string, value: unknown, min = 1): void {
  if (Number.isSafeInteger(value) && (value as number) >= min) return;
  throw new MillraceError("E_ARGUMENT", `${who}: ${name} must be a whole number from ${min}, got ${String(value)}`);
}

/** Refuses a number outside [min, max]. */
export function checkRange(who: string, name: string, value: unknown, min: number, max: number): void {
  if (typeof value === "number" && value >= min && value <= max) return;
  throw new MillraceError("E_ARGUMENT", `${who}: ${name} must be a number from ${min} to ${max}, got ${String(value)}`);
}
