// Which tensors flow where: unknown shapes into known ones, known into looser ones, unions, loops, generic functions.
import type { Shape, Sym, Tensor, Variable } from "@millrace/core";
import * as tf from "@millrace/core";
import { is, same as sameType } from "../expect.js";

type F = "float32";
declare const unknown: Tensor;
declare const x: Tensor<[Sym<"batch">, 784], F>;
declare const w: Tensor<[784, 10], F>;
declare const n: number;
declare const condition: boolean;

// a bare Tensor flows anywhere, and anything flows into it
declare function needs(t: Tensor<[2, 3], F>): void;
needs(unknown);
needs(tf.add(unknown, 1));
const anything: Tensor = x;
const anyFloat: Tensor<Shape, F> = x;
const someBatch: Tensor<[number, 784], F> = x;
const matrix: Tensor<[number, number]> = x;
const batch: number = x.shape[0];
const rank: 2 = x.rank;

export { anyFloat, anything, batch, matrix, rank, someBatch };

// a list of tensors of different sizes
const list: Tensor<[number, number], F>[] = [tf.zeros([1, 2]), tf.zeros([3, 4])];
is<[number, number]>()(tf.concat(list), true);
is<[number, number]>()(tf.concat([1, 2, 3].map((i) => tf.zeros([i, 3]))), true);

// a union of shapes is computed for each
const either = condition ? tf.zeros([2, 3]) : tf.zeros([4, 3]);
sameType<Tensor<[2, 3], F> | Tensor<[4, 3], F>>()(tf.add(either, tf.zeros([3])), true);
is<[3]>()(tf.sum(either, 0), true);

// a loop that keeps the shape
let sum = tf.zeros([3]);
for (let i = 0; i < 3; i++) sum = tf.add(sum, tf.zeros([3]));
is<[3]>()(sum, true);
// a variable that changes shape says so
let growing: Tensor<[number, 3], F> = tf.zeros([1, 3]);
growing = tf.concat([growing, tf.zeros([1, 3])]);
is<[number, 3]>()(growing, true);

// shapes from variables
const shape = [2, 3];
is<any>()(tf.zeros(shape), true);
const exactShape = [2, 3] as const;
is<[2, 3]>()(tf.zeros(exactShape), true);

// functions with known, unknown and generic sizes
const dense = (a: Tensor<[number, 784], F>) => tf.softmax(tf.add(tf.matMul(a, w), tf.zeros([10])));
is<[number, 10]>()(dense(tf.zeros([32, 784])), true);
const untyped = (a: Tensor, b: Tensor): Tensor => tf.softmax(tf.add(tf.matMul(a, b), 1));
is<any>()(untyped(x, w), true);
function head<B extends number>(a: Tensor<[B, 784], F>): Tensor<[B, 10], F> {
  return tf.matMul(a, w);
}
is<[32, 10]>()(head(tf.zeros([32, 784])), true);
is<[Sym<"batch">, 10]>()(head(x), true);
const same = <S extends Shape>(a: Tensor<S, F>) => tf.relu(a);
is<[Sym<"batch">, 784]>()(same(x), true);

// a precise signature outside, bare tensors inside
function block<B extends number, T extends number, C extends number>(
  a: Tensor<[B, T, C], F>,
  b: Tensor<[NoInfer<C>, NoInfer<C>], F>,
): Tensor<[B, T, C], F>;
function block(a: Tensor, b: Tensor): Tensor {
  return tf.relu(tf.add(tf.matMul(a, b), a));
}
is<[2, 3, 4]>()(block(tf.zeros([2, 3, 4]), tf.zeros([4, 4])), true);
is<[2, 3, 4]>()(block(tf.zeros([2, 3, 4]), unknown), true);

// a class with weights
class Model {
  weights: Variable<[784, 10], F> = tf.variable(tf.zeros([784, 10]));
  call(a: Tensor<[number, 784], F>): Tensor<[number, 10], F> {
    return tf.matMul(a, this.weights);
  }
}
is<[number, 10]>()(new Model().call(tf.zeros([32, 784])), true);
const looseVariable: Variable<[number, 10]> = new Model().weights;
const anyVariables: Variable[] = [new Model().weights, tf.variable(0)];

export { anyVariables, looseVariable };

// sizes known at run time only
is<[number, number]>()(tf.zeros([n, n]), true);
is<[2, 3]>()(tf.ensureShape(tf.add(unknown, 1), [2, 3]), true);
