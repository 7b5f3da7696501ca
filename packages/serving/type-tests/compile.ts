// What a typed client takes and gives.
import type { Sym, Tensor } from "@millrace/core";
import * as tf from "@millrace/core";
import { createClient } from "@millrace/serving/client";
import { is } from "../../core/type-tests/expect.js";

interface Digits {
  serving_default: {
    inputs: { image: ["float32", ["batch", 28, 28, 1]] };
    outputs: { probabilities: ["float32", ["batch", 10]]; label: ["int32", ["batch"]] };
  };
  pair: {
    inputs: { a: ["float32", ["n", 2]]; b: ["int32", ["n", "m"]] };
    outputs: { sum: ["float32", ["n", "m", "2*m"]] };
  };
}

declare const unknown: Tensor;
declare const images: Tensor<[Sym<"rows">, 28, 28, 1], "float32">;
const client = createClient<Digits>("http://127.0.0.1:8501/v1/models/digits");

const three = await client.predict({ image: tf.zeros([3, 28, 28, 1]) });
is<[3, 10], "float32">()(three.probabilities, true);
is<[3], "int32">()(three.label, true);
const rows = await client.predict({ image: images });
is<[Sym<"rows">, 10], "float32">()(rows.probabilities, true);
const any = await client.predict({ image: unknown });
is<[number, 10], "float32">()(any.probabilities, true);
const pair = await client.predict({ a: tf.zeros([4, 2]), b: tf.zeros([4, 5], "int32") }, { signature: "pair" });
is<[4, 5, number], "float32">()(pair.sum, true);

// A client without types takes and gives tensors of any shape.
const plain = createClient("http://127.0.0.1:8501/v1/models/digits");
const answer: Readonly<Record<string, Tensor>> = await plain.predict({ x: tf.zeros([1]) });
void answer;
