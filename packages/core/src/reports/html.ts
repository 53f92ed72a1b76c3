// Writes a report as a self-contained HTML file: no scripts, no links to other files.
import { base64, escapeMarkup } from "./markup.js";
import { htmlTable, type TableColumn, type TableRow } from "./table.js";

/** The content of a report. Every text is plain text and is escaped. */
export interface Report {
  readonly title: string;
  /** The data that the results were measured on, for instance "phantom"; shown at the top and on every table and picture. */
  readonly dataLabel: string;
  /** The findings, one sentence each. */
  readonly summary: readonly string[];
  readonly sections: readonly Section[];
}

/** A part of a report. */
export interface Section {
  readonly heading: string;
  readonly blocks: readonly Block[];
}

/** The kinds of content of a section. */
export type Block =
  | { readonly kind: "paragraph"; readonly text: string }
  | {
      readonly kind: "table";
      readonly caption: string;
      readonly columns: readonly TableColumn[];
      readonly rows: readonly TableRow[];
      readonly footer?: readonly TableRow[] | undefined;
      /** The data that its results were measured on, if different from the report's. */
      readonly dataLabel?: string | undefined;
    }
  /** An SVG element as the chart functions of this library write it. It is put into the page as it is: never pass markup from elsewhere. */
  | { readonly kind: "svg"; readonly svg: string; readonly caption: string }
  | {
      readonly kind: "png";
      readonly png: Uint8Array;
      readonly alternativeText: string;
      readonly caption: string;
    }
  /** Commands to run again, one a line. */
  | { readonly kind: "code"; readonly text: string };

/** The report as a whole HTML document. Its content policy forbids scripts and requests, so a malicious case name can do nothing. */
export function reportHtml(report: Report): string {
  const summary =
    report.summary.length === 0
      ? ""
      : `<ul class="summary">${report.summary.map((text) => `<li>${escapeMarkup(text)}</li>`).join("")}</ul>`;
  const sections = report.sections.map(
    ({ heading, blocks }) =>
      `<section>\n<h2>${escapeMarkup(heading)}</h2>\n${blocks.map((block) => blockHtml(block, report.dataLabel)).join("\n")}\n</section>`,
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeMarkup(report.title)} (${escapeMarkup(report.dataLabel)})</title>
<style>${style}</style>
</head>
<body>
<p class="banner" role="note">Research use only — not a medical device</p>
<main>
<header>
<h1>${escapeMarkup(report.title)}</h1>
<p>Data: ${label(report.dataLabel)}</p>
${summary}
</header>
${sections.join("\n")}
</main>
</body>
</html>
`;
}

/** A table block from rows of any type that has the columns' keys. */
export function tableBlock<Key extends string>(
  caption: string,
  columns: readonly TableColumn<Key>[],
  rows: readonly TableRow<NoInfer<Key>>[],
  footer: readonly TableRow<NoInfer<Key>>[] = [],
): Block {
  const shown = (row: TableRow<Key>): TableRow =>
    Object.fromEntries(columns.map(({ key }) => [key, row[key]]));
  return { kind: "table", caption, columns, rows: rows.map(shown), footer: footer.map(shown) };
}

function blockHtml(block: Block, dataLabel: string): string {
  switch (block.kind) {
    case "paragraph":
      return `<p>${escapeMarkup(block.text)}</p>`;
    case "table":
      return `<figure>${caption(block.caption, block.dataLabel ?? dataLabel)}<div class="scroll" tabindex="0">${htmlTable(block.columns, block.rows, { footer: block.footer })}</div></figure>`;
    case "svg":
      return `<figure class="chart">${block.svg}${caption(block.caption, dataLabel)}</figure>`;
    case "png":
      return (
        `<figure class="picture"><div class="scroll" tabindex="0"><img src="data:image/png;base64,${base64(block.png)}" alt="${escapeMarkup(block.alternativeText)}"></div>` +
        `${caption(block.caption, dataLabel)}</figure>`
      );
    case "code":
      return `<pre><code>${escapeMarkup(block.text)}</code></pre>`;
  }
}

function caption(text: string, dataLabel: string): string {
  return `<figcaption>${label(dataLabel)} ${escapeMarkup(text)}</figcaption>`;
}

function label(text: string): string {
  return `<span class="label">${escapeMarkup(text)}</span>`;
}

const style = `
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0; color: #1d2329; background: #fff; font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
.banner { margin: 0; padding: 8px 16px; background: #fff4d6; border-bottom: 1px solid #e0c36a; text-align: center; font-weight: 600; font-size: 14px; }
main { max-width: 960px; margin: 0 auto; padding: 16px 16px 64px; }
h1 { margin: 20px 0 4px; font-size: 28px; line-height: 1.2; overflow-wrap: anywhere; }
h2 { margin: 40px 0 12px; padding-bottom: 4px; font-size: 20px; border-bottom: 1px solid #d5dae0; overflow-wrap: anywhere; }
p, li, figcaption { overflow-wrap: anywhere; }
main p, .summary { max-width: 44em; }
.summary { padding-left: 1.2em; }
.label { display: inline-block; padding: 0 8px; border: 1px solid #7a5a00; border-radius: 10px; color: #5c4400; background: #fff9e8; font-size: 12px; font-weight: 600; line-height: 18px; }
figure { margin: 20px 0; }
figcaption { margin: 6px 0; color: #46505a; font-size: 14px; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 14px; font-variant-numeric: tabular-nums; }
th, td { padding: 5px 14px 5px 0; text-align: left; border-bottom: 1px solid #e3e7eb; white-space: nowrap; }
th { border-bottom: 2px solid #57606a; font-weight: 600; white-space: normal; vertical-align: bottom; }
.number { text-align: right; padding: 5px 0 5px 14px; }
.number + :not(.number) { padding-left: 14px; }
tfoot td { border-top: 2px solid #57606a; border-bottom: 0; font-weight: 600; }
tfoot tr + tr td { border-top: 0; }
.chart svg { display: block; width: 100%; max-width: 640px; height: auto; }
/* Two charts side by side where there is room: drawn for a phone, they are large enough. */
@media print, (min-width: 900px) { .chart { display: inline-block; width: 48%; margin-right: 1.5%; vertical-align: top; } }
.picture img { display: block; width: 100%; min-width: 640px; height: auto; background: #000; }
pre { padding: 12px 14px; background: #f4f6f8; border: 1px solid #e3e7eb; border-radius: 6px; white-space: pre-wrap; overflow-wrap: anywhere; font-size: 13px; line-height: 1.5; }
/* A table wider than the page loses its last columns in print; on a phone it is scrolled instead. */
@media print, (min-width: 700px) { td:not(.number) { white-space: normal; } }
@media print {
  main { max-width: none; padding: 0; }
  .scroll { overflow: visible; }
  .picture img { min-width: 0; }
  h2 { break-after: avoid; }
  figure, pre { break-inside: avoid; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
`;
