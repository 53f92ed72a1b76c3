// Studies of the lnsnet service that serves this page: its worklist links to ?job=ID.
import { InputError, type Progress } from "@lnsnet/core";
import type { ChosenFile } from "./engine/answers.js";
import { service as texts } from "./interface/texts.js";

/** A study as the service has it. */
interface ServiceStudy {
  readonly scan: readonly ChosenFile[];
  /** What holds the nodes that were found; null where there are none. */
  readonly nodes: ChosenFile | null;
}

/** Where the service is: it serves this page in a folder of its own. */
export const serviceAddress = "../";

/** Files that are fetched at the same time, as many as a browser has connections. */
const atOnce = 6;

/** The job that an address names; null where it names none. */
export const jobOfAddress = (search: string): string | null => new URLSearchParams(search).get("job");

/**
 * Fetches the files of a job, by the session of the worklist.
 *
 * @returns "signed out" where the service does not know who asks
 * @throws InputError where there is no such job, or the service does not answer; the signal's reason
 */
export async function fetchJob(
  id: string,
  job: {
    readonly signal: AbortSignal;
    readonly onProgress: (progress: Pick<Progress, "done" | "total">) => void;
  },
): Promise<ServiceStudy | "signed out"> {
  const at = `${serviceAddress}api/jobs/${encodeURIComponent(id)}`;
  const { signal } = job;
  const answer = await ask(at, signal);
  if (answer.status === 401) return "signed out";
  if (answer.status === 404) throw new InputError(texts.isGone(id));
  const { results } = await jsonOf<{ readonly results: readonly { readonly name: string }[] }>(answer);
  const files = await jsonOf<readonly { readonly name: string }[]>(await ask(`${at}/files`, signal));
  if (files.length === 0) throw new InputError(texts.noFiles(id));
  // A segmentation object has the nodes one by one; the mask is always there.
  const drawn = [".seg.dcm", ".nii.gz"].flatMap((ending) =>
    results.filter(({ name }) => name.endsWith(ending)).map(({ name }) => `${at}/results/${name}`),
  )[0];
  const addresses = files.map(({ name }) => `${at}/files/${encodeURIComponent(name)}`);
  const all = drawn === undefined ? addresses : [...addresses, drawn];
  const fetched = new Array<ChosenFile>(all.length);
  let next = 0;
  let done = 0;
  const fetchNext = async (): Promise<void> => {
    for (let n = next++; n < all.length; n = next++) {
      const address = all[n];
      const name = decodeURIComponent(address.slice(address.lastIndexOf("/") + 1));
      fetched[n] = { path: name, file: await (await fine(await ask(address, signal))).blob() };
      job.onProgress({ done: ++done, total: all.length });
    }
  };
  await Promise.all(Array.from({ length: atOnce }, fetchNext));
  return {
    scan: fetched.slice(0, addresses.length),
    nodes: drawn === undefined ? null : fetched[addresses.length],
  };
}

async function ask(address: string, signal: AbortSignal): Promise<Response> {
  try {
    return await fetch(address, { signal });
  } catch (cause) {
    signal.throwIfAborted();
    throw new InputError(texts.unreachable, { cause });
  }
}

/** @throws InputError with what the service says */
async function fine(response: Response): Promise<Response> {
  if (response.ok) return response;
  const { error } = (await response.json().catch(() => ({}))) as { readonly error?: string };
  throw new InputError(texts.refused(response.status, error ?? ""));
}

const jsonOf = async <Answer>(response: Response): Promise<Answer> =>
  (await (await fine(response)).json()) as Answer;
