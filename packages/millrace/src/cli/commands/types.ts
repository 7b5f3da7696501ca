// `millrace types`: the signatures of saved models as TypeScript.
import { type ArtifactReport, inspectArtifact } from "@millrace/artifact";
import { getFiles, type NamedAval, type Signature } from "@millrace/core";
import { type FoundModel, findModels } from "../models.js";
import { note, print } from "../output.js";
import "../../index.js";

/** Writes an interface for each model of a directory; `createClient` takes it. */
export async function types(directory: string, options: { readonly out?: string }): Promise<void> {
  const models = findModels(directory);
  const reports = await Promise.all(models.map(({ path }) => inspectArtifact(path)));
  const text = typesText(models.map((model, i) => ({ model, report: reports[i]! })));
  if (options.out === undefined) print(text.trimEnd());
  else {
    await getFiles().write(options.out, new TextEncoder().encode(text));
    note(`${options.out}: ${interfaceNames(models.map(({ name }) => name)).join(", ")}`);
  }
}

/** The module that declares these models. */
export function typesText(
  models: readonly { readonly model: FoundModel; readonly report: Pick<ArtifactReport, "signatures"> }[],
): string {
  const names = interfaceNames(models.map(({ model }) => model.name));
  const declarations = models.map(({ model: { name, version }, report }, i) => {
    const of = JSON.stringify(name).slice(1, -1) + (version === null ? "" : `, version ${version}`);
    const signatures = Object.entries(report.signatures).map(([key, s]) => `  ${keyText(key)}: ${signatureText(s)};\n`);
    return `/** ${of.replaceAll("*/", "")} */\nexport interface ${names[i]} {\n${signatures.join("")}}\n`;
  });
  const address = `http://127.0.0.1:8501/v1/models/${encodeURIComponent(models[0]?.model.name ?? "")}`;
  return `// Written by \`millrace types\`. For a typed client of a server:
//   import { createClient } from "@millrace/serving/client";
//   const client = createClient<${names[0]}>("${address}");

${declarations.join("\n")}`;
}

function signatureText({ inputs, outputs }: Signature): string {
  return `{\n    inputs: ${tensorsText(inputs)};\n    outputs: ${tensorsText(outputs)};\n  }`;
}

function tensorsText(tensors: readonly NamedAval[]): string {
  const each = tensors.map(({ name, dtype, shape }) => {
    return `${keyText(name)}: [${JSON.stringify(dtype)}, [${shape.map((size) => JSON.stringify(size)).join(", ")}]]`;
  });
  return `{ ${each.join("; ")} }`;
}

const keyText = (name: string): string => (/^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name));

/** A name for each model; where two would have the same, the later ones have a number. */
function interfaceNames(models: readonly string[]): string[] {
  const taken = new Set<string>();
  return models.map((model) => {
    const base = interfaceName(model);
    let name = base;
    for (let n = 2; taken.has(name); n++) name = `${base}${n}`;
    taken.add(name);
    return name;
  });
}

/** "digits-cnn" → "DigitsCnn". */
export function interfaceName(name: string): string {
  const words = name.split(/[^A-Za-z0-9]+/).filter((word) => word !== "");
  const joined = words.map((word) => word[0]!.toUpperCase() + word.slice(1)).join("");
  return /^[A-Za-z]/.test(joined) ? joined : `Model${joined}`;
}
