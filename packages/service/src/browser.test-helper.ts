// Starts the browser of the system, for tests of the service's pages.
import { type Browser, chromium } from "playwright-core";
import { systemBrowser } from "../../core/src/runtime/browser.test-helper.js";

export const launchBrowser = (): Promise<Browser> =>
  chromium.launch({ ...systemBrowser, args: ["--no-sandbox"] });
