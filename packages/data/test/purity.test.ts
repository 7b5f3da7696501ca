import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as tf from "@millrace/core";
import * as data from "../src/index.js";
import { functionOf, lineIn, numbers, type Row, rejection, rows, valuesOf } from "./helpers.js";

const thisFile = fileURLToPath(import.meta.url);
const lineOf = lineIn(readFileSync(thisFile, "utf8"));

describe("a function that its graph does not do runs as JavaScript, and explain() names the line", () => {
  let n = 0;
  const bank = [tf.tensor([1, 2, 3]), tf.tensor([4, 5, 6])];
  const { log } = console;
  const causes: [string, (x: Row) => unknown, RegExp][] = [
    [
      "Math.random",
      (x) => x.mul(Math.random()), // Math.random
      /^Math\.random was called$/,
    ],
    [
      "Math.random as a callback",
      (x) => x.add(Array.from({ length: 3 }, Math.random)), // Math.random as a callback
      /^Math\.random was called$/,
    ],
    [
      "Date.now",
      (x) => x.mul(Date.now() > 0 ? 1 : 2), // Date.now
      /^Date\.now was called$/,
    ],
    [
      "new Date",
      (x) => x.mul(new Date().getFullYear()), // new Date
      /^new Date was called$/,
    ],
    [
      "Date",
      (x) => x.mul(Date().length), // Date
      /^Date was called$/,
    ],
    [
      "performance.now",
      (x) => x.mul(performance.now()), // performance.now
      /^performance\.now was called$/,
    ],
    [
      "console",
      (x) => {
        console.info(x.shape); // console
        return x;
      },
      /^console\.info was called$/,
    ],
    [
      "a counter",
      (x) => {
        const y = x.add(0.5);
        return y.mul(n++); // a counter
      },
      /^two traces differ: the constant \d+ is \d+ in the second$/,
    ],
    [
      "a counter that meets another constant",
      (x) => {
        const y = x.add(0.5);
        return y.mul(n++ % 2 === 0 ? 0.5 : 7); // a counter that meets another constant
      },
      /^two traces differ: the constant 7 is in one alone$/,
    ],
    [
      "a long array that changes",
      (x) => {
        const weights = numbers(100).map((i) => (i === 70 ? n++ : i));
        return x.mul(tf.tensor(weights).sum()); // a long array that changes
      },
      /^two traces differ: the constant \d+ is \d+ in the second$/,
    ],
    [
      "another op each time",
      (x) => (n++ % 2 === 0 ? x.exp() : x.sin()), // another op each time
      /^two traces differ: (exp is sin|sin is exp) in the second$/,
    ],
    [
      "an attribute that changes",
      (x) => x.expandDims(n++ % 2), // an attribute that changes
      /^two traces differ: shape of reshape: /,
    ],
    [
      "other operands",
      (x) => {
        const [a, b] = [x.exp(), x.sin()];
        return n++ % 2 === 0 ? a.sub(b) : b.sub(a); // other operands
      },
      /^two traces differ: sub has other operands in the second$/,
    ],
    [
      "another tensor from outside",
      (x) => x.add(bank[n++ % 2]!), // another tensor from outside
      /^two traces differ: a tensor from outside is another in the second$/,
    ],
    [
      "a read",
      (x) => x.mul(x.arraySync()[0]!), // a read
      /^arraySync reads a value$/,
    ],
    [
      "an item",
      (x) => (x.sum().itemSync() > 1 ? x : x.neg()), // an item
      /^itemSync reads a value$/,
    ],
  ];
  test.each(causes)("%s", async (mark, f, reason) => {
    console.info = () => {};
    try {
      const ds = rows().map(f);
      tf.dispose(await ds.toArray());
      const { runs, graphs, site, reason: why } = functionOf(ds);
      expect([runs, graphs]).toEqual(["javascript", []]);
      expect(why).toMatch(reason);
      expect([site?.file.replace("file://", ""), site?.line]).toEqual([thisFile, lineOf(mark)]);
      expect(String(ds.explain())).toBe(
        `fromTensorSlices\nmap: plain JavaScript: ${why} at ${thisFile}:${site?.line}:${site?.column}`,
      );
    } finally {
      console.info = log;
    }
  });

  const others: [string, () => data.Dataset<unknown>, string][] = [
    ["an element that is a number", () => data.range(3).map((i) => tf.scalar(i)), "its element holds a number"],
    [
      "a typed array in it",
      () => data.array([{ x: Float32Array.of(1) }]).map(({ x }) => tf.tensor(x)),
      "its element holds a typed array",
    ],
    [
      "a string beside tensors",
      () => data.zip({ x: rows(), label: data.array(["a", "b", "c", "d"]) }).map(({ x }) => x),
      "its element holds a string",
    ],
    ["a number as the result", () => rows().map((x) => x.shape.length), "it returns a number"],
    ["a string in the result", () => rows().map((x) => ({ x, label: "cat" })), "it returns a string"],
    ["nothing as the result", () => rows().map(() => undefined), "it returns no tensor"],
    ["{ trace: false }", () => rows().map((x) => x, { trace: false }), "{ trace: false } was given"],
    ["mapAsync", () => rows().mapAsync(async (x) => x), "its function is awaited"],
    ["a predicate of JavaScript", () => rows().filter((x) => x.shape[0] === 3), "it returns a boolean"],
  ];
  test.each(others)("%s", async (_, make, reason) => {
    const ds = make();
    tf.dispose(await ds.toArray());
    expect(functionOf(ds)).toEqual({ runs: "javascript", graphs: [], reason });
  });

  test("calls of the function: twice to trace it, once for each element where it is plain", async () => {
    const calls = { traced: 0, random: 0, counting: 0 };
    const traced = rows().map((x) => x.add(0 * calls.traced++));
    tf.dispose(await traced.toArray());
    tf.dispose(await traced.toArray());
    const random = rows().map((x) => x.mul(Math.random() + calls.random++));
    tf.dispose(await random.toArray());
    const counting = rows().map((x) => x.mul(calls.counting++));
    tf.dispose(await counting.toArray());
    expect(calls).toEqual({ traced: 2, random: 1 + 4, counting: 2 + 4 });
  });

  test("the console is silent while tracing, and prints once for each element", async () => {
    const printed: unknown[] = [];
    const { log } = console;
    console.log = (...args: unknown[]) => printed.push(args.length);
    try {
      const ds = rows().map((x) => {
        console.log(x, 1);
        return x;
      });
      tf.dispose(await ds.toArray());
    } finally {
      console.log = log;
    }
    expect(printed).toEqual([2, 2, 2, 2]);
  });

  test("a tensor, and a variable, that a function makes once and keeps", async () => {
    let one: tf.Tensor | undefined;
    let two: tf.Variable | undefined;
    const kept = rows(2).map((x) => {
      one ??= tf.keep(tf.tensor([1, 2, 3])); // a kept tensor
      return x.mul(0).add(one);
    });
    expect(await valuesOf(kept)).toEqual([
      [1, 2, 3],
      [1, 2, 3],
    ]);
    expect([functionOf(kept).runs, functionOf(kept).site?.line]).toEqual(["javascript", lineOf("a kept tensor")]);
    const variable = rows(2).map((x) => {
      two ??= tf.variable(2);
      return x.mul(0).add(two);
    });
    expect((await valuesOf(variable))[1]).toEqual([2, 2, 2]);
    tf.dispose([one, two]);
  });

  test("what is watched is put back, also where the function throws", async () => {
    const owned = (): unknown[] => [
      ...[Math.random, Date, Date.now, performance.now, console.log, console.timeEnd],
      Object.hasOwn(performance, "now"),
    ];
    const before = owned();
    const during: unknown[] = [];
    await rejection(
      rows()
        .map(() => {
          during.push(Math.random, Date, Date.now, performance.now, console.log);
          throw new Error("boom");
        })
        .toArray(),
    );
    expect(during.slice(0, 5).some((f, i) => f === before[i])).toBe(false);
    expect(during.slice(5, 10)).toEqual(before.slice(0, 5));
    expect(owned()).toEqual(before);
  });

  test("a date of a given time, and what a stand-in stands for, are as ever", async () => {
    const day = new Date(0);
    const ds = rows().map((x) => {
      const same = new Date(day.getTime());
      return x.mul(same instanceof Date && day instanceof Date ? Date.UTC(1970, 0, 1) + 2 : 0);
    });
    expect(await valuesOf(ds.take(2))).toEqual([
      [0, 2, 4],
      [6, 8, 10],
    ]);
    expect(functionOf(ds.map((x) => x)).runs).toBe("undecided");
    expect(ds.explain().stages[1]!.function?.runs).toBe("traced");
  });
});
