// A graph is saved in memory, and runs without the engine.
import { artifactFiles } from "@millrace/artifact";
import * as core from "@millrace/core";
import { ReferenceBackend } from "@millrace/core/backend";
import { loadArtifact } from "@millrace/core/run";

core.registerReferenceBackend();
const w = core.variable([2, 3], { name: "w" });
const scale = core.nameFunction("scale", ({ x }) => core.mul(x, w), { x: { shape: ["batch", 2] } });
const backend = new ReferenceBackend();
const loaded = await loadArtifact(await artifactFiles([scale]), { backend });
const { output } = await loaded.run({ x: { dtype: "float32", shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) } });
console.log(JSON.stringify({ y: [...output.data], backend: backend.name, node: process.version }));
