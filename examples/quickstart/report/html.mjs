// HTML from template literals: what is put in is text, unless it is HTML already.
class Html {
  constructor(text) {
    this.text = text;
  }
}

/** HTML that is trusted as it is: a chart, a style sheet. */
export const raw = (text) => new Html(text);

/** The template with its values: text is escaped, HTML and lists of it are put in as they are. */
export function html(strings, ...values) {
  return new Html(String.raw({ raw: strings }, ...values.map(show)));
}

/** The text of a page. */
export const textOf = (page) => page.text;

/** JSON that may stand in a script element: no `<` is left in it. */
export const jsonFor = (value) => raw(JSON.stringify(value).replaceAll("<", "\\u003c"));

const names = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

function show(value) {
  if (value instanceof Html) return value.text;
  if (Array.isArray(value)) return value.map(show).join("");
  if (value === undefined || value === null || value === false) return "";
  return String(value).replace(/[&<>"']/g, (character) => names[character]);
}
