/** Which of the versions in a model's directory are served: the latest n, all, or those named. */
export type VersionPolicy = "all" | { readonly latest: number } | { readonly specific: readonly number[] };

/** The versions to serve of those that exist, the newest first. */
export function aspire(policy: VersionPolicy, existing: readonly number[]): number[] {
  const newestFirst = [...new Set(existing)].sort((a, b) => b - a);
  if (policy === "all") return newestFirst;
  if ("latest" in policy) return newestFirst.slice(0, policy.latest);
  return newestFirst.filter((version) => policy.specific.includes(version));
}

/** The version that a directory's name stands for, if it is a number. */
export function versionOf(name: string): number | undefined {
  if (!/^\d+$/.test(name)) return undefined;
  const version = Number(name);
  return Number.isSafeInteger(version) ? version : undefined;
}
