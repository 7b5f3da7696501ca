// What a typed client refuses. Each line that starts with `//!` holds the whole sentence for the statement below it.
import * as tf from "@millrace/core";
import { createClient } from "@millrace/serving/client";

interface Digits {
  serving_default: {
    inputs: { image: ["float32", ["batch", 28, 28, 1]] };
    outputs: { probabilities: ["float32", ["batch", 10]] };
  };
  pair: {
    inputs: { a: ["float32", ["n", 2]]; b: ["float32", ["n"]] };
    outputs: { sum: ["float32", ["n"]] };
  };
}
const client = createClient<Digits>("http://127.0.0.1:8501/v1/models/digits");

//! input image: needs shape [batch,28,28,1], got [3,28,28]
client.predict({ image: tf.zeros([3, 28, 28]) });
//! input image: needs shape [batch,28,28,1], got [3,28,29,1]
client.predict({ image: tf.zeros([3, 28, 29, 1]) });
//! input image: needs float32, got int32
client.predict({ image: tf.zeros([3, 28, 28, 1], "int32") });
//! the model has no input picture, only image
client.predict({ picture: tf.zeros([3, 28, 28, 1]) });
//! two inputs differ in a size that has one name
client.predict({ a: tf.zeros([3, 2]), b: tf.zeros([4]) }, { signature: "pair" });
