// Text in a cell of CSV that a spreadsheet opens: what it would take for a formula begins with an apostrophe (OWASP, CSV injection).
// What was written so is read as it was.

/** Also in full width. */
const FORMULA = /^[=+\-@\t\r\uFF1D\uFF0B\uFF0D\uFF20]/u;

export const toCsvCell = (text: string): string => (FORMULA.test(text.replace(/^'+/, '')) ? `'${text}` : text);

/** What `toCsvCell` was given. Text of others, which has an apostrophe before a formula, loses it. */
export const fromCsvCell = (cell: string): string =>
  cell.startsWith("'") && FORMULA.test(cell.replace(/^'+/, '')) ? cell.slice(1) : cell;
