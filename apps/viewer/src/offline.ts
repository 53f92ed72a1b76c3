// Keeps the page in the browser for use without a network, and gives it threads.
import { signal } from "@preact/signals";
import { openScan } from "./interface/session.js";
import type { ServiceWorkerAnswer } from "./service-worker.js";

/** Whether all files of the page are kept, so that it opens without a network. */
export const worksOffline = signal(false);

/** Whether another load of the page would give it the threads that it lacks. */
export const gainsByReload = signal(false);

const signsOfUse = ["pointerdown", "keydown", "drop", "change"];

/**
 * Starts the service worker of the built page. Its headers give the page threads, but only from the next load on: so a
 * first visit is loaded once more, within its first second as a rule, unless a person has begun to use it: what they
 * chose would be gone. {@link gainsByReload} is true then.
 */
export async function keepForOffline(): Promise<void> {
  if (!import.meta.env.PROD || !("serviceWorker" in navigator)) return;
  const { serviceWorker } = navigator;
  let isUsed = false;
  const noteUse = () => {
    isUsed = true;
  };
  for (const sign of signsOfUse) addEventListener(sign, noteUse, { once: true, capture: true });
  const keepFiles = () => serviceWorker.controller?.postMessage("keep");
  serviceWorker.addEventListener("controllerchange", () => {
    if (!crossOriginIsolated && !isUsed && openScan.value === null) return location.reload();
    gainsByReload.value = !crossOriginIsolated;
    keepFiles();
  });
  serviceWorker.addEventListener("message", ({ data }: MessageEvent<ServiceWorkerAnswer>) => {
    worksOffline.value = data === "kept";
  });
  keepFiles();
  // Without it the page works as well, with a network and on one thread.
  await serviceWorker.register("./service-worker.js").catch(console.warn);
}
