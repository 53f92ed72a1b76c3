// Keeps the page in the browser for use without a network.
import { openScan } from "./interface/session.js";

/**
 * Starts the service worker of the built page. Its headers give the page threads, but only from the next load on: so a
 * first visit is loaded once more, unless a scan is open already.
 */
export async function keepForOffline(): Promise<void> {
  if (!import.meta.env.PROD || !("serviceWorker" in navigator)) return;
  navigator.serviceWorker.addEventListener("controllerchange", () => {
    if (!crossOriginIsolated && openScan.value === null) location.reload();
  });
  // Without it the page works as well, with a network and on one thread.
  await navigator.serviceWorker.register("./service-worker.js").catch(console.warn);
}
