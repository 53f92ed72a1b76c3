// The nodes of a study as they are saved: voxels, measures of now, a person's names and changes.
import type { ExportedNode, ExportRequest } from "../engine/exporting.js";
import { models } from "./segmenting/segmenter.js";
import { exporting } from "./texts.js";
import type { Workspace } from "./workspace.js";

/** Waits until all nodes are measured. @throws what measuring threw */
export async function exportedNodes({
  study,
  measures,
}: Pick<Workspace, "study" | "measures">): Promise<Omit<ExportRequest, "formats">> {
  await measures.settled();
  const nodes: ExportedNode[] = [];
  const statements: string[] = [];
  for (const { number, name, probability, disagreement, origin } of study.nodes) {
    const measured = measures.of(number);
    // A node without voxels has nothing to save.
    if (measured === null) continue;
    const confidence =
      probability === null ? {} : { meanProbability: probability, ensembleDisagreement: disagreement };
    nodes.push({ ...measured, name, ...confidence });
    if (origin === "drawn") statements.push(exporting.drawn(name));
    if (measured.edited.long || measured.edited.short) statements.push(exporting.edited(name));
  }
  const members = Object.values(models.value).flatMap(({ members }) => members);
  const opened = new Map(members.map((identity) => [identity.sha256, identity]));
  return {
    // A copy, since a person may go on while it is saved.
    instances: { ...study.labels, data: study.labels.data.slice() },
    nodes: nodes.sort((a, b) => a.id - b.id),
    models: [...opened.values()],
    statements,
  };
}
