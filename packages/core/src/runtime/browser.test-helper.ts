// The browser of the system, for tests of pages.
import { existsSync } from "node:fs";

const paths = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

const executablePath = paths.find((path) => existsSync(path));

/** How it is launched. */
export const systemBrowser = executablePath === undefined ? {} : { executablePath };

/** Why tests in a browser cannot run here; null where they can. */
export const noBrowser: string | null =
  executablePath === undefined ? `no browser at ${paths.join(", ")}` : null;
