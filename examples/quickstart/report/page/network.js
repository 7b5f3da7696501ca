// The network as the page sees it: it is asked for pixels and answers with ten probabilities.

/** Starts it from the page's own text: the worker's script, and the files of the model in base64. */
export function startNetwork(script, files, { answered, failed }) {
  const worker = new Worker(URL.createObjectURL(new Blob([script], { type: "text/javascript" })));
  let isBusy = true;
  let next;
  const send = () => {
    if (isBusy || next === undefined) return;
    isBusy = true;
    worker.postMessage({ pixels: next });
    next = undefined;
  };
  worker.onmessage = ({ data }) => {
    if (data.error) failed(data.error);
    if (data.probabilities) answered(data.probabilities);
    isBusy = false;
    send();
  };
  worker.onerror = ({ message }) => failed(message);
  worker.postMessage({ files: Object.fromEntries(Object.entries(files).map(([name, text]) => [name, bytesOf(text)])) });
  return {
    /** Asks for these pixels; a question that was not put yet is dropped for it. */
    ask(pixels) {
      next = pixels;
      send();
    },
  };
}

/** The bytes of base64. */
export function bytesOf(text) {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}
