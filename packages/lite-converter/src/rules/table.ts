// Every rule by the op that it lowers. The first that fits is taken, so those that take in more stand in front.
import type { Rule, RuleTable } from "../lower/matcher.js";
import { contractRules } from "./contract.js";
import { elementwiseRules } from "./elementwise.js";
import { affine, plainLinear } from "./linear.js";
import { averagePool, poolingRules } from "./pooling.js";
import { keepsAxes, reduceRules } from "./reduce.js";
import { shapeRules, unstack } from "./shape.js";

const joined: Record<string, readonly Rule[]> = {
  ...elementwiseRules,
  ...poolingRules,
  ...shapeRules,
  ...reduceRules,
  ...contractRules,
  convGeneral: [],
  convInputGrad: [],
};

const inFront: Readonly<Record<string, readonly Rule[]>> = {
  add: [affine],
  sub: [affine],
  mul: [affine],
  div: [averagePool, affine],
  convGeneral: [plainLinear],
  convInputGrad: [plainLinear],
  dotGeneral: [plainLinear],
  reshape: [keepsAxes, unstack],
};

export const rules: RuleTable = Object.fromEntries(
  Object.entries(joined).map(([name, list]) => [name, [...(inFront[name] ?? []), ...list]]),
);
