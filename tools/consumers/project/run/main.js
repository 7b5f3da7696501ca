// Loads a saved network in the page, asks it what Node asked it, and puts what it says into #result as JSON.
import { ReferenceBackend } from "@millrace/core/backend";
import { loadArtifact } from "@millrace/core/run";

const bytesOf = async (name) => new Uint8Array(await (await fetch(`saved/${name}`)).arrayBuffer());

async function ask() {
  const { image, probabilities: want } = await (await fetch("saved/asked.json")).json();
  const backend = new ReferenceBackend();
  const network = await loadArtifact(bytesOf, { backend });
  const input = { dtype: "float32", shape: [2, 28, 28, 1], data: Float32Array.from(image) };
  await network.run({ image: input });
  const start = performance.now();
  const { probabilities } = await network.run({ image: input });
  const milliseconds = performance.now() - start;
  const wrong = await network.run({}).then(
    () => "nothing",
    ({ code }) => code,
  );
  const { metadata } = network;
  network.dispose();
  const { liveBuffers } = backend.stats();
  return { probabilities: [...probabilities.data], want, milliseconds, wrong, metadata, liveBuffers };
}

const show = (result) => {
  document.getElementById("result").textContent = JSON.stringify(result);
};
ask().then(show, (error) => show({ error: `${error.stack}` }));
