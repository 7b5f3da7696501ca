// The user's line that led to an error.
import { platform } from "./platform.js";

/** A place in a program's source. */
export interface CallSite {
  /** A path or URL. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
  /** What asked there, where it is not what the line says: "the gradient of log". */
  readonly role?: string;
  /** The path of named parts, as layers are, that it was asked for in: "sequential/dense_1". */
  readonly scope?: string;
}

/** Frames of the engine, wherever its packages are installed, and of the platform. */
const engineFrame = /[\\/]node_modules[\\/](?:@millrace[\\/]|millrace[\\/])|\(node:|at node:/;

/** In the repository: the folder of the packages. A user's own may be called packages/core too, so its path counts. */
const ownPackages = /(\/[^\s()]*?\/packages\/)core\/(?:src|dist)\//.exec(new Error().stack ?? "")?.[1];
const ownFrame = /^[a-z-]+\/(?:src|dist)\//;

function isEngineFrame(line: string): boolean {
  if (engineFrame.test(line)) return true;
  const at = ownPackages === undefined ? -1 : line.indexOf(ownPackages);
  return at >= 0 && ownFrame.test(line.slice(at + ownPackages!.length));
}

/** The frames of a V8 or Firefox stack that are the user's, innermost first. */
export function userFrames(stack: string, limit = 4): CallSite[] {
  const sites: CallSite[] = [];
  for (const line of stack.split("\n")) {
    if (isEngineFrame(line)) continue;
    const found = /(?:\(|at |at async |@)((?:file:\/\/|[A-Za-z]:[\\/]|https?:\/\/|\/)[^()\s]*?):(\d+):(\d+)\)?$/.exec(
      line.trim(),
    );
    if (!found) continue;
    sites.push({ file: found[1]!, line: Number(found[2]), column: Number(found[3]) });
    if (sites.length === limit) break;
  }
  return sites;
}

/** Who asks for lines now, and what is known of them already. */
interface Asking {
  readonly outer: Asking | undefined;
  readonly role?: string;
  readonly scope?: string;
  /** Whether all that is asked meanwhile is at one place. */
  readonly atOnePlace: boolean;
  /** That place, once somebody has asked. */
  sites?: readonly CallSite[];
}
let asking: Asking | undefined;

function whileAsking<T>(next: Asking, f: () => T): T {
  asking = next;
  try {
    return f();
  } finally {
    asking = next.outer;
  }
}

/**
 * Runs `f`, which the user called once and which asks for its line many times, as an optimizer that is traced does for each
 * op: the line is looked up once.
 */
export function atOneSite<T>(f: () => T): T {
  return asking?.atOnePlace ? f() : whileAsking({ outer: asking, atOnePlace: true }, f);
}

/**
 * Runs `f`, which applies what an op of the user's led to: its ops stand at the sites of that op, where they are known, and
 * `role` says what they are.
 */
export function inRole<T>(role: string, sites: readonly CallSite[] | undefined, f: () => T): T {
  const known = sites && sites.length > 0 ? { sites: sites.map((site) => ({ ...site, role })) } : {};
  return whileAsking({ outer: asking, role, atOnePlace: true, ...known }, f);
}

/** Runs `f`, a part of a model that has a name: its lines know the path of such names. */
export function inScope<T>(name: string, f: () => T): T {
  return whileAsking({ outer: asking, scope: name, atOnePlace: asking?.atOnePlace ?? false }, f);
}

/** The user's call sites that led here. Costs more than an op, so eager code does not ask. */
export function captureSites(limit = 4): CallSite[] {
  return asking ? sitesOf(asking).slice(0, limit) : sitesNow(limit);
}

/** The sites of `atOneSite` or `inRole`; none outside of them, where each would cost a stack. */
export function sharedSites(): readonly CallSite[] {
  return asking?.atOnePlace ? sitesOf(asking) : [];
}

function sitesOf(of: Asking): readonly CallSite[] {
  if (of.sites) return of.sites;
  const { outer, role, scope } = of;
  const found = outer ? sitesOf(outer) : sitesNow(4);
  const known = found.map((site) => ({
    ...site,
    ...(role === undefined ? {} : { role }),
    ...(scope === undefined ? {} : { scope: site.scope === undefined ? scope : `${site.scope}/${scope}` }),
  }));
  if (of.atOnePlace) of.sites = known;
  return known;
}

function sitesNow(limit: number): CallSite[] {
  const depth = platform.Error.stackTraceLimit ?? 10;
  // Not by assignment, which throws where intrinsics are frozen.
  Reflect.set(platform.Error, "stackTraceLimit", 64);
  const { stack } = new Error();
  Reflect.set(platform.Error, "stackTraceLimit", depth);
  return userFrames(stack ?? "", limit);
}

/** `file:line:column` */
export function formatSite(site: CallSite): string {
  return `${site.file.replace(/^file:\/\//, "")}:${site.line}:${site.column}`;
}

/** How the engine shows a line of the user's file; Node's part of the umbrella provides it. */
let readLine: (site: CallSite) => string | undefined = () => undefined;

/** Gives the engine a way to read source lines, where there are files. */
export function provideSourceReader(reader: (site: CallSite) => string | undefined): void {
  readLine = reader;
}

/** A longer line was written by a program, and helps nobody. */
const longestLine = 300;

/** A message and the user's line with a caret, or the place alone where its file is not readable. */
export function withSite(message: string, site: CallSite | undefined): string {
  if (!site) return message;
  const line = readLine(site);
  const at = `${message}\n  at ${formatSite(site)}${site.scope ? `, in ${site.scope}` : ""}${site.role ? `, for ${site.role}` : ""}`;
  return line === undefined || line.length > longestLine
    ? at
    : `${at}\n    ${line}\n    ${" ".repeat(Math.max(0, site.column - 1))}^`;
}
