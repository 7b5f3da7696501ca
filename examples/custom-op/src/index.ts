export { cbrt } from "./cbrt.js";
export { mish } from "./mish.js";
