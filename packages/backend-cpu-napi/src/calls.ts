import { type CallSite, captureSites, formatSite } from "@millrace/core/backend";

/** Lines that are told apart: more than programs have, unless they write themselves. */
const maxLines = 1 << 16;

/** The user's lines that queued programs, by number: the addon keeps the number with what may still fail. */
export class Calls {
  private readonly numbers = new Map<string, number>();
  private readonly sites: CallSite[] = [];

  /** The number of the line that is calling, from 1; 0 where it has none. Costs a stack. */
  here(): number {
    const [site] = captureSites(1);
    if (!site) return 0;
    const place = `${formatSite(site)} ${site.scope ?? ""} ${site.role ?? ""}`;
    const known = this.numbers.get(place);
    if (known !== undefined || this.sites.length === maxLines) return known ?? 0;
    this.numbers.set(place, this.sites.push(site));
    return this.sites.length;
  }

  /** The line of a number; undefined for 0. */
  at(call: number): CallSite | undefined {
    return this.sites[call - 1];
  }
}
