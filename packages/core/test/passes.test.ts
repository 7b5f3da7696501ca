// Each pass by itself: the graph is legal after it and gives the same values, and the golden print shows what changed.
import * as tf from "@millrace/core";
import {
  engine,
  evaluateGraph,
  type Graph,
  passesFor,
  printGraph,
  type TensorImpl,
  verify,
} from "@millrace/core/graph";
import { watchNumerics } from "../src/passes/watch-numerics.js";

tf.registerReferenceBackend();
const x = tf.tensor([[1, -2, 3]]);
const claims = (): boolean => false;

/** The values of a graph, node by node in eager code. */
function values(graph: Graph): unknown[] {
  // boundary: every tensor is a TensorImpl
  const asImpl = (ys: readonly tf.Tensor[]): readonly TensorImpl[] => ys as unknown as readonly TensorImpl[];
  // boundary: as above
  const asTensors = (ys: readonly TensorImpl[]): readonly tf.Tensor[] => ys as unknown as readonly tf.Tensor[];
  const made = evaluateGraph<TensorImpl>(graph, asImpl([x]), (op, ins, attrs, regions) =>
    asImpl(engine.apply(op, asTensors(ins), attrs, regions)),
  );
  return made.map((y) => y.arraySync());
}

const passes = passesFor(claims);
const [lower, dce, mergeRegions, simplify] = passes;

/** What the pass makes of f's graph, once the passes `before` it have run. */
function after(
  pass: (typeof passes)[number],
  before: readonly (typeof pass)[],
  f: (x: tf.Tensor) => tf.Tensor,
): string {
  const traced = tf.fn(f).graph(x);
  const given = before.reduce((graph, one) => one.run(graph), traced);
  const made = pass.run(given);
  expect([verify(given, pass.from, claims), verify(made, pass.to, claims)]).toEqual([[], []]);
  expect(values(made)).toEqual(values(traced));
  return printGraph(made);
}

test("there is a golden print of each pass", () => {
  expect(passes.map(({ name }) => name)).toEqual(["lower", "dce", "mergeRegions", "simplify", "dce"]);
});

test("lower: a composite becomes its decomposition", () => {
  expect(after(lower!, [], (v) => tf.logSumExp(v))).toMatchInlineSnapshot(`
    "graph lowered (%0: float32[1,3]) {
      %1: float32[] = reduceMax(%0) {axes: [0,1]}
      %2: bool[] = isFinite(%1)
      %3: float32[] = constant() {data: Float32Array(0), dtype: "float32", shape: []}
      %4: float32[] = select(%2, %1, %3)
      %5: float32[1,3] = broadcastInDim(%4) {dims: [], shape: [1,3]}
      %6: float32[1,3] = sub(%0, %5)
      %7: float32[1,3] = exp(%6)
      %8: float32[] = reduceSum(%7) {axes: [0,1]}
      %9: float32[] = log(%8)
      %10: float32[] = add(%9, %4)
      return %10
    }"
  `);
});

test("dce: what nothing needs goes, what has an effect stays", () => {
  const f = (v: tf.Tensor): tf.Tensor => {
    tf.exp(v);
    tf.debugging.assertLess(v, 4);
    return tf.tanh(v);
  };
  expect(after(dce!, [lower!], f)).toMatchInlineSnapshot(`
    "graph lowered (%0: float32[1,3]) {
      %1: float32[] = constant() {data: Float32Array(4), dtype: "float32", shape: []}
      %2: float32[1,3] = broadcastInDim(%1) {dims: [], shape: [1,3]}
      %3: bool[1,3] = lt(%0, %2)
      %4: bool[] = reduceAnd(%3) {axes: [0,1]}
      %5: bool[] = assert(%4, %4) {message: "assertLess: needs x < y"}
      %6: float32[1,3] = tanh(%0)
      return %6
    }"
  `);
});

test("mergeRegions: equal control flow once", () => {
  const twice = (v: tf.Tensor): tf.Tensor =>
    tf.cond(
      v.sum().greater(0),
      () => tf.sin(v),
      () => v,
    );
  expect(after(mergeRegions!, [lower!, dce!], (v) => twice(v).mul(twice(v)))).toMatchInlineSnapshot(`
    "graph lowered (%0: float32[1,3]) {
      %1: float32[] = reduceSum(%0) {axes: [0,1]}
      %2: float32[] = constant() {data: Float32Array(0), dtype: "float32", shape: []}
      %3: bool[] = gt(%1, %2)
      %4: float32[1,3] = cond(%3, %0)
        graph lowered (%0: float32[1,3]) {
          %1: float32[1,3] = sin(%0)
          return %1
        }
        graph lowered (%0: float32[1,3]) {
          return %0
        }
      %5: float32[1,3] = mul(%4, %4)
      return %5
    }"
  `);
});

test("simplify: constants are computed, and what gives the same bits is left out", () => {
  const f = (v: tf.Tensor): tf.Tensor => {
    const six = tf.mul(tf.scalar(2), tf.scalar(3));
    return v.mul(1).neg().neg().transpose().transpose().mul(six);
  };
  expect(after(simplify!, [lower!, dce!, mergeRegions!], f)).toMatchInlineSnapshot(`
    "graph lowered (%0: float32[1,3]) {
      %1: float32[] = constant() {data: Float32Array(2), dtype: "float32", shape: []}
      %2: float32[] = constant() {data: Float32Array(3), dtype: "float32", shape: []}
      %3: float32[] = constant() {data: Float32Array(6), dtype: "float32", shape: []}
      %4: float32[] = constant() {data: Float32Array(1), dtype: "float32", shape: []}
      %5: float32[1,3] = broadcastInDim(%4) {dims: [], shape: [1,3]}
      %6: float32[1,3] = neg(%0)
      %7: float32[3,1] = transpose(%0) {perm: [1,0]}
      %8: float32[1,3] = broadcastInDim(%3) {dims: [], shape: [1,3]}
      %9: float32[1,3] = mul(%0, %8)
      return %9
    }"
  `);
});

test("watchNumerics: assertions behind what may make the first NaN or ∞", () => {
  expect(after(watchNumerics, [], (v) => tf.abs(v)).replaceAll(/\\n[^"]*/g, " at …")).toMatchInlineSnapshot(`
    "graph traced (%0: float32[1,3]) {
      %1: bool[1,3] = ne(%0, %0)
      %2: bool[] = reduceOr(%1) {axes: [0,1]}
      %3: bool[] = not(%2)
      %4: bool[] = assert(%3, %3) {message: "tf.debugging.enableCheckNumerics: operand 0 of abs has NaN from outside at …"}
      %5: float32[1,3] = abs(%0)
      %6: bool[1,3] = ne(%5, %5)
      %7: bool[] = reduceOr(%6) {axes: [0,1]}
      %8: bool[] = not(%7)
      %9: bool[] = assert(%8, %8) {message: "tf.debugging.enableCheckNumerics: abs made NaN at …"}
      %10: bool[1,3] = isFinite(%0)
      %11: bool[1,3] = or(%10, %1)
      %12: bool[1,3] = not(%11)
      %13: bool[] = reduceOr(%12) {axes: [0,1]}
      %14: bool[1,3] = isFinite(%5)
      %15: bool[1,3] = or(%14, %6)
      %16: bool[1,3] = not(%15)
      %17: bool[] = reduceOr(%16) {axes: [0,1]}
      %18: bool[] = not(%17)
      %19: bool[] = or(%18, %13)
      %20: bool[] = assert(%19, %19) {message: "tf.debugging.enableCheckNumerics: abs made ∞ of finite operands at …"}
      return %5
    }"
  `);
});
