// The nodes of a scan on a page that prints: the table, the picture, and which model drew them.
import { reportHtml } from "./html.js";
import { type NodeJson, nodesTable } from "./node-table.js";

/** What a summary states. */
export interface NodesSummary {
  /** The scan, as a person knows it. */
  readonly title: string;
  /** What the models were trained on. */
  readonly dataLabel: string;
  /** Sentences: scan, models, what a person edited. */
  readonly statements: readonly string[];
  readonly nodes: readonly NodeJson[];
  /** An overview as PNG, where there is one. */
  readonly picture: Uint8Array | null;
}

/** A whole HTML document without scripts and requests, which a browser prints to paper or PDF. */
export function nodesSummaryHtml({ title, dataLabel, statements, nodes, picture }: NodesSummary): string {
  const shortAxes = nodes.reduce((sum, node) => sum + node.short_axis_mm, 0);
  const volumes = nodes.reduce((sum, node) => sum + node.volume_ml, 0);
  const totals = `Sum of short axes: ${shortAxes.toFixed(1)} mm. Sum of volumes: ${volumes.toFixed(2)} mL.`;
  return reportHtml({
    title,
    dataLabel,
    summary: [...statements, totals],
    sections: [
      {
        heading: "Nodes",
        blocks: [
          nodesTable(
            "Measures of each node; positions L, P, S in mm towards left, posterior, superior.",
            nodes,
          ),
          ...(picture === null
            ? []
            : [
                {
                  kind: "png" as const,
                  png: picture,
                  alternativeText:
                    "The scan from the front and from the left with its nodes, and each of the largest nodes in its axial plane",
                  caption: "Outlines and axes of the nodes.",
                },
              ]),
        ],
      },
    ],
  });
}
