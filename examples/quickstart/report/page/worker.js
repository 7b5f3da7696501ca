// The network in a thread of its own, so that drawing never waits for it.
import { ReferenceBackend } from "@millrace/core/backend";
import { loadArtifact } from "@millrace/core/run";

let model;

self.onmessage = async ({ data }) => {
  try {
    if (data.files) {
      model = await loadArtifact(data.files, { backend: new ReferenceBackend() });
      self.postMessage({ ready: true });
      return;
    }
    const { output } = await model.run({ input: { dtype: "float32", shape: [1, 28, 28, 1], data: data.pixels } });
    self.postMessage({ probabilities: output.data });
  } catch (error) {
    self.postMessage({ error: String(error) });
  }
};
