// Plain JavaScript with import: one op through core alone, one through the umbrella, on one engine.
import * as core from "@millrace/core";
import * as tf from "millrace";

const x = core.matMul(core.tensor([[1, 2]]), tf.tensor([[3], [4]]));
console.log(JSON.stringify({ y: await x.array(), backend: tf.getBackend(), node: process.version }));
x.dispose();
