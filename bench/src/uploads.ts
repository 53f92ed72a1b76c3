// npm run check -- uploads: damaged uploads by every way into the service; none may end it, leave its folder or fill the memory.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const help = `npm run check -- uploads [options]

Starts a service, and sends it damaged bodies by every way in: forms with DICOM files, archives and volumes, STOW, JSON,
DICOM associations, DICOM files by C-STORE, and files in a watched folder. A finding is an answer of 500 or more, a file
outside the service's folder, one that stays on its way, 500 MB more of memory, or a service that has ended.
Exit code 1 where there is one. The same bodies are sent in every run.

  --count NUMBER  bodies by each way (10000)
  --help          print this`;

const { values } = parseArgs({
  options: { count: { type: "string", default: "10000" }, help: { type: "boolean", default: false } },
});

if (values.help) console.log(help);
else {
  const root = fileURLToPath(new URL("../..", import.meta.url));
  const test = "packages/service/src/http/fuzz.test.ts";
  const { status } = spawnSync("npx", ["vitest", "run", test], {
    cwd: root,
    env: { ...process.env, FUZZ_BODIES: values.count },
    stdio: "inherit",
  });
  process.exitCode = status ?? 1;
}
