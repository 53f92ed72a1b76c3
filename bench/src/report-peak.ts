// Loaded into a command that is measured: tells its largest resident set, in bytes, to file descriptor 3 as it ends.
import { writeSync } from "node:fs";

process.on("exit", () => {
  // In units of 1024 bytes, on every system.
  writeSync(3, String(process.resourceUsage().maxRSS * 1024));
});
