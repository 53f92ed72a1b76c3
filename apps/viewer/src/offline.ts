// Keeps the page in the browser for use without a network.
import { openScan } from "./interface/session.js";

const signsOfUse = ["pointerdown", "keydown", "drop", "change"];

/**
 * Starts the service worker of the built page. Its headers give the page threads, but only from the next load on: so a
 * first visit is loaded once more, unless a person has begun to use it: what they chose would be gone.
 */
export async function keepForOffline(): Promise<void> {
  if (!import.meta.env.PROD || !("serviceWorker" in navigator)) return;
  let isUsed = false;
  const noteUse = () => {
    isUsed = true;
  };
  for (const sign of signsOfUse) addEventListener(sign, noteUse, { once: true, capture: true });
  navigator.serviceWorker.addEventListener("controllerchange", () => {
    if (!crossOriginIsolated && !isUsed && openScan.value === null) location.reload();
  });
  // Without it the page works as well, with a network and on one thread.
  await navigator.serviceWorker.register("./service-worker.js").catch(console.warn);
}
