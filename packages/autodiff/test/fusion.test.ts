// The scheduler, proven: programs with loop kernels give what programs of single ops give.
import * as tf from "@millrace/autodiff";
import { ReferenceBackend } from "@millrace/core/backend";
import { buildGraph, negOp, reduceSumOp, schedule, transposeOp, type Value } from "@millrace/core/graph";

tf.registerReferenceBackend();
tf.registerBackend("loops", () => new ReferenceBackend({ name: "loops", fusion: true }), { priority: -2 });

type Body = (...xs: tf.Tensor[]) => tf.Tensor | tf.Tensor[];

/** Deterministic values in (−1, 1). */
const values = (n: number, seed: number): Float32Array =>
  Float32Array.from({ length: n }, (_, i) => Math.sin(i * 12.9898 + seed * 78.233));

function runOn(device: string, body: Body, shapes: readonly (readonly number[])[]): number[][] {
  return tf.device(device, () => {
    const xs = shapes.map((s, i) =>
      tf.tensor(
        values(
          s.reduce((a, b) => a * b, 1),
          i + 1,
        ),
        s,
      ),
    );
    const out = tf.fn(body)(...xs);
    return (Array.isArray(out) ? out : [out]).map((t) => Array.from(t.dataSync(), Number));
  });
}

const cases: Record<string, { body: Body; shapes: number[][] }> = {
  "a chain with a broadcast": {
    body: (x, b) => tf.relu(tf.add(tf.mul(x!, 2), b!)),
    shapes: [[3, 5], [5]],
  },
  "softmax's reductions": {
    body: (x) => {
      const e = tf.exp(tf.sub(x!, tf.max(x!, -1, true)));
      return tf.div(e, tf.sum(e, -1, true));
    },
    shapes: [[4, 7]],
  },
  "a transposed read": {
    body: (x, y) => tf.add(tf.transpose(tf.exp(x!)), y!),
    shapes: [
      [3, 4],
      [4, 3],
    ],
  },
  "a reshape between loops": {
    body: (x) => tf.mul(tf.reshape(tf.exp(x!), [6]), tf.add(tf.reshape(x!, [6]), 1)),
    shapes: [[2, 3]],
  },
  "the first part of a value that is kept whole": {
    body: (x) => {
      const y = tf.add(x!, 1);
      return [tf.exp(tf.slice(y, [0, 0], [1, 2])), y];
    },
    shapes: [[2, 3]],
  },
  "two reductions of one loop": {
    body: (x) => {
      const y = tf.square(x!);
      return [tf.sum(y, 0), tf.sum(tf.mul(y, x!), 0), tf.mean(y), y];
    },
    shapes: [[6, 5]],
  },
  "a value read at its own index and transposed": {
    body: (x) => {
      const y = tf.exp(x!);
      return tf.add(y, tf.transpose(y));
    },
    shapes: [[4, 4]],
  },
  "a step of Adam": {
    body: (w, g, m, v, t) => {
      const step = tf.add(t!, 1);
      const rate = tf.div(tf.mul(0.01, tf.sqrt(tf.sub(1, tf.pow(0.999, step)))), tf.sub(1, tf.pow(0.9, step)));
      const m1 = tf.add(tf.mul(m!, 0.9), tf.mul(g!, 0.1));
      const v1 = tf.add(tf.mul(tf.square(v!), 0.999), tf.mul(tf.square(g!), 0.001));
      return [tf.sub(w!, tf.div(tf.mul(rate, m1), tf.add(tf.sqrt(v1), 1e-7))), m1, v1, step];
    },
    shapes: [[3, 4], [3, 4], [3, 4], [3, 4], []],
  },
  "the gradient of a small network": {
    body: (x, w1, b1, w2) => {
      const loss = (...p: tf.Tensor[]): tf.Tensor =>
        tf.mean(tf.square(tf.matMul(tf.relu(tf.add(tf.matMul(x!, p[0]!), p[1]!)), p[2]!)));
      return tf.grads(loss)([w1!, b1!, w2!]);
    },
    shapes: [[5, 4], [4, 6], [6], [6, 2]],
  },
  slices: {
    body: (x) => tf.add(tf.slice(x!, [1, 0], [2, 3]), tf.reverse(tf.slice(x!, [0, 1], [2, 3]), 1)),
    shapes: [[3, 4]],
  },
};

describe("loops give what single ops give", () => {
  for (const [name, { body, shapes }] of Object.entries(cases)) {
    test(name, () => {
      const [want, got] = [runOn("reference:0", body, shapes), runOn("loops:0", body, shapes)];
      expect(got.length).toBe(want.length);
      // Each op rounds once to float32 in both, so the bits are the same.
      want.forEach((w, i) => {
        expect(got[i]).toEqual(w);
      });
    });
  }

  test("a chain that is longer than the stack is deep", () => {
    const length = 20_000;
    const graph = buildGraph([{ dtype: "float32", shape: [2, 2] }], (builder, [x]) => {
      let y = x!;
      for (let i = 0; i < length; i++) {
        const [turned] = builder.apply(transposeOp, [y], { perm: [1, 0] });
        [y] = builder.apply(negOp, [turned!]) as [Value];
      }
      return builder.apply(reduceSumOp, [y], { axes: [0, 1] });
    });
    const { records } = schedule(graph, [], { fusion: true }).root;
    expect(records.reduce((n, r) => n + (r.kind === "loop" ? r.instructions.length : 0), 0)).toBe(length);
  });

  // Loops over few elements and over many are formed by other rules.
  test.each([4, 66])("random programs of matrices of size %i", (n) => {
    for (let seed = 0; seed < (n > 4 ? 6 : 16); seed++) {
      const body: Body = (...xs) => randomProgram(seed, n, xs);
      const shapes = [[n, n], [n, n], [n], []];
      const [want, got] = [runOn("reference:0", body, shapes), runOn("loops:0", body, shapes)];
      expect({ seed, results: got }).toEqual({ seed, results: want });
    }
  });
});

/** Matrices [n, n] made of the arguments by random ops, and some results. */
function randomProgram(seed: number, n: number, [a, b, v, s]: tf.Tensor[]): tf.Tensor[] {
  let state = seed + 1;
  const below = (n: number): number => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 8) % n;
  };
  const all: tf.Tensor[] = [a!, b!];
  const any = (): tf.Tensor => all[Math.max(0, all.length - 1 - below(6))]!;
  const makes: (() => tf.Tensor)[] = [
    () => tf.add(any(), any()),
    () => tf.mul(any(), any()),
    () => tf.maximum(any(), tf.mul(any(), 0.5)),
    () => tf.tanh(any()),
    () => tf.where(tf.greater(any(), 0), any(), tf.neg(any())),
    () => tf.add(any(), v!),
    () => tf.mul(any(), s!),
    () => tf.sub(any(), tf.mean(any(), -1, true)),
    () => tf.div(any(), tf.add(tf.sum(tf.square(any()), 0), 1)),
    () => tf.transpose(any()),
    () => tf.reverse(any(), below(2)),
    () => tf.reshape(tf.add(tf.reshape(any(), [2, (n * n) / 2]), 1), [n, n]),
    () => tf.reshape(tf.transpose(tf.reshape(any(), [2, n / 2, n]), [1, 0, 2]), [n, n]),
    () => tf.matMul(any(), tf.mul(any(), 0.25)),
    () => tf.concat([tf.slice(any(), [0, 0], [n / 2, n]), tf.slice(any(), [1, 0], [n / 2, n])]),
    () => tf.mul(any(), tf.sum(any())),
  ];
  for (let i = 10 + below(50); i > 0; i--) all.push(makes[below(makes.length)]!());
  return [tf.sum(any(), 0), ...Array.from({ length: 1 + below(4) }, any), tf.mean(any())];
}
