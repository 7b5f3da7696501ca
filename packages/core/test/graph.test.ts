// Graphs, passes and programs: legal after every pass, printed as expected, and read back as they were written.

import { isMillraceError } from "@millrace/core";
import { decodeProgram, encodeProgram } from "@millrace/core/backend";
import {
  addOp,
  broadcastInDimOp,
  condOp,
  constantOp,
  expOp,
  formatShape,
  type Graph,
  GraphBuilder,
  mulOp,
  negOp,
  optimize,
  printGraph,
  printOp,
  reduceSumOp,
  softmaxOp,
  symbol,
  transposeOp,
  type Value,
  verify,
} from "@millrace/core/graph";
import { schedule, symbolsOfGraph } from "../src/schedule/schedule.js";

const f32 = (...shape: (number | ReturnType<typeof symbol>)[]) => ({
  dtype: "float32" as const,
  shape,
});
const one = (values: readonly Value[]): Value => values[0]!;

/** x·1 + softmax(−(−x)), with a symbolic batch. */
function sample(): Graph {
  const b = new GraphBuilder();
  const x = b.param(f32(symbol("B", 2), 3));
  const scalar = one(
    b.apply(constantOp, [], {
      dtype: "float32",
      shape: [],
      data: Float32Array.of(1),
    }),
  );
  const ones = one(b.apply(broadcastInDimOp, [scalar], { shape: x.aval.shape, dims: [] }));
  const twice = one(b.apply(negOp, b.apply(negOp, [x])));
  const soft = one(b.apply(softmaxOp, [twice], { axis: 1 }));
  return b.finish([one(b.apply(addOp, [one(b.apply(mulOp, [x, ones])), soft]))]);
}

describe("a builder", () => {
  test("makes equal applications one node, and keeps different attributes apart", () => {
    const b = new GraphBuilder();
    const x = b.param(f32(2, 3));
    expect(one(b.apply(expOp, [x]))).toBe(one(b.apply(expOp, [x])));
    const [p, q] = [one(b.apply(transposeOp, [x], { perm: [1, 0] })), one(b.apply(transposeOp, [x], { perm: [0, 1] }))];
    expect(p).not.toBe(q);
    expect(formatShape(p.aval.shape)).toBe("[3,2]");
  });
  test("refuses values of another graph", () => {
    const foreign = new GraphBuilder().param(f32(2));
    expect(() => new GraphBuilder().apply(expOp, [foreign])).toThrow(/another graph/);
  });
  test("keeps an undecided comparison as a guard", () => {
    const b = new GraphBuilder();
    const [x, y] = [b.param(f32(symbol("A"))), b.param(f32(symbol("B")))];
    const graph = b.finish(b.apply(addOp, [x, y]));
    expect(graph.guards.map((g) => `${g.a} ${g.kind} ${g.b}`)).toEqual(["A eq B"]);
  });
});

describe("verify", () => {
  test("finds nothing wrong with a graph of a builder", () => expect(verify(sample(), "traced")).toEqual([]));
  test("names what is illegal", () => {
    const graph = sample();
    const broken = { ...graph, nodes: [...graph.nodes].reverse() };
    const problems = verify(broken, "lowered").join("\n");
    for (const rule of ["G1", "G3", "G5"]) expect(problems).toContain(rule);
    const lying = Object.freeze({
      ...graph,
      nodes: Object.freeze(graph.nodes.map((n) => Object.freeze({ ...n, outs: [f32(7)] }))),
    });
    expect(verify(lying, "traced").join("\n")).toContain("G2");
  });
});

describe("passes", () => {
  test("leave a legal graph each, and the printed one at the end", () => {
    const graph = optimize(
      sample(),
      () => false,
      (pass, g) => {
        expect([pass.name, verify(g, pass.to)]).toEqual([pass.name, []]);
      },
    );
    expect(printGraph(graph)).toMatchInlineSnapshot(`
      "graph lowered (%0: float32[B,3]) {
        %1: float32[B] = reduceMax(%0) {axes: [1]}
        %2: float32[B,3] = broadcastInDim(%1) {dims: [0], shape: [B,3]}
        %3: float32[B,3] = sub(%0, %2)
        %4: float32[B,3] = exp(%3)
        %5: float32[B] = reduceSum(%4) {axes: [1]}
        %6: float32[B,3] = broadcastInDim(%5) {dims: [0], shape: [B,3]}
        %7: float32[B,3] = div(%4, %6)
        %8: float32[B,3] = add(%0, %7)
        return %8
      }"
    `);
  });
  test("keep composites that are claimed", () => {
    const graph = optimize(sample(), (op) => op.name === "softmax");
    expect(graph.nodes.map((n) => n.op.name)).toEqual(["softmax", "add"]);
    expect(verify(graph, "lowered", (op) => op.name === "softmax")).toEqual([]);
  });
  test("do not rewrite x + 0, which would turn −0 into 0's place", () => {
    const b = new GraphBuilder();
    const x = b.param(f32());
    const zero = one(
      b.apply(constantOp, [], {
        dtype: "float32",
        shape: [],
        data: Float32Array.of(0),
      }),
    );
    expect(optimize(b.finish(b.apply(addOp, [x, zero])), () => false).nodes.length).toBe(2);
  });
});

describe("programs", () => {
  const programs = [true, false].map((fusion) => {
    const graph = optimize(sample(), () => false);
    return schedule(graph, [...symbolsOfGraph(graph)], { fusion });
  });

  test("are read back as they were written", () => {
    for (const program of programs) {
      const again = decodeProgram(encodeProgram(program));
      expect(again.root).toEqual(program.root);
      expect([again.exprs, again.guards]).toEqual([program.exprs, program.guards]);
      expect(again.constants.map((c) => [...c])).toEqual(program.constants.map((c) => [...c]));
    }
  });
  test("that were damaged are refused with a code, or read", () => {
    const bytes = encodeProgram(programs[0]!);
    let state = 12345;
    const random = (n: number): number => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      return state % n;
    };
    for (let i = 0; i < 3000; i++) {
      const broken = bytes.slice(0, i % 3 === 0 ? random(bytes.length) : bytes.length);
      for (let k = 0; k <= random(3); k++) if (broken.length > 0) broken[random(broken.length)] = random(256);
      try {
        decodeProgram(broken);
      } catch (error) {
        expect(isMillraceError(error, "E_FORMAT") || isMillraceError(error, "E_VERSION")).toBe(true);
      }
    }
  });
  test("have one loop for a chain that ends in a reduction", () => {
    const b = new GraphBuilder();
    const x = b.param(f32(4, 5));
    const y = one(b.apply(expOp, b.apply(negOp, [x])));
    const graph = optimize(b.finish(b.apply(reduceSumOp, [y], { axes: [1] })), () => false);
    const { records } = schedule(graph, [], { fusion: true }).root;
    expect(records.map((r) => r.kind)).toEqual(["loop"]);
  });
});

test("passes keep the lines of the nodes that they keep", () => {
  const b = new GraphBuilder();
  const site = { file: "user.ts", line: 3, column: 7 };
  const [y] = b.apply(expOp, [b.param(f32(2))], {}, [], [site]);
  const graph = optimize(b.finish([y!]), () => false);
  expect(graph.nodes.map((node) => node.sites)).toEqual([[site]]);
});

describe("equal control flow", () => {
  /** cond(p, −x, e^x), or with a print in its first branch. */
  function branch(b: GraphBuilder, p: Value, x: Value, isPrinting = false): Value {
    const region = (build: (r: GraphBuilder, y: Value) => Value): Graph => {
      const r = new GraphBuilder();
      return r.finish([build(r, r.param(x.aval))]);
    };
    const yes = region((r, y) => one(r.apply(negOp, isPrinting ? r.apply(printOp, [y], { message: "" }) : [y])));
    const no = region((r, y) => one(r.apply(expOp, [y])));
    return one(b.apply(condOp, [p, x], {}, [yes, no]));
  }
  const conds = (isPrinting: boolean): string[] => {
    const b = new GraphBuilder();
    const [p, x] = [b.param({ dtype: "bool", shape: [] }), b.param(f32(2))];
    const sum = one(b.apply(addOp, [branch(b, p, x, isPrinting), branch(b, p, x, isPrinting)]));
    branch(b, p, sum, isPrinting); // nobody reads it
    const after: Graph[] = [];
    const graph = optimize(
      b.finish([sum]),
      () => false,
      (_, g) => after.push(g),
    );
    for (const g of after) expect(verify(g, g.stage)).toEqual([]);
    return graph.nodes
      .filter((node) => node.op === condOp)
      .map((node) => node.outs.map((a) => formatShape(a.shape)).join());
  };
  test("runs once, and not at all where nobody reads it", () => expect(conds(false)).toEqual(["[2]"]));
  test("runs as often as written where something in it has an effect", () =>
    expect(conds(true)).toEqual(["[2]", "[2]", "[2]"]));
});
