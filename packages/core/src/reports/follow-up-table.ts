// The table of a follow-up as CSV: the nodes of two dates and how they changed.
import type { FollowedNode, FollowUp } from "../metrics/node-follow-up.js";
import { csvTable, type TableColumn, type TableRow } from "./table.js";

/** A node of the comparison by its name. */
export interface NamedChange extends FollowedNode {
  readonly name: string;
}

/** Two dates with their nodes. */
export interface FollowUpReport extends Pick<FollowUp, "sumOfShortAxesMm" | "sumOfVolumesMl"> {
  /** What each date is called, such as the day or the name of the scan. */
  readonly dates: { readonly first: string; readonly second: string };
  readonly nodes: readonly NamedChange[];
}

const columns = [
  "node",
  "first_date",
  "second_date",
  "short_axis_first_mm",
  "short_axis_second_mm",
  "short_axis_change_mm",
  "long_axis_first_mm",
  "long_axis_second_mm",
  "volume_first_ml",
  "volume_second_ml",
  "volume_change_ml",
  "use",
] as const;

type Row = TableRow<(typeof columns)[number]>;

/** CSV with a row for each node and one for the sums. What one date alone has leaves the fields of the other empty. */
export function followUpCsv({ dates, nodes, sumOfShortAxesMm, sumOfVolumesMl }: FollowUpReport): string {
  const always = { first_date: dates.first, second_date: dates.second, use: "research use only" };
  const rows = nodes.map(
    ({ name, first, second, shortAxisChangeMm, volumeChangeMl }): Row => ({
      ...always,
      node: name,
      short_axis_first_mm: first?.shortAxisMm ?? null,
      short_axis_second_mm: second?.shortAxisMm ?? null,
      short_axis_change_mm: shortAxisChangeMm,
      long_axis_first_mm: first?.longAxisMm ?? null,
      long_axis_second_mm: second?.longAxisMm ?? null,
      volume_first_ml: first?.volumeMl ?? null,
      volume_second_ml: second?.volumeMl ?? null,
      volume_change_ml: volumeChangeMl,
    }),
  );
  const sums: Row = {
    ...always,
    node: "sum",
    short_axis_first_mm: sumOfShortAxesMm.first,
    short_axis_second_mm: sumOfShortAxesMm.second,
    short_axis_change_mm: sumOfShortAxesMm.second - sumOfShortAxesMm.first,
    long_axis_first_mm: null,
    long_axis_second_mm: null,
    volume_first_ml: sumOfVolumesMl.first,
    volume_second_ml: sumOfVolumesMl.second,
    volume_change_ml: sumOfVolumesMl.second - sumOfVolumesMl.first,
  };
  return csvTable(
    columns.map((key): TableColumn<(typeof columns)[number]> => ({ key, title: key })),
    [...rows, sums],
  );
}
