import { expect, it } from "vitest";
import { csvTable, decimals, htmlTable, latexTable, markdownTable, textTable } from "./table.js";

interface CaseResult {
  readonly name: string;
  readonly dsc: number | null;
  readonly hd95_mm: number | null;
  readonly notShown: readonly number[];
}

const columns = [
  { key: "name", title: "Case" },
  { key: "dsc", title: "DSC", format: decimals(3) },
  { key: "hd95_mm", title: "HD95", unit: "mm", format: decimals(1) },
] as const;
const rows: readonly CaseResult[] = [
  { name: 'a,"1"', dsc: 0.71234, hd95_mm: 12.25, notShown: [] },
  { name: "<b>\u001b[2J", dsc: Number.NaN, hd95_mm: null, notShown: [] },
];
const mean = [{ name: "mean", dsc: 0.71234, hd95_mm: 12.25 }];

it("aligns text to the left, numbers to the right, and prints what does not exist as a dash", () => {
  expect(textTable(columns, rows, mean)).toBe(
    [
      "Case            DSC  HD95 (mm)",
      "──────────────────────────────",
      'a,"1"         0.712       12.3',
      "<b>\\u001b[2J      –          –",
      "──────────────────────────────",
      "mean          0.712       12.3",
    ].join("\n"),
  );
});

it("escapes HTML and marks columns of numbers", () => {
  const html = htmlTable(columns, rows, { caption: "A & B", footer: mean });
  expect(html).toContain("<caption>A &amp; B</caption>");
  expect(html).toContain('<th scope="col" class="number">HD95 (mm)</th>');
  expect(html).toContain(
    '<tr><td>&lt;b&gt;\uFFFD[2J</td><td class="number">–</td><td class="number">–</td></tr>',
  );
  expect(html).toContain('<tfoot><tr><td>mean</td><td class="number">0.712</td>');
});

it("writes CSV for programs: keys, all digits, quotes where needed, nothing for null", () => {
  expect(csvTable(columns, rows)).toBe('name,dsc,hd95_mm\n"a,""1""",0.71234,12.25\n<b>\\u001b[2J,,\n');
});

it.each([
  { cell: "=1+1", field: "'=1+1" },
  { cell: '=HYPERLINK("http://x","y")', field: `"'=HYPERLINK(""http://x"",""y"")"` },
  { cell: "@SUM(A1)", field: "'@SUM(A1)" },
  { cell: "+cmd|' /C calc'!A0", field: "'+cmd|' /C calc'!A0" },
  { cell: " -2+3", field: "' -2+3" },
  { cell: "＝1+1", field: "'＝1+1" },
  { cell: "\t=1+1", field: "\\t=1+1" },
  { cell: "a;=1+1", field: '"a;=1+1"' },
  { cell: "a\nb", field: "a\\nb" },
  { cell: "-1024", field: "-1024" },
  { cell: "+1.5e-3", field: "+1.5e-3" },
  { cell: "a=b", field: "a=b" },
  { cell: -3.5, field: "-3.5" },
  { cell: null, field: "" },
])("writes $cell into CSV as $field", ({ cell, field }) => {
  expect(csvTable([{ key: "text", title: "Text" }], [{ text: cell }])).toBe(`text\n${field}\n`);
});

it("writes LaTeX with everything escaped that it would take for a command", () => {
  const latex = latexTable(columns, [{ name: "R&D_1 \\x 50 % ≥ 1 ± 2", dsc: 0.71234, hd95_mm: null }], {
    caption: "Phantom {100 %}",
    label: "tab:cases",
  });
  expect(latex.split("\n")).toEqual([
    "\\begin{table}",
    "\\centering",
    "\\caption{Phantom \\{100 \\%\\}}",
    "\\label{tab:cases}",
    "\\begin{tabular}{lrl}",
    "\\toprule",
    "Case & DSC & HD95 (mm) \\\\",
    "\\midrule",
    "R\\&D\\_1 \\textbackslash{}x 50 \\% $\\geq$ 1 $\\pm$ 2 & 0.712 & -- \\\\",
    "\\bottomrule",
    "\\end{tabular}",
    "\\end{table}",
    "",
  ]);
});

it("writes Markdown in which no cell is markup or ends a column", () => {
  const rows = [{ name: "a|b *c* <img> [x](y) it's", dsc: 0.71234, hd95_mm: null }];
  expect(markdownTable(columns, rows).split("\n")).toEqual([
    "| Case | DSC | HD95 (mm) |",
    "| --- | ---: | --- |",
    "| a\\|b \\*c\\* &lt;img&gt; \\[x\\](y) it's | 0.712 | – |",
  ]);
});

it("prints only the headings of an empty table", () => {
  expect(textTable(columns, [])).toBe("Case  DSC  HD95 (mm)\n────────────────────");
  expect(csvTable(columns, [])).toBe("name,dsc,hd95_mm\n");
});

it.each([
  [0.0004, 3, "0.000"],
  [-0.0004, 3, "0.000"],
  [-1.5, 0, "-2"],
  [2, 2, "2.00"],
])("writes %d with %d decimals as %s", (value, count, text) => {
  expect(decimals(count)(value)).toBe(text);
});
