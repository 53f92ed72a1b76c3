// Writes a table as text for the terminal, HTML, CSV, Markdown or LaTeX, from a single description of its columns.
import { safeText } from "../text.js";
import { escapeMarkup } from "./markup.js";

/** A cell; null is a missing value. A number that is not finite is treated as null. */
export type TableCell = string | number | null;

/** A row: a cell for each column's key. Further properties are ignored, so result objects can be used as rows. */
export type TableRow<Key extends string = string> = { readonly [K in Key]: TableCell };

/** A column. */
export interface TableColumn<Key extends string = string> {
  /** The property of a row that is shown; also the heading in CSV, so it should carry its unit (`hd95_mm`). */
  readonly key: Key;
  /** The heading for people. */
  readonly title: string;
  /** Unit, put in brackets after the title. */
  readonly unit?: string | undefined;
  /** How to format a number; by default as JavaScript prints it. Not used for CSV, which keeps every digit. */
  readonly format?: ((value: number) => string) | undefined;
}

/** Aligned plain text for the terminal, without a line end after the last row. Control characters are escaped. Footer rows follow a second rule. */
export function textTable<Key extends string>(
  columns: readonly TableColumn<Key>[],
  rows: readonly TableRow<NoInfer<Key>>[],
  footer: readonly TableRow<NoInfer<Key>>[] = [],
): string {
  const everyRow = [...rows, ...footer];
  const shown = columns.map((column) => {
    const cells = everyRow.map((row) => safeText(shownCell(column, row[column.key])));
    const title = safeText(heading(column));
    return {
      cells,
      title,
      numeric: isNumeric(column, everyRow),
      width: Math.max(...[title, ...cells].map(width)),
    };
  });
  const line = (pick: (column: (typeof shown)[number]) => string) =>
    shown
      .map((column) => pad(pick(column), column.width, column.numeric))
      .join("  ")
      .trimEnd();
  const rule = shown.map((column) => "─".repeat(column.width)).join("──");
  const body = everyRow.map((_, index) => line((column) => column.cells[index]));
  if (footer.length > 0) body.splice(rows.length, 0, rule);
  return [line((column) => column.title), rule, ...body].join("\n");
}

/** A `<table>` element; everything is escaped. Columns of numbers carry the class `number`, footer rows are the `<tfoot>`. */
export function htmlTable<Key extends string>(
  columns: readonly TableColumn<Key>[],
  rows: readonly TableRow<NoInfer<Key>>[],
  options: {
    readonly caption?: string | undefined;
    readonly footer?: readonly TableRow<NoInfer<Key>>[] | undefined;
  } = {},
): string {
  const footer = options.footer ?? [];
  const everyRow = [...rows, ...footer];
  const classes = columns.map((column) => (isNumeric(column, everyRow) ? ' class="number"' : ""));
  const header = columns
    .map((column, index) => `<th scope="col"${classes[index]}>${escapeMarkup(heading(column))}</th>`)
    .join("");
  const line = (row: TableRow<Key>) =>
    `<tr>${columns.map((column, index) => `<td${classes[index]}>${escapeMarkup(shownCell(column, row[column.key]))}</td>`).join("")}</tr>`;
  return (
    `<table>${options.caption === undefined ? "" : `<caption>${escapeMarkup(options.caption)}</caption>`}` +
    `<thead><tr>${header}</tr></thead><tbody>${rows.map(line).join("\n")}</tbody>` +
    `${footer.length > 0 ? `<tfoot>${footer.map(line).join("\n")}</tfoot>` : ""}</table>`
  );
}

/**
 * CSV (RFC 4180, with line feeds), headed by the columns' keys. For programs: numbers keep every digit, null is an empty
 * field. Text is made safe: line breaks and control characters are escaped, and an apostrophe is put before text that a
 * spreadsheet would compute (OWASP, "CSV injection"), unless it is a plain number.
 */
export function csvTable<Key extends string>(
  columns: readonly TableColumn<Key>[],
  rows: readonly TableRow<NoInfer<Key>>[],
): string {
  const header = columns.map((column) => csvField(column.key)).join(",");
  const lines = rows.map((row) => columns.map((column) => csvField(existing(row[column.key]))).join(","));
  return `${[header, ...lines].join("\n")}\n`;
}

/** A table of GitHub's Markdown, without a line end after the last row. Columns of numbers are right-aligned; everything is escaped. */
export function markdownTable<Key extends string>(
  columns: readonly TableColumn<Key>[],
  rows: readonly TableRow<NoInfer<Key>>[],
): string {
  const line = (cells: readonly string[]) => `| ${cells.map(markdownText).join(" | ")} |`;
  return [
    line(columns.map(heading)),
    `| ${columns.map((column) => (isNumeric(column, rows) ? "---:" : "---")).join(" | ")} |`,
    ...rows.map((row) => line(columns.map((column) => shownCell(column, row[column.key])))),
  ].join("\n");
}

/**
 * A LaTeX `table` with the rules of booktabs, for `\\input` into a paper that loads that package. Columns of numbers are
 * right-aligned; everything is escaped.
 */
export function latexTable<Key extends string>(
  columns: readonly TableColumn<Key>[],
  rows: readonly TableRow<NoInfer<Key>>[],
  { caption, label }: { readonly caption: string; readonly label: string },
): string {
  const alignment = columns.map((column) => (isNumeric(column, rows) ? "r" : "l")).join("");
  const line = (cells: readonly string[]) => `${cells.map(latexText).join(" & ")} \\\\`;
  return [
    "\\begin{table}",
    "\\centering",
    `\\caption{${latexText(caption)}}`,
    `\\label{${label}}`,
    `\\begin{tabular}{${alignment}}`,
    "\\toprule",
    line(columns.map(heading)),
    "\\midrule",
    ...rows.map((row) => line(columns.map((column) => shownCell(column, row[column.key])))),
    "\\bottomrule",
    "\\end{tabular}",
    "\\end{table}",
    "",
  ].join("\n");
}

/** A format with a fixed number of decimals; a value that rounds to zero has no minus sign. */
export function decimals(count: number): (value: number) => string {
  return (value) => {
    const text = value.toFixed(count);
    return Number(text) === 0 ? text.replace("-", "") : text;
  };
}

const absent = "–";

function existing(cell: TableCell | undefined): TableCell {
  return cell === undefined || (typeof cell === "number" && !Number.isFinite(cell)) ? null : cell;
}

function shownCell(column: TableColumn, cell: TableCell | undefined): string {
  const value = existing(cell);
  if (value === null) return absent;
  return typeof value === "number" ? (column.format ?? String)(value) : value;
}

function heading(column: TableColumn): string {
  return column.unit === undefined ? column.title : `${column.title} (${column.unit})`;
}

function isNumeric<Key extends string>(column: TableColumn<Key>, rows: readonly TableRow<Key>[]): boolean {
  const cells = rows.map((row) => row[column.key]).filter((cell) => cell !== null && cell !== undefined);
  return cells.length > 0 && cells.every((cell) => typeof cell === "number");
}

/** Text as it is, in a Markdown document: nothing of it is markup, HTML or the end of a cell. */
export function markdownText(text: string): string {
  return safeText(text)
    .replace(/[&<>]/g, (character) => escapeMarkup(character))
    .replace(/[\\`*_[\]|~]/g, (character) => `\\${character}`);
}

function latexText(text: string): string {
  return safeText(text).replace(/[\\{}$&#_%~^±–—−≥≤×<>]/g, (character) => latexForms[character] ?? character);
}

/** Escapes for characters that are special in LaTeX, or missing or different in pdflatex's usual fonts. */
const latexForms: Readonly<Record<string, string>> = {
  "\\": "\\textbackslash{}",
  "~": "\\textasciitilde{}",
  "^": "\\textasciicircum{}",
  ...Object.fromEntries([..."{}$&#_%"].map((character) => [character, `\\${character}`])),
  "±": "$\\pm$",
  "–": "--",
  "—": "---",
  "−": "$-$",
  "≥": "$\\geq$",
  "≤": "$\\leq$",
  "×": "$\\times$",
  "<": "$<$",
  ">": "$>$",
};

function width(text: string): number {
  return [...text].length;
}

function pad(text: string, columns: number, right: boolean): string {
  const space = " ".repeat(Math.max(0, columns - width(text)));
  return right ? space + text : text + space;
}

function csvField(cell: TableCell): string {
  if (typeof cell !== "string") return String(cell ?? "");
  const text = safeText(cell);
  const field = /^\s*[=+\-@＝＋－＠]/.test(text) && !plainNumber.test(text) ? `'${text}` : text;
  // Some spreadsheets also split fields at semicolons, and would read the rest as the beginning of a field.
  return /[",;]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
}

const plainNumber = /^[+-]?\d+(\.\d+)?(e[+-]?\d+)?$/i;
