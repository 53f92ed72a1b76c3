// Save: what is written of a scan's nodes, as one file, and the page that prints.
import { useSignal } from "@preact/signals";
import type { Engine } from "../../engine/engine.js";
import { exportFormats } from "../../engine/export-formats.js";
import { download, print } from "../download.js";
import { exportedNodes } from "../exported-nodes.js";
import { doWork, tellError } from "../session.js";
import { exporting } from "../texts.js";
import type { Workspace } from "../workspace.js";

interface ExportPanelProps {
  readonly workspace: Workspace;
  readonly engine: Engine;
}

export function ExportPanel({ workspace, engine }: ExportPanelProps) {
  const isDicom = workspace.opened.source !== null;
  const offered = exportFormats.filter((format) => isDicom || !needDicom.has(format));
  const chosen = useSignal<ReadonlySet<string>>(new Set(isDicom ? ["seg", "sr", "csv"] : ["nifti", "csv"]));
  const request = async () => ({
    scan: workspace.opened.scan,
    ...(await exportedNodes(workspace)),
    formats: offered.filter((format) => chosen.value.has(format)),
  });
  const save = async () => {
    const file = await doWork(exporting.busy, async (signal) => engine.save(await request(), { signal }));
    if (file === null) return;
    download(file);
    workspace.kept.keeper?.markExported();
  };
  const printSummary = async () => {
    const html = await doWork(exporting.busy, async (signal) => engine.summary(await request(), { signal }));
    if (html !== null) print(html).catch(tellError);
  };
  return (
    <details class="panel">
      <summary>{exporting.title}</summary>
      <fieldset>
        <legend>{exporting.formats}</legend>
        {offered.map((format) => (
          <label key={format}>
            <input
              type="checkbox"
              checked={chosen.value.has(format)}
              onChange={({ currentTarget }) => {
                const next = new Set(chosen.value);
                if (currentTarget.checked) next.add(format);
                else next.delete(format);
                chosen.value = next;
              }}
            />{" "}
            {exporting.names[format]}
          </label>
        ))}
      </fieldset>
      {!isDicom && <p class="faint">{exporting.noDicom}</p>}
      <p class="button-row">
        <button type="button" class="button" onClick={save}>
          {exporting.save}
        </button>
        <button type="button" class="button" onClick={printSummary}>
          {exporting.print}
        </button>
      </p>
    </details>
  );
}

/** Formats that refer to the images of a DICOM series. */
const needDicom: ReadonlySet<string> = new Set(["seg", "rtstruct", "sr"]);
