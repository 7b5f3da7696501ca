// d: training steps of an MLP 784-512-256-10, batch 128, Adam.
import { systemsOf } from "../lib/training.mjs";

export const systems = systemsOf("d");
