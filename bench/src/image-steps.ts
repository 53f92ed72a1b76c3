// npm run check -- image-steps: the steps of deploy/Dockerfile in a clean folder, on a machine without Docker.
import { execFileSync, spawn } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { InputError } from "@lnsnet/core";
import { DockerfileParser, type Instruction } from "dockerfile-ast";
import { freePort, untilTrue } from "./load-processes.js";

const help = `npm run check -- image-steps [options]

Copies the files of this checkout to a clean folder, runs there what deploy/Dockerfile runs, stage by stage, and then starts what
it starts: as another user where this one is root, who may write to the data folder alone. It segments a phantom, and asks the
service whether it is ready by the command of HEALTHCHECK. Needs npm's registry or its cache. Three minutes.

  --output FOLDER    a new or empty folder that every user can enter (image-steps)
  --help             print this`;

const { values } = parseArgs({
  options: { output: { type: "string", default: "image-steps" }, help: { type: "boolean", default: false } },
});

const checkout = fileURLToPath(new URL("../..", import.meta.url));
/** The user of a system who owns nothing, in the place of the image's. */
const nobody = 65_534;

if (values.help) console.log(help);
else await main(resolve(values.output));

async function main(output: string): Promise<void> {
  mkdirSync(output, { recursive: true });
  if (readdirSync(output).length > 0) throw new InputError(`${output} is not empty; give another --output.`);
  chmodSync(output, 0o755);
  requireReachable(output);
  const instructions = DockerfileParser.parse(readFileSync(join(checkout, "deploy/Dockerfile"), "utf8"))
    .getInstructions()
    .map(stepOf);
  const image = buildStages(instructions, output);
  console.log(`The image's own files: ${megabytes(join(output, "lnsnet"))} MB.`);
  await startImage(image, output);
  console.log("Everything holds.");
}

/** @throws InputError where the user in whose name the image starts cannot come to the folder */
function requireReachable(output: string): void {
  for (let folder = dirname(output); folder !== dirname(folder); folder = dirname(folder))
    if ((statSync(folder).mode & 0o001) === 0)
      throw new InputError(
        `${folder} can be entered by its owner alone, and the image starts as another user; give an --output elsewhere, such as /tmp/image-steps.`,
      );
}

interface Step {
  readonly keyword: string;
  readonly text: string;
}

function stepOf(instruction: Instruction): Step {
  return {
    keyword: instruction.getKeyword(),
    // Lines that go on are one.
    text: (instruction.getRawArgumentsContent() ?? "").replace(/\\\n\s*/g, " "),
  };
}

/** The last of each of these instructions. */
interface Image {
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  readonly health: readonly string[];
}

/** Runs what stands in the file, with its folders below the output. */
function buildStages(steps: readonly Step[], output: string): Image {
  const below = (text: string) => text.replaceAll(/(?<![\w.])\/(lnsnet|data|config)\b/g, `${output}/$1`);
  const last = new Map<string, string>();
  let folder = output;
  for (const { keyword, text } of steps) {
    last.set(keyword, text);
    if (keyword === "WORKDIR") {
      folder = below(text);
      mkdirSync(folder, { recursive: true });
    }
    if (keyword === "COPY" && !text.startsWith("--from")) copyCheckout(folder);
    if (keyword !== "RUN") continue;
    // The image's user is called node.
    const command = below(text).replaceAll("=node", `=${nobody}`);
    console.log(`RUN ${text}`);
    execFileSync("/bin/sh", ["-e", "-c", command], {
      cwd: folder,
      stdio: ["ignore", "ignore", "inherit"],
      env: { PATH: process.env.PATH, HOME: process.env.HOME, npm_config_prefer_offline: "true" },
    });
  }
  const words = (keyword: string): string[] => JSON.parse(below(last.get(keyword) ?? "[]"));
  const [, health = "[]"] = /CMD\s+(\[.*\])/s.exec(last.get("HEALTHCHECK") ?? "") ?? [];
  return { entrypoint: words("ENTRYPOINT"), command: words("CMD"), health: JSON.parse(health) };
}

/** What git knows, and new files that it does not ignore: what .dockerignore lets through. */
function copyCheckout(folder: string): void {
  const listed = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
    cwd: checkout,
    maxBuffer: 2 ** 26,
  });
  for (const name of listed.toString().split("\0")) {
    if (name === "" || statSync(join(checkout, name), { throwIfNoEntry: false }) === undefined) continue;
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    cpSync(join(checkout, name), join(folder, name));
  }
}

async function startImage({ entrypoint, command, health }: Image, output: string): Promise<void> {
  const data = join(output, "data");
  const isRoot = process.getuid?.() === 0;
  const user = isRoot ? { uid: nobody, gid: nobody } : {};
  console.log(isRoot ? "As another user:" : "As this user, since only root may become another:");
  const options = {
    cwd: data,
    env: { PATH: process.env.PATH, NODE_ENV: "production", HOME: "/nowhere" },
    ...user,
  };
  const [program, ...words] = entrypoint;
  const run = (...further: string[]) =>
    execFileSync(program, [...words, ...further], { ...options, stdio: ["ignore", "pipe", "pipe"] });
  run("phantom", "--output", "cohort", "--training", "1", "--test", "0");
  run("predict", "cohort/imagesTr", "--output", "masks", "--threads", "2");
  console.log(`predict wrote ${readdirSync(join(data, "masks")).length} files.`);
  if (isRoot && mayWrite(join(output, "lnsnet"), user))
    throw new Error("The image's user may write to its files.");

  const port = await freePort();
  mkdirSync(join(output, "config"));
  const configuration = { data: join(data, "service"), http: { host: "127.0.0.1", port } };
  writeFileSync(join(output, "config/service.yaml"), JSON.stringify(configuration));
  const service = spawn(program, [...words, ...command], { ...options, stdio: "ignore" });
  const ended = new Promise<number | null>((done) => service.once("close", done));
  const [asking, ...question] = health.map((word) => word.replace("8080", String(port)));
  const isReady = () => {
    try {
      execFileSync(asking, question, { ...options, stdio: "ignore" });
      return true;
    } catch {
      return false;
    }
  };
  await untilTrue(isReady, "a service that is ready");
  console.log("serve is ready, by the command of HEALTHCHECK.");
  service.kill("SIGTERM");
  const code = await ended;
  if (code !== 143)
    throw new Error(`After SIGTERM the service ended with code ${code}, and 143 was expected.`);
  console.log("serve ended by SIGTERM.");
}

function mayWrite(folder: string, user: { readonly uid?: number; readonly gid?: number }): boolean {
  try {
    execFileSync("/bin/sh", ["-c", `touch "${folder}/written"`], { ...user, stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

function megabytes(folder: string): string {
  return execFileSync("du", ["-sm", "--apparent-size", folder]).toString().split("\t")[0];
}
