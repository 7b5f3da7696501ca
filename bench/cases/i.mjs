// i: training steps of LSTM(128) over 64 steps of 64 features and a dense layer, batch 64, Adam.
import { systemsOf } from "../lib/training.mjs";

export const systems = systemsOf("i");
