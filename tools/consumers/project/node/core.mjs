// Core without the umbrella: the reference backend, registered by hand.
import { grad } from "@millrace/autodiff";
import { getBackend, registerReferenceBackend, square, sum, tensor } from "@millrace/core";

registerReferenceBackend();
const slope = grad((x) => sum(square(x)))(tensor([1, 2, 3]));
console.log(JSON.stringify({ y: await slope.array(), backend: getBackend(), node: process.version }));
