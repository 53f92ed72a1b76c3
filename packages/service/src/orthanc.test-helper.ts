// An Orthanc of the test's own, from the programs of the system: ports of its own, nothing kept.
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";

const program = ["/usr/sbin/Orthanc", "/usr/bin/Orthanc"].find((path) => existsSync(path));
const plugin = "/usr/share/orthanc/plugins/libOrthancDicomWeb.so";

/** Why tests with Orthanc cannot run here; null where they can. */
export const noOrthanc: string | null =
  program === undefined
    ? "Orthanc is not installed (apt-get install orthanc orthanc-dicomweb)"
    : existsSync(plugin)
      ? null
      : "Orthanc's DICOMweb plugin is not installed (apt-get install orthanc-dicomweb)";

export interface Orthanc {
  readonly url: string;
  readonly dicomPort: number;
  /** JSON of its own interface. */
  get<Answer>(path: string): Promise<Answer>;
  post(path: string, body: string | Uint8Array): Promise<Response>;
  file(instance: string): Promise<Uint8Array>;
  stop(): Promise<void>;
}

/**
 * @param modality a DICOM node that it knows, called "lnsnet"
 * @param more entries of its configuration
 */
export async function startOrthanc(
  folder: string,
  modality: { readonly title: string; readonly port: number },
  more: object = {},
): Promise<Orthanc> {
  if (program === undefined) throw new Error("There is no Orthanc.");
  const [httpPort, dicomPort] = [await freePort(), await freePort()];
  const configuration = {
    ...{ Name: "test", StorageDirectory: join(folder, "storage"), IndexDirectory: join(folder, "storage") },
    ...{ HttpPort: httpPort, DicomPort: dicomPort, DicomAet: "ORTHANC", RemoteAccessAllowed: false },
    ...{ AuthenticationEnabled: false, DicomCheckCalledAet: false, DicomAlwaysAllowStore: true },
    ...{ DicomModalities: { lnsnet: [modality.title, "127.0.0.1", modality.port] }, Plugins: [plugin] },
    ...{ DicomWeb: { Enable: true, Root: "/dicom-web/" }, ConcurrentJobs: 1, SaveJobs: false },
    ...more,
  };
  const file = join(folder, "orthanc.json");
  await writeFile(file, JSON.stringify(configuration));
  const child = spawn(program, [file], { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.on("data", (text) => {
    said = `${said}${text}`.slice(-3000);
  });
  const url = `http://127.0.0.1:${httpPort}`;
  await untilAnswers(`${url}/system`, child, () => said);
  const ask = async (path: string, options?: RequestInit) => {
    const response = await fetch(`${url}${path}`, options);
    if (!response.ok)
      throw new Error(`Orthanc answered ${response.status} to ${path}: ${await response.text()}`);
    return response;
  };
  return {
    ...{ url, dicomPort },
    get: async <Answer>(path: string) => (await (await ask(path)).json()) as Answer,
    post: (path, body) =>
      ask(path, { method: "POST", body: typeof body === "string" ? body : new Uint8Array(body) }),
    file: async (instance) => new Uint8Array(await (await ask(`/instances/${instance}/file`)).arrayBuffer()),
    stop: () =>
      new Promise((resolve) => {
        child.once("close", () => resolve());
        child.kill("SIGTERM");
      }),
  };
}

/** A port of this machine that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 0;
}

async function untilAnswers(url: string, child: ChildProcess, said: () => string): Promise<void> {
  for (let n = 0; n < 300; n++) {
    if (child.exitCode !== null) throw new Error(`Orthanc ended with ${child.exitCode}: ${said()}`);
    if (
      await fetch(url).then(
        ({ ok }) => ok,
        () => false,
      )
    )
      return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`Orthanc does not answer: ${said()}`);
}
