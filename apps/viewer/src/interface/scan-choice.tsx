// The list from which a person chooses a scan when what they opened holds several.
import { useEffect, useRef } from "preact/hooks";
import type { FoundScan, Thumbnail } from "../engine/answers.js";
import { Dialog } from "./dialog.js";
import { choice } from "./session.js";
import { shell } from "./texts.js";

interface ScanChoiceProps {
  readonly scans: readonly FoundScan[];
  readonly onChoose: (scan: FoundScan) => void;
}

export function ScanChoice({ scans, onChoose }: ScanChoiceProps) {
  return (
    <Dialog
      title={shell.choose}
      onClose={() => {
        choice.value = null;
      }}
    >
      <ul class="scan-list" aria-label={shell.slices}>
        {scans.map((scan) => (
          <li key={scan.id}>
            <button
              type="button"
              class="scan-item"
              disabled={scan.refusal !== null}
              onClick={() => onChoose(scan)}
            >
              <Picture thumbnail={scan.thumbnail} />
              <span>
                <strong>{scan.title}</strong>
                <span class="faint">{scan.detail}</span>
                {scan.refusal !== null && <span class="refusal">{scan.refusal}</span>}
                {scan.remarks.map((remark) => (
                  <span key={remark} class="faint">
                    {remark}
                  </span>
                ))}
              </span>
            </button>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}

function Picture({ thumbnail }: { readonly thumbnail: Thumbnail | null }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    if (thumbnail === null) return;
    const { width, height, rgba } = thumbnail;
    canvas.current?.getContext("2d")?.putImageData(new ImageData(rgba, width, height), 0, 0);
  }, [thumbnail]);
  return (
    <canvas ref={canvas} class="thumbnail" width={thumbnail?.width ?? 96} height={thumbnail?.height ?? 96} />
  );
}
