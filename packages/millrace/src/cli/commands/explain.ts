import { errorCodes, MillraceError, warningCodes } from "@millrace/core";
import { nearestName } from "@millrace/core/support";

import { errorPages } from "../error-pages.gen.js";
import { print, printJson } from "../output.js";

/** `millrace explain E_SHAPE`: what a code means, how it comes about, and what to do. */
export function explain(given: string, options: { readonly json?: boolean }): void {
  const code = given.toUpperCase();
  const codes = Object.keys(errorPages);
  if (!isCode(code)) {
    const near = nearestName(code, codes);
    const hint = near === undefined ? `the codes are ${codes.join(", ")}` : `did you mean ${near}?`;
    throw new MillraceError("E_ARGUMENT", `explain: there is no code ${given}: ${hint}`);
  }
  const meaning = { ...errorCodes, ...warningCodes }[code];
  if (options.json) printJson({ code, meaning, page: errorPages[code] });
  else print(`${code}: ${meaning}\n\n${errorPages[code].trim()}`);
}

function isCode(code: string): code is keyof typeof errorPages {
  return Object.hasOwn(errorPages, code);
}
