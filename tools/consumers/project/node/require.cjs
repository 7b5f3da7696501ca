// Plain JavaScript with require, which Node can do with ES modules since 20.19.
const core = require("@millrace/core");
const { grad } = require("@millrace/autodiff");

core.registerReferenceBackend();
const slope = grad((x) => core.sum(core.square(x)))(core.tensor([1, 2, 3]));
console.log(JSON.stringify({ y: slope.arraySync(), backend: core.getBackend(), node: process.version }));
