// A DICOMweb service that is asked for studies: QIDO-RS lists their series, WADO-RS retrieves each (DICOM PS3.18, 10.4 and 10.6).
import { InputError } from "@lnsnet/core/errors";
import { shown } from "@lnsnet/core/text";
import { z } from "zod";
import type { Configuration } from "../configuration.js";
import { authorizationHeader } from "../dicomweb/authorization.js";
import { limitedTo } from "../dicomweb/limit.js";
import { relatedParts } from "../dicomweb/multipart.js";
import {
  type ListedAttribute,
  type ListedSeries,
  listedAttributes,
  listedSeries,
  type PullHost,
  type PullSource,
  uidPattern,
  type WantedStudies,
} from "./pull-source.js";
import { type Received, together } from "./reception.js";

type DicomwebSource = Extract<Configuration["sources"][string], { kind: "dicomweb" }>;

/** Tags as DICOM's JSON model writes them (PS3.18, F.2). */
const tags: Readonly<Record<ListedAttribute | "StudyInstanceUID", string>> = {
  ...{
    StudyInstanceUID: "0020000D",
    SeriesInstanceUID: "0020000E",
    NumberOfSeriesRelatedInstances: "00201209",
  },
  ...{
    StudyDate: "00080020",
    StudyDescription: "00081030",
    AccessionNumber: "00080050",
    Modality: "00080060",
  },
  ...{ SeriesDescription: "0008103E", BodyPartExamined: "00180015", SeriesNumber: "00200011" },
};

const answerSchema = z.array(
  z.record(z.string(), z.object({ Value: z.array(z.unknown()).optional() }).catch({})),
);
type Row = z.infer<typeof answerSchema>[number];

export function dicomwebSource(
  name: string,
  source: DicomwebSource,
  { take }: Pick<PullHost, "take">,
): PullSource {
  const query = async (path: string, signal: AbortSignal): Promise<Row[]> => {
    const limit = limitedTo(source.timeoutSeconds, signal);
    try {
      const response = await ask(name, source, path, "application/dicom+json", limit.signal);
      // 204 says that there is none.
      if (response.status === 204) return [];
      const { success, data } = answerSchema.safeParse(await response.json().catch(() => null));
      if (success) return data;
    } finally {
      limit.end();
      signal.throwIfAborted();
    }
    throw new InputError(
      `The source ${name} gave no list of series; check that its address is that of DICOMweb.`,
    );
  };
  return {
    async list(wanted, signal) {
      const studies = await query(`/studies?${queryText(conditionsOf(wanted))}`, signal);
      const listed: ListedSeries[] = [];
      for (const study of studies) {
        const uid = textOf(study, "StudyInstanceUID");
        if (!uidPattern.test(uid)) continue;
        const path = `/studies/${uid}/series?${queryText({ Modality: "CT" })}`;
        for (const series of await query(path, signal))
          listed.push(
            ...listedSeries(uid, (attribute) => textOf(series, attribute) || textOf(study, attribute)),
          );
      }
      return listed;
    },
    async fetch({ studyInstanceUid, seriesInstanceUid }, signal) {
      const path = `/studies/${studyInstanceUid}/series/${seriesInstanceUid}`;
      const type = 'multipart/related; type="application/dicom"; transfer-syntax=*';
      const limit = limitedTo(source.timeoutSeconds, signal);
      const received: Received[] = [];
      try {
        const response = await ask(name, source, path, type, limit.signal);
        const contentType = response.headers.get("content-type") ?? "";
        for await (const bytes of relatedParts(contentType, bodyOf(name, response), mostBytes))
          received.push(await take(bytes, `instance ${received.length + 1} of ${name}`));
      } finally {
        limit.end();
        signal.throwIfAborted();
      }
      return together(received);
    },
  };
}

/** @throws InputError where it is broken off */
async function* bodyOf(name: string, { body }: Response): AsyncGenerator<Uint8Array> {
  try {
    yield* (body ?? []) as AsyncIterable<Uint8Array>;
  } catch (error) {
    throw new InputError(`The source ${name} broke off (${error instanceof Error ? error.message : error}).`);
  }
}

/** Of one series. */
const mostBytes = 8e9;

function conditionsOf(wanted: WantedStudies): Record<string, string> {
  if ("accession" in wanted) return { AccessionNumber: wanted.accession };
  if ("study" in wanted) return { StudyInstanceUID: wanted.study };
  return { ModalitiesInStudy: "CT", StudyDate: wanted.dates };
}

/** With the attributes that are to be returned. */
function queryText(conditions: Readonly<Record<string, string>>): string {
  const text = new URLSearchParams(conditions);
  for (const attribute of [...listedAttributes, "NumberOfSeriesRelatedInstances"])
    text.append("includefield", attribute);
  return text.toString();
}

function textOf(row: Row, attribute: keyof typeof tags): string {
  const [value] = row[tags[attribute]]?.Value ?? [];
  return typeof value === "string" || typeof value === "number" ? String(value).trim() : "";
}

async function ask(
  name: string,
  source: DicomwebSource,
  path: string,
  accept: string,
  signal: AbortSignal,
): Promise<Response> {
  const { url } = source;
  const headers = { Accept: accept, ...(await authorizationHeader(source)) };
  const response = await fetch(`${url.replace(/\/$/, "")}${path}`, {
    headers,
    signal,
    // A source that leads elsewhere would be given the authorization.
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
