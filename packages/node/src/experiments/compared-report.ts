// Writes a comparison: the table as CSV, JSON and Markdown, a picture of accuracy against cost, and a report.

import {
  type Block,
  boxPlotSvg,
  bubbleChartSvg,
  csvTable,
  markdownTable,
  markdownText,
  reportHtml,
  type Section,
  type TableColumn,
  type TableRow,
  tableBlock,
  textTable,
} from "@lnsnet/core/reports";
import { counted } from "@lnsnet/core/text";
import { writeAtomically, writeJson } from "../files/disk.js";
import { budgetText } from "../training/options.js";
import {
  type ComparedFigures,
  type ComparedResult,
  type ComparisonResult,
  type ComparisonRow,
  comparedMeasures,
  comparisonRows,
  comparisonTable,
} from "./compared-result.js";
import type { ExperimentConfiguration } from "./configuration.js";
import { comparisonFiles } from "./folder.js";
import { dscValues, type Protocol } from "./paired-tests.js";
import { commonSettings, dataSection, othersSection, repetitionText, settingsTable } from "./report.js";
import {
  figureText,
  isWhole,
  probabilityText,
  protocolNames,
  protocolTexts,
  protocolTitles,
  setTitle,
  withUnit,
} from "./report-wording.js";
import { measureTitles } from "./tables.js";

/** What a comparison is of. */
export interface ComparisonSetting {
  readonly folder: string;
  /** Such as "Compared networks". */
  readonly title: string;
  readonly dataLabel: string;
  readonly command: string;
  readonly configuration: Pick<ExperimentConfiguration, "folds" | "training">;
}

/** Writes all files of a comparison but its configuration. Times apart, equal results give equal files. */
export async function writeComparison(setting: ComparisonSetting, result: ComparisonResult): Promise<void> {
  const files = comparisonFiles(setting.folder);
  const rows = comparisonRows(result);
  const table = comparisonTable(rows);
  await writeAtomically(files.csv, csvTable(table.columns, table.rows));
  await writeJson(files.json, table.rows);
  await writeAtomically(files.markdown, comparisonMarkdown(setting, result, rows));
  for (const [protocol, path] of [
    ["node_level", files.nodeLevel],
    ["whole_volume", files.wholeVolume],
  ] as const) {
    const [svg] = groupsOf(rows, protocol).map((group) => chartOf(setting, group, protocol));
    if (svg !== undefined) await writeAtomically(path, svg);
  }
  await writeAtomically(files.report, comparisonReport(setting, result, rows));
}

/** The tables for a terminal: accuracy and cost apart, since one would be too wide. */
export function comparisonText({ dataLabel }: ComparisonSetting, result: ComparisonResult): string {
  const rows = comparisonRows(result);
  const tables = protocolNames.flatMap((protocol) =>
    groupsOf(rows, protocol).map(
      (group) =>
        `${dataLabel}: ${groupTitle(group, protocol)}\n${textTable(accuracyColumns(result, group, protocol), accuracyRows(group, protocol))}`,
    ),
  );
  return [...tables, `Cost\n${textTable(costColumns, result.compared.map(costRow))}`].join("\n\n");
}

/** The rows of one set and class that were measured at a protocol, each set by itself. */
function groupsOf(rows: readonly ComparisonRow[], protocol: Protocol): ComparisonRow[][] {
  const groups = new Map<string, ComparisonRow[]>();
  for (const row of rows) {
    if (row.figures[protocol] === null) continue;
    const name = `${row.set} ${row.className}`;
    groups.set(name, [...(groups.get(name) ?? []), row]);
  }
  return [...groups.values()];
}

function groupTitle([{ set, className }]: readonly ComparisonRow[], protocol: Protocol): string {
  const model = set === "test" ? "ensemble" : "all folds";
  return `${protocolTitles[protocol]}, ${setTitle({ set, model, className })}`;
}

const accuracyColumns = (
  { reference }: ComparisonResult,
  group: readonly ComparisonRow[],
  protocol: Protocol,
): TableColumn[] => [
  { key: "network", title: "network" },
  ...comparedMeasures.map((key) => ({ key, title: withUnit(measureTitles[key]) })),
  { key: "n", title: "n" },
  ...(group.some(({ figures }) => figures[protocol]?.withoutDistance)
    ? [{ key: "without", title: "without distance" }]
    : []),
  ...(reference === null
    ? []
    : [
        { key: "difference", title: "DSC difference" },
        { key: "p", title: "p" },
        { key: "corrected", title: "p, corrected" },
      ]),
  { key: "front", title: "on the front" },
];

const accuracyRows = (group: readonly ComparisonRow[], protocol: Protocol): TableRow[] =>
  group.map(({ compared, figures }) => {
    const found = figures[protocol];
    return { network: compared.label, ...(found === null ? {} : accuracyCells(found)) };
  });

/** Mean and SD stay on one line. */
const noBreak = "\u00a0";

function accuracyCells({ n, mean, sd, withoutDistance, test, isOnFront }: ComparedFigures) {
  const measures = comparedMeasures.map((measure) => {
    const number = figureText(measureTitles[measure].digits);
    const [middle, spread] = [mean[measure], sd[measure]];
    return [
      measure,
      middle === null
        ? null
        : `${number(middle)}${spread === null ? "" : `${noBreak}±${noBreak}${number(spread)}`}`,
    ];
  });
  return {
    ...Object.fromEntries(measures),
    n,
    without: withoutDistance,
    difference: test && `${test.medianDifference > 0 ? "+" : ""}${figureText(3)(test.medianDifference)}`,
    p: test && probabilityText(test.pValue),
    corrected: test && probabilityText(test.correctedPValue),
    front: isOnFront ? "yes" : "",
  };
}

const costColumns = [
  { key: "network", title: "network" },
  { key: "parameters", title: "parameters", unit: "M", format: (value) => value.toFixed(3) },
  { key: "multiplyAdds", title: "multiply-adds of a patch", unit: "G", format: (value) => value.toFixed(2) },
  { key: "thop", title: "by thop's rule", unit: "G", format: (value) => value.toFixed(2) },
  { key: "steps", title: "steps a fold", format: (value) => value.toFixed(0) },
  { key: "training", title: "training of a fold", unit: "min", format: (value) => value.toFixed(2) },
  { key: "prediction", title: "prediction of a patch", unit: "s", format: (value) => value.toFixed(3) },
] as const satisfies readonly TableColumn[];

const costRow = ({ label, costs }: ComparedResult) => ({
  network: label,
  parameters: costs.parameters / 1e6,
  multiplyAdds: costs.multiplyAdds / 1e9,
  thop: costs.multiplyAddsThop / 1e9,
  steps: costs.trainingSteps,
  training: costs.trainingSeconds / 60,
  prediction: costs.patchSeconds,
});

/** Accuracy and cost in one table, as the paper has it. */
function paperTable(result: ComparisonResult, group: readonly ComparisonRow[], protocol: Protocol) {
  return {
    columns: [...accuracyColumns(result, group, protocol), ...costColumns.slice(1)],
    rows: accuracyRows(group, protocol).map(
      (row, at): TableRow => ({ ...costRow(group[at].compared), ...row }),
    ),
  };
}

function tableCaption({ reference }: ComparisonResult, group: readonly ComparisonRow[], protocol: Protocol) {
  const test =
    reference === null
      ? ""
      : `. DSC difference: from ${reference.label}, median over patients, with p of a paired Wilcoxon signed-rank test over the mean DSC of each patient, two-sided, corrected by Holm`;
  return `${groupTitle(group, protocol)}: mean ± SD${test}. On the front: no other network has at least this DSC for at most as many multiply-adds`;
}

function chartOf(
  { title, dataLabel, configuration }: ComparisonSetting,
  group: readonly ComparisonRow[],
  protocol: Protocol,
): string {
  return bubbleChartSvg({
    title: `DSC against multiply-adds, ${protocolTitles[protocol].toLowerCase()}`,
    acrossLabel: "multiply-adds of a patch (G)",
    upLabel: "DSC, mean",
    sizeLabel: "M parameters",
    bubbles: group.map(({ compared: { label, costs }, figures }, at) => ({
      label,
      across: costs.multiplyAdds / 1e9,
      up: figures[protocol]?.mean.dsc ?? Number.NaN,
      size: costs.parameters / 1e6,
      isMain: at === 0,
      isOnFront: figures[protocol]?.isOnFront ?? false,
    })),
    note: `${title}. Data: ${dataLabel}. ${groupTitle(group, protocol)}; ${budgetText(configuration.training)} a training. Dashed: networks than which no other has a higher DSC for no more multiply-adds. Research use only.`,
  });
}

function findings(
  { dataLabel, configuration }: ComparisonSetting,
  { compared, missing }: ComparisonResult,
  rows: readonly ComparisonRow[],
): string[] {
  const results = protocolNames.flatMap((protocol) =>
    groupsOf(rows, protocol).flatMap((group) => {
      const dsc = (row: ComparisonRow): number => row.figures[protocol]?.mean.dsc ?? Number.NEGATIVE_INFINITY;
      const ranked = [...group].sort((a, b) => dsc(b) - dsc(a)).filter((row) => Number.isFinite(dsc(row)));
      if (ranked.length === 0) return [];
      const named = ranked.map((row) => `${row.compared.label} ${dsc(row).toFixed(3)}`).join(", ");
      const front = group.filter(({ figures }) => figures[protocol]?.isOnFront);
      return `${groupTitle(group, protocol)}, mean DSC: ${named}. On the front of DSC against multiply-adds: ${front.map((row) => row.compared.label).join(", ")}.`;
    }),
  );
  return [
    ...missing,
    ...compared.flatMap(({ label, experiment }) =>
      experiment.warnings.map((warning) => `${label}: ${warning}`),
    ),
    ...results,
    `Every training had ${budgetText(configuration.training)}, with the same data, ${counted(configuration.folds, "fold")} by patient, patches, augmentation and optimiser. The figures tell what a network reaches within this budget, and not what it reaches when it is trained to its end or with settings of its own.`,
    `All figures are of ${dataLabel}, and do not apply to other data. Figures of the two protocols must not be compared with each other.`,
  ];
}

function comparisonMarkdown(
  setting: ComparisonSetting,
  result: ComparisonResult,
  rows: readonly ComparisonRow[],
): string {
  const files = comparisonFiles(".");
  const picture = { node_level: files.nodeLevel, whole_volume: files.wholeVolume };
  const parts = protocolNames.flatMap((protocol) =>
    groupsOf(rows, protocol).map((group, at) => {
      const { columns, rows: shown } = paperTable(result, group, protocol);
      return [
        `## ${markdownText(groupTitle(group, protocol))}`,
        ...(at > 0 ? [] : [`![Accuracy against cost](${picture[protocol]})`]),
        `_Data: ${markdownText(setting.dataLabel)}. ${markdownText(tableCaption(result, group, protocol))}._`,
        markdownTable(columns, shown),
      ].join("\n\n");
    }),
  );
  return `${[
    `# ${markdownText(`${setting.title} on ${setting.dataLabel}`)}`,
    "Research use only.",
    findings(setting, result, rows)
      .map((finding) => `- ${markdownText(finding)}`)
      .join("\n"),
    ...parts,
  ].join("\n\n")}\n`;
}

function comparisonReport(
  setting: ComparisonSetting,
  result: ComparisonResult,
  rows: readonly ComparisonRow[],
): string {
  const { title, dataLabel } = setting;
  const [{ experiment }] = result.compared;
  return reportHtml({
    title: `${title} on ${dataLabel}`,
    dataLabel,
    summary: findings(setting, result, rows),
    sections: [
      ...protocolNames.flatMap((protocol) => protocolSection(setting, result, rows, protocol)),
      costSection(result),
      othersSection(dataLabel),
      dataSection(experiment),
      { heading: "Settings", blocks: [settingsTable(commonSettings(experiment))] },
      {
        heading: "How to repeat this",
        blocks: [
          { kind: "code", text: setting.command.replace(/ --((fold|only)[ =]\S+|collect|json)(?= |$)/g, "") },
          {
            kind: "paragraph",
            text: `${repetitionText(experiment.configuration)} Times differ from run to run. The folder of each network holds its own report, tables and weights. How to read the table: docs/comparison.md.`,
          },
        ],
      },
    ],
  });
}

function protocolSection(
  setting: ComparisonSetting,
  result: ComparisonResult,
  rows: readonly ComparisonRow[],
  protocol: Protocol,
): Section[] {
  const groups = groupsOf(rows, protocol);
  if (groups.length === 0) return [];
  const blocks = groups.flatMap((group): Block[] => {
    const caption = groupTitle(group, protocol);
    return [
      tableBlock(
        tableCaption(result, group, protocol),
        accuracyColumns(result, group, protocol),
        accuracyRows(group, protocol),
      ),
      {
        kind: "svg",
        svg: chartOf(setting, group, protocol),
        caption: `${caption}: mean DSC against multiply-adds`,
      },
      { kind: "svg", svg: boxesOf(setting, group, protocol), caption: `${caption}: DSC of each network` },
    ];
  });
  return [
    {
      heading: `Result: ${protocolTitles[protocol].toLowerCase()}`,
      blocks: [{ kind: "paragraph", text: protocolTexts[protocol] }, ...blocks],
    },
  ];
}

function costSection({ compared }: ComparisonResult): Section {
  const caption =
    "What each network costs: multiply-adds are true multiply-accumulates, and by thop's rule, which many papers print; steps and minutes of updates are means of the folds, and a patch was predicted by one network of one fold";
  return { heading: "Cost", blocks: [tableBlock(caption, costColumns, compared.map(costRow))] };
}

function boxesOf({ dataLabel }: ComparisonSetting, group: readonly ComparisonRow[], protocol: Protocol) {
  return boxPlotSvg({
    title: `DSC, ${groupTitle(group, protocol)}`,
    axisLabel: "DSC",
    domain: [0, 1],
    groups: group.map(({ set, className, compared: { label, experiment } }) => ({
      label,
      values: experiment.sets
        .filter((of) => isWhole(of) && of.set === set && of.className === className)
        .flatMap(({ scores }) => dscValues(scores, protocol)),
    })),
    note: dataLabel,
  });
}
