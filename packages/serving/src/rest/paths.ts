import type { ModelSpec } from "../models/registry.js";
import { invalid } from "../status.js";

/** What a request asks for. */
export type Route =
  | { readonly kind: "predict" | "classify" | "regress"; readonly spec: ModelSpec }
  | { readonly kind: "status" | "metadata"; readonly spec: ModelSpec };

const verbs = /^\/v1\/models\/([^/:]+)(?:\/versions\/(\d+)|\/labels\/([^/:]+))?:(classify|regress|predict)$/i;
const queries = /^\/v1\/models(?:\/([^/:]+))?(?:\/versions\/(\d+)|\/labels\/([^/:]+))?(?:\/(metadata))?$/i;
const largestVersion = 2n ** 63n - 1n;

/**
 * Reads the method and path of a request.
 * @throws StatusError INVALID_ARGUMENT where they are none of the contract's
 */
export function routeOf(method: string, path: string): Route {
  const match = method === "POST" ? verbs.exec(path) : method === "GET" ? queries.exec(path) : null;
  if (!match) throw invalid(`Malformed request: ${method} ${path}`);
  const [, name = "", version, label, last] = match;
  const spec = { name: decoded("model name", name), ...versionOf(version, label) };
  if (method === "GET") {
    if (name === "") throw invalid("Missing model name in request.");
    return { kind: last === undefined ? "status" : "metadata", spec };
  }
  // boundary: the expression knows no other verbs
  return { kind: last!.toLowerCase() as "predict" | "classify" | "regress", spec };
}

function versionOf(version: string | undefined, label: string | undefined): Omit<ModelSpec, "name"> {
  if (label !== undefined) return { label: decoded("model version label", label) };
  if (version === undefined) return {};
  if (version.length > 30 || BigInt(version) > largestVersion) {
    throw invalid(`Failed to convert version: ${version} to numeric.`);
  }
  return { version: Number(version) };
}

function decoded(what: string, text: string): string {
  if (!text.includes("%")) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid(`Failed to decode ${what}:${text}`);
  }
}
