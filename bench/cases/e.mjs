// e: training steps of a CNN on 28 × 28 (conv 32, conv 64, pool, dense 128), batch 64, Adam.
import { systemsOf } from "../lib/training.mjs";

export const systems = systemsOf("e");
