export { HostExecutable } from "./runtime/host-executable.js";
