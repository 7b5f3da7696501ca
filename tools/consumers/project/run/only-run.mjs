export { loadArtifact } from "@millrace/core/run";
