// A kernel and the loop that goes on with its result run as one step, with the bits of two.
import { CpuBackend, createCpuBackend } from "@millrace/backend-cpu-napi";
import * as tf from "@millrace/core";
import { decodeProgram, type Executable, encodeProgram, type Region } from "@millrace/core/backend";

const together = createCpuBackend();
class Separate extends CpuBackend {
  override readonly name: string = "apart";
  override devices(): { name: string; description: string }[] {
    return [{ name: "apart:0", description: "kernels and loops apart" }];
  }
  override compile(bytes: Uint8Array): Executable {
    return super.compile(apart(bytes));
  }
}
const separate = new Separate();
tf.registerBackend("cpu", () => together, { priority: 10 });
tf.registerBackend("apart", () => separate);

/** The program with a loop of its own after each kernel, so that no kernel is followed by its reader. */
function apart(bytes: Uint8Array): Uint8Array {
  const program = decodeProgram(bytes);
  const spread = (region: Region): Region => {
    const slots = [...region.slots];
    const records = region.records.flatMap((record): Region["records"][number][] => {
      if (record.kind !== "library") return [record];
      const slot = slots.push({ dtype: "float32", dims: [] }) - 1;
      const zero = { op: "constant", dtype: "float32", args: [], immediate: 0n } as const;
      const nothing = {
        kind: "loop",
        extents: [],
        loads: [],
        instructions: [zero],
        stores: [{ slot, value: 0 }],
      } as const;
      return [{ ...record, regions: record.regions.map(spread) }, nothing];
    });
    return { ...region, slots, records };
  };
  return encodeProgram({ ...program, root: spread(program.root) });
}

type Body = (...xs: tf.Tensor[]) => tf.Tensor[];

/** The bits of the results, and how many kernels ran. */
function runOn(device: string, body: Body, shapes: readonly (readonly number[])[]): [Uint8Array[], number] {
  return tf.device(device, () => {
    const xs = shapes.map((shape, i) => tf.randomNormal(shape, 0, 1, "float32", i + 1));
    const f = tf.fn(body);
    f(...xs);
    const backend = device === "cpu" ? together : separate;
    const before = backend.stats().kernels;
    const results = f(...xs).map((t) => new Uint8Array(t.dataSync().buffer));
    return [results, backend.stats().kernels - before];
  });
}

/** Bodies, the shapes of their arguments, and their kernels, those with a tail counted once. */
const cases: Record<string, { body: Body; shapes: number[][]; kernels: number }> = {
  "dense, bias and relu": {
    body: (x, w, b) => [tf.relu(tf.add(tf.matMul(x!, w!), b!))],
    shapes: [[130, 70], [70, 90], [90]],
    kernels: 1,
  },
  "a value kept for the gradient beside gelu of it, and a cast": {
    body: (x, w, b) => {
      const h = tf.add(tf.matMul(x!, w!), b!);
      return [h, tf.gelu(h), tf.cast(h, "float64"), tf.greater(h, 0)];
    },
    shapes: [[4, 33, 40], [40, 160], [160]],
    kernels: 1,
  },
  "convolution, batch norm, relu6 and a residual": {
    body: (x, w, mean, variance, beta) => {
      const y = tf.conv2d(x!, w!, 1, "same");
      const scaled = tf.mul(tf.sub(y, mean!), tf.rsqrt(tf.add(tf.square(variance!), 1e-3)));
      return [tf.add(tf.clipByValue(tf.add(scaled, beta!), 0, 6), x!)];
    },
    shapes: [[2, 19, 17, 8], [3, 3, 8, 8], [8], [8], [8]],
    kernels: 2,
  },
  "operands that die with the kernel, where the tail could store": {
    body: (x, w) => {
      const a = tf.exp(tf.neg(x!));
      return [tf.mul(tf.add(tf.matMul(a, tf.tanh(w!)), a), 2)];
    },
    shapes: [
      [96, 96],
      [96, 96],
    ],
    kernels: 3,
  },
};

test.each(Object.entries(cases))("%s", (_, { body, shapes, kernels }) => {
  const [bits, count] = runOn("cpu", body, shapes);
  expect(bits).toEqual(runOn("apart", body, shapes)[0]);
  expect(count).toBe(kernels);
});
