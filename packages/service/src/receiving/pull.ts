// Fetches studies from a DICOMweb service: looks for their series (QIDO-RS) and retrieves each (WADO-RS; DICOM PS3.18, 10.4 and 10.6).
import { InputError, shown } from "@lnsnet/core";
import { z } from "zod";
import type { Configuration } from "../configuration.js";
import { authorizationHeader } from "../dicomweb/authorization.js";
import { relatedParts } from "../dicomweb/multipart.js";
import { type Received, together } from "./reception.js";

type PullSource = Configuration["sources"][string];

/** Which study: by its accession number, or by its UID. */
type Wanted = { readonly accession: string } | { readonly study: string };

const uidPattern = /^[0-9.]{1,64}$/;
const uidSchema = z.object({ Value: z.tuple([z.string().regex(uidPattern)]) });
const seriesSchema = z.array(z.object({ "0020000D": uidSchema, "0020000E": uidSchema }));

/**
 * Takes in every CT series of a study.
 *
 * @param take what is done with each instance
 * @param complete told when a series is there as a whole
 * @throws InputError where the source does not answer, or has no such series; what was taken before stays
 */
export async function pullStudy(
  name: string,
  source: PullSource,
  wanted: Wanted,
  take: (bytes: Uint8Array, name: string) => Promise<Received>,
  complete: (jobs: readonly string[]) => Promise<void>,
): Promise<Received> {
  const query = new URLSearchParams({
    Modality: "CT",
    ...("accession" in wanted
      ? { AccessionNumber: plain(wanted.accession) }
      : { StudyInstanceUID: uid(wanted.study) }),
  });
  const found = await ask(name, source, `/series?${query}`, "application/dicom+json");
  // 204 says that there is none.
  const { success, data: series } = seriesSchema.safeParse(
    found.status === 204 ? [] : await found.json().catch(() => null),
  );
  if (!success)
    throw new InputError(
      `The source ${name} gave no list of series; check that its address is that of DICOMweb.`,
    );
  if (series.length === 0)
    throw new InputError(`The source ${name} has no CT series of this study; check the number.`);
  const parts: Received[] = [];
  for (const { "0020000D": study, "0020000E": uidOfSeries } of series) {
    const path = `/studies/${study.Value[0]}/series/${uidOfSeries.Value[0]}`;
    const response = await ask(
      name,
      source,
      path,
      'multipart/related; type="application/dicom"; transfer-syntax=*',
    );
    const ofSeries: Received[] = [];
    const stream = response.body as AsyncIterable<Uint8Array> | null;
    if (stream === null) throw new InputError(`The source ${name} gave nothing for a series; try again.`);
    for await (const bytes of relatedParts(response.headers.get("content-type") ?? "", stream, mostBytes))
      ofSeries.push(await take(bytes, `instance ${ofSeries.length + 1} of ${name}`));
    const received = together(ofSeries);
    await complete(received.jobs);
    parts.push(received);
  }
  return together(parts);
}

/** Of one series. */
const mostBytes = 8e9;

async function ask(name: string, source: PullSource, path: string, accept: string): Promise<Response> {
  const { url, timeoutSeconds } = source;
  const headers = { Accept: accept, ...(await authorizationHeader(source)) };
  const signal = AbortSignal.timeout(1000 * timeoutSeconds);
  const response = await fetch(`${url.replace(/\/$/, "")}${path}`, {
    headers,
    signal,
    redirect: "error",
  }).catch((error: Error) => {
    const cause = error.cause instanceof Error ? error.cause : error;
    throw new InputError(`The source ${name} (${url}) did not answer: ${cause.message}.`);
  });
  if (response.ok) return response;
  throw new InputError(
    `The source ${name} (${url}) answered ${response.status}: ${shown(await response.text(), 200)}.`,
  );
}

/** An accession number (SH), without the wildcards of a query. */
function plain(accession: string): string {
  if (/^[^*?\\]{1,16}$/.test(accession)) return accession;
  throw new InputError(
    `"${shown(accession)}" is no accession number; give up to 16 characters without * and ?.`,
  );
}

function uid(text: string): string {
  if (uidPattern.test(text)) return text;
  throw new InputError(`"${shown(text)}" is no UID of a study; give digits and dots.`);
}
