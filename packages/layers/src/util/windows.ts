// What convolution and pooling layers share: sizes in two directions, and how many windows fit.
import { MillraceError, type Pair } from "@millrace/autodiff";

/** Where windows may lie: "same" keeps size / stride places, "valid" takes whole windows only. */
export type Padding = "same" | "valid";

/** Height and width. */
export function bothOf(size: Pair): readonly [number, number] {
  return typeof size === "number" ? [size, size] : size;
}

/** How many windows fit; null where the size is unknown. */
export function windowCount(size: number | null, window: number, stride: number, padding: Padding): number | null {
  if (size === null) return null;
  return padding === "same" ? Math.ceil(size / stride) : Math.floor((size - window) / stride) + 1;
}

/** Refuses images with the channels first, which nothing here computes on. */
export function requireChannelsLast(who: string, format: string): void {
  if (format === "channelsLast" || format === "channels_last") return;
  throw new MillraceError(
    "E_UNIMPLEMENTED",
    `${who}: dataFormat must be "channelsLast", got ${JSON.stringify(format)}; transpose the images`,
  );
}
