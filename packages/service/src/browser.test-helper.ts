// The browser of the system, for tests of the service's pages.
import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

const paths = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const executablePath = paths.find((path) => existsSync(path));

/** Why tests in a browser cannot run here; null where they can. */
export const noBrowser: string | null =
  executablePath === undefined ? `no browser at ${paths.join(", ")}` : null;

export const launchBrowser = (): Promise<Browser> =>
  chromium.launch({ ...(executablePath ? { executablePath } : {}), args: ["--no-sandbox"] });
