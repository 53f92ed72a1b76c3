// The list from which a person chooses a scan when what they opened holds several.
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { FoundScan, Thumbnail } from "../engine/answers.js";
import { Dialog } from "./dialog.js";
import { choice, type ScanChoices, tellError } from "./session.js";
import { shell } from "./texts.js";

export function ScanChoice({ choice: { scans, onChoose, pictureOf } }: { readonly choice: ScanChoices }) {
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
              onClick={() => {
                choice.value = null;
                onChoose(scan);
              }}
            >
              <Picture scan={scan} pictureOf={pictureOf} />
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

interface PictureProps extends Pick<ScanChoices, "pictureOf"> {
  readonly scan: FoundScan;
}

function Picture({ scan, pictureOf }: PictureProps) {
  const found = useSignal<Thumbnail | null>(null);
  useEffect(() => {
    if (scan.thumbnail !== null || scan.refusal !== null) return;
    pictureOf(scan).then((picture) => {
      found.value = picture;
    }, tellError);
  }, [scan, pictureOf, found]);
  const thumbnail = scan.thumbnail ?? found.value;
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
