// Follow-up: a second date is opened, aligned by its bones and searched, and its nodes stand beside those of the first.
import { InputError } from "@lnsnet/core";
import type { FollowUp } from "@lnsnet/core/metrics";
import { crop, paste, type Volume } from "@lnsnet/core/volume";
import { useSignal } from "@preact/signals";
import type { ChosenFile, NodeAnswer } from "../../engine/answers.js";
import type { Engine } from "../../engine/engine.js";
import { chosenFiles } from "../dropped-files.js";
import { exportedNodes } from "../exported-nodes.js";
import { modelFor } from "../segmenting/segmenter.js";
import { doWork } from "../session.js";
import { followUp as texts } from "../texts.js";
import type { Workspace } from "../workspace.js";

interface FollowUpPanelProps {
  readonly workspace: Workspace;
  readonly engine: Engine;
}

/** Two dates side by side, and how well they were aligned. */
interface Compared {
  readonly name: string;
  readonly correlation: number;
  readonly table: FollowUp;
}

export function FollowUpPanel({ workspace, engine }: FollowUpPanelProps) {
  const compared = useSignal<Compared | null>(null);
  const open = async (files: readonly ChosenFile[]) => {
    compared.value = await doWork(texts.busy, async (signal, onProgress) => {
      const job = { signal, onProgress };
      const { scans, others } = await engine.list({ files }, job);
      const found = scans.find(({ refusal }) => refusal === null);
      if (found === undefined) throw new InputError(scans[0]?.refusal ?? others[0]?.reason ?? texts.nothing);
      const second = await engine.read({ id: found.id }, job);
      try {
        const alignment = await engine.align({ first: workspace.opened.scan, second: second.scan }, job);
        if (alignment.found === "none") throw new InputError(alignment.reason);
        const { model } = await modelFor("finder");
        const { nodes } = await engine.findAll({ scan: second.scan, model }, job);
        const first = await exportedNodes(workspace);
        const table = await engine.compare({
          first: { labels: first.instances, nodes: first.nodes },
          second: { labels: labelsOf(second.volume, nodes), nodes: nodes.map(({ node }) => node) },
          toSecond: alignment.toSecond,
        });
        return { name: second.name, correlation: alignment.correlation, table };
      } finally {
        await engine.closeScan({ scan: second.scan });
      }
    });
  };
  return (
    <details class="panel">
      <summary>{texts.title}</summary>
      <p class="faint">{texts.about}</p>
      <label class="button">
        {texts.open}
        <input
          type="file"
          id="second-date"
          multiple
          class="visually-hidden"
          onChange={({ currentTarget }) => {
            const files = chosenFiles(currentTarget.files);
            currentTarget.value = "";
            if (files.length > 0) void open(files);
          }}
        />
      </label>
      {compared.value !== null && <ChangeTable compared={compared.value} />}
    </details>
  );
}

function ChangeTable({ compared: { name, correlation, table } }: { readonly compared: Compared }) {
  const { nodes, sumOfShortAxesMm: axes, sumOfVolumesMl: volumes } = table;
  return (
    <>
      <p>{texts.aligned(name, correlation)}</p>
      <table aria-label={texts.title}>
        <thead>
          <tr>
            <th>{texts.node}</th>
            <th>{texts.shortAxis}</th>
            <th>{texts.volume}</th>
          </tr>
        </thead>
        <tbody>
          {nodes.map(({ first, second }) => (
            <tr key={`${first?.id ?? "new"} ${second?.id ?? "gone"}`}>
              <td>{texts.pair(first?.id ?? null, second?.id ?? null)}</td>
              <td>{texts.change(first?.shortAxisMm ?? null, second?.shortAxisMm ?? null, 1)}</td>
              <td>{texts.change(first?.volumeMl ?? null, second?.volumeMl ?? null, 2)}</td>
            </tr>
          ))}
        </tbody>
        <tfoot>
          <tr>
            <td>{texts.sum}</td>
            <td>{texts.change(axes.first, axes.second, 1)}</td>
            <td>{texts.change(volumes.first, volumes.second, 2)}</td>
          </tr>
        </tfoot>
      </table>
    </>
  );
}

/** The number of the node in each voxel of a scan. */
function labelsOf(
  { size, spacingMm, originMm, direction }: Volume,
  nodes: readonly NodeAnswer[],
): Volume<Uint8Array> {
  const labels = { size, spacingMm, originMm, direction, data: new Uint8Array(size[0] * size[1] * size[2]) };
  for (const { mask, start, node } of nodes) {
    const held = crop(labels, start, mask.size);
    paste(
      { ...held, data: held.data.map((value, at) => (mask.data[at] === 1 ? node.id : value)) },
      start,
      labels,
    );
  }
  return labels;
}
