// Worker thread: makes one phantom patient and writes its files.
import { type CohortCase, generatePatient, type PhantomNode } from "@lnsnet/core/phantom";
import { type Outcome, outcomeOf } from "../work/outcome.js";
import { type CohortTask, type NodeRow, writeCohortCase } from "./cohort-case.js";
import type { PhantomCohort } from "./phantom-cohort.js";

export function run(task: CohortTask<CohortCase, PhantomCohort>): Promise<Outcome<null>> {
  return outcomeOf(async () => {
    const {
      seed,
      variety = "typical",
      plain: isPlainToo = false,
      organs: areOrgansToo = false,
    } = task.options;
    const options = { variety, plain: isPlainToo, organs: areOrgansToo };
    const { image, plain, label, instances, organs, nodes } = generatePatient(seed, task.case.index, options);
    const images = plain === null ? [image] : [image, plain];
    const made = { images, label, instances, organs, nodes: nodes.map(rowOf) };
    await writeCohortCase(task.folder, task.case, made, "lnsnet phantom, research use only");
    return null;
  });
}

function rowOf(node: PhantomNode): NodeRow {
  return {
    node: node.id,
    kind: node.kind,
    station: node.station,
    short_axis_mm: node.shortAxisMm,
    long_axis_mm: node.longAxisMm,
    volume_ml: node.volumeMl,
    x_lps_mm: node.centroidLpsMm[0],
    y_lps_mm: node.centroidLpsMm[1],
    z_lps_mm: node.centroidLpsMm[2],
    touches: node.touches.join(" "),
  };
}
