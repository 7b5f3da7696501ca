// Groups: kernels that run one after the other and come from one part of the model, or from one line.

/** Kernels of one graph from which on it is shown in groups. */
const many = 60;
/** Groups that are told apart at most; beyond, longer paths of names are cut. */
const maxGroups = 200;

const fileOf = (site) => site?.replace(/^.*[\\/]/, "").replace(/:\d+$/, "");

function keyOf(step, depth) {
  const op = step.ops.find(({ site }) => site) ?? step.ops[0];
  // The first name is that of the whole model.
  const names = op?.scope?.split("/").slice(0, depth);
  const part = names ? names.slice(names.length > 1 ? 1 : 0).join("/") : fileOf(op?.site);
  return `${op?.role ? "∇ " : ""}${part ?? "other"}`;
}

function groupSteps(steps, depth) {
  const groups = [];
  for (const step of steps) {
    const name = keyOf(step, depth);
    if (groups.at(-1)?.name === name) groups.at(-1).steps.push(step);
    else groups.push({ name, steps: [step] });
  }
  return groups;
}

/** What stands at the top of a graph: its kernels, or groups of them. */
export function itemsOf(graph) {
  if (graph.steps.length <= many) return graph.steps;
  let groups = [];
  for (let depth = 6; depth > 0; depth--) {
    groups = groupSteps(graph.steps, depth);
    if (groups.length <= maxGroups) break;
  }
  return groups.map((group) => (group.steps.length === 1 ? group.steps[0] : group));
}
