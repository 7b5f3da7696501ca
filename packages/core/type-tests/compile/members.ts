// Members of Tensor and the chained methods.
import type { Scalar, Tensor } from "@millrace/core";
import * as tf from "@millrace/core";
import { is, same } from "../expect.js";

declare const unknown: Tensor;
declare const sizes: number[];
const t = tf.zeros([2, 3]);

same<Float32Array>()(t.dataSync(), true);
same<BigInt64Array>()(tf.zeros([2], "int64").dataSync(), true);
same<Uint8Array>()(tf.zeros([2], "bool").dataSync(), true);
same<Promise<Float64Array>>()(tf.zeros([2], "float64").data(), true);
same<number[][]>()(t.arraySync(), true);
same<number>()(tf.scalar(1).arraySync(), true);
same<boolean[]>()(tf.zeros([2], "bool").arraySync(), true);
same<bigint[]>()(tf.zeros([2], "int64").arraySync(), true);
same<Promise<number[][]>>()(t.array(), true);
same<Promise<bigint[]>>()(tf.zeros([2], "int64").array(), true);
same<Promise<boolean>>()(tf.scalar(true).array(), true);
same<any>()(unknown.arraySync(), true);
same<number>()(tf.sum(t).itemSync(), true);
same<Promise<bigint>>()(tf.sum(tf.zeros([2], "int64")).item(), true);
same<boolean>()(tf.scalar(true).itemSync(), true);
same<2>()(t.rank, true);
same<number>()(t.size, true);
is<[2, 3], "float32">()(t.clone(), true);
is<[2, 3], "float32">()(t.to("cpu:0"), true);
is<[2, 3], "float32">()(tf.variable(t).clone(), true);
const one: Scalar = tf.scalar(1);
is<[]>()(one, true);
same<void>()(t.dispose(), true);
same<boolean>()(t.isDisposed, true);
same<string>()(`${t.device}${t.toString()}`, true);
export function scoped(): void {
  using temporary = tf.zeros([2]);
  temporary.print();
}

// methods
is<[2, 3]>()(t.add(1), true);
is<[2, 3]>()(t.add([1, 2, 3]), true);
is<[4, 2, 3]>()(t.add(tf.zeros([4, 1, 3])), true);
is<[2, 3], "float64">()(t.mul(tf.zeros([3], "float64")), true);
is<[2, 1]>()(t.sum(-1, true), true);
is<[]>()(t.sum(), true);
is<[3, 2]>()(t.reshape([3, -1]), true);
is<any>()(t.reshape(sizes), true);
is<any>()(unknown.add(t), true);
is<[2, 3]>()(t.exp().neg().add(t.sqrt()), true);
is<[2, 3]>()(tf.variable(t).add(1), true);
declare const condition: boolean;
same<Tensor<[2, 3], "float32"> | Tensor<[4, 3], "float32">>()((condition ? t : tf.zeros([4, 3])).add(1), true);
