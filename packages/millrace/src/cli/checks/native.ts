import * as tf from "../../index.js";
import type { Check } from "./check.js";

/** Whether the native kernels load, and which instructions they use. */
export async function nativeChecks(): Promise<Check[]> {
  try {
    await tf.setBackend("cpu");
    const device = tf.listDevices().find(({ name }) => name.startsWith("cpu"));
    return [{ name: "native", status: "ok", found: device?.description ?? "loaded" }];
  } catch (error) {
    if (!tf.isMillraceError(error)) throw error;
    const found = "not loaded: the reference backend runs everything, slowly";
    return [{ name: "native", status: "fail", found, advice: error.reason }];
  }
}
