// The page: a scan is chosen, a worker segments it, and what comes back is shown.
import type { News, Order } from "./messages.js";
import SegmentingWorker from "./segmenting.js?worker";

const element = <Name extends string, Kind extends HTMLElement>(id: Name, kind: new () => Kind): Kind => {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`the page has no ${id}`);
  return found;
};
const files = element("files", HTMLInputElement);
const stop = element("stop", HTMLButtonElement);
const progress = element("progress", HTMLProgressElement);
const status = element("status", HTMLParagraphElement);
const table = element("table", HTMLDivElement);
const mask = element("mask", HTMLAnchorElement);
const picture = element("picture", HTMLImageElement);

const worker = new SegmentingWorker();
const order = (what: Order) => worker.postMessage(what);

files.addEventListener("change", () => {
  if (files.files === null || files.files.length === 0) return;
  showWork(true);
  status.textContent = "Reading …";
  table.replaceChildren();
  mask.hidden = true;
  picture.hidden = true;
  order({ files: [...files.files] });
});
stop.addEventListener("click", () => order("stop"));

worker.addEventListener("message", ({ data }: MessageEvent<News>) => {
  switch (data.kind) {
    case "status":
      status.textContent = data.text;
      return;
    case "patch":
      progress.max = data.total;
      progress.value = data.done;
      return;
    case "failed":
      showWork(false);
      status.textContent = data.text;
      return;
    case "done":
      showWork(false);
      table.innerHTML = data.tableHtml;
      show(picture, "src", data.picturePng, "image/png");
      show(mask, "href", data.maskNifti, "application/gzip");
  }
});

function showWork(isWorking: boolean): void {
  files.disabled = isWorking;
  stop.disabled = !isWorking;
  progress.hidden = !isWorking;
  progress.removeAttribute("value");
}

function show<Key extends string>(
  shown: HTMLElement & Record<Key, string>,
  key: Key,
  bytes: Uint8Array<ArrayBuffer>,
  type: string,
): void {
  URL.revokeObjectURL(shown[key]);
  Object.assign(shown, { [key]: URL.createObjectURL(new Blob([bytes], { type })) });
  shown.hidden = false;
}
