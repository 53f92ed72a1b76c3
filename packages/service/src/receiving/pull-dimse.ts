// A DICOM node that is asked for studies: C-FIND lists their series, C-MOVE has each sent to our receiver (DICOM PS3.4, C.4).
import { InputError } from "@lnsnet/core/errors";
import dimse from "dcmjs-dimse";
import type { Configuration } from "../configuration.js";
import { associate } from "../dimse/association.js";
import {
  type ListedSeries,
  listedSeries,
  type PullHost,
  type PullSource,
  uidPattern,
  type WantedStudies,
} from "./pull-source.js";
import { idOfSeries } from "./reception.js";

const { CFindRequest, CMoveRequest } = dimse.requests;
const { Status } = dimse.constants;

type DimseSource = Extract<Configuration["sources"][string], { kind: "c-move" }>;
type Row = Readonly<Record<string, unknown>>;

export function dimseSource(
  name: string,
  source: DimseSource,
  { receiverTitle }: Pick<PullHost, "receiverTitle">,
): PullSource {
  if (receiverTitle === null) throw new Error("A source of C-MOVE was configured without a receiver.");
  const at = `The source ${name}`;
  const find = async (request: InstanceType<typeof CFindRequest>, signal: AbortSignal): Promise<Row[]> => {
    const rows: Row[] = [];
    let status: number | null = null;
    request.on("response", (response) => {
      const now = response.getStatus();
      const row = response.getDataset()?.getElements();
      if (isPending(now) && row !== undefined) rows.push(row);
      status = now;
    });
    await associate(at, source, [request], signal);
    if (status !== Status.Success)
      throw new InputError(`${at} ${answered(status, "does not offer C-FIND")}.`);
    return rows;
  };
  return {
    async list(wanted, signal) {
      const studies = await find(CFindRequest.createStudyFindRequest(conditionsOf(wanted)), signal);
      const listed: ListedSeries[] = [];
      for (const study of studies) {
        const uid = textOf(study, "StudyInstanceUID");
        if (!uidPattern.test(uid)) continue;
        const request = CFindRequest.createSeriesFindRequest({
          ...{ StudyInstanceUID: uid, Modality: "CT", BodyPartExamined: "" },
        });
        for (const series of await find(request, signal))
          listed.push(
            ...listedSeries(uid, (attribute) => textOf(series, attribute) || textOf(study, attribute)),
          );
      }
      return listed;
    },
    async fetch({ studyInstanceUid, seriesInstanceUid }, signal) {
      const request = CMoveRequest.createSeriesMoveRequest(
        receiverTitle,
        studyInstanceUid,
        seriesInstanceUid,
      );
      let last: InstanceType<typeof dimse.responses.CMoveResponse> | null = null;
      request.on("response", (response) => {
        last = response as InstanceType<typeof dimse.responses.CMoveResponse>;
      });
      await associate(at, source, [request], signal);
      const { status, completed, failed } = outcomeOf(last);
      if (failed > 0)
        throw new InputError(
          `${at} could not send ${failed} of ${completed + failed} instances of a series; see its log.`,
        );
      // Servers differ in how they say that they do not know a destination.
      if (status !== Status.Success)
        throw new InputError(
          `${at} ${answered(status, "does not offer C-MOVE")}; let its administrator see whether it knows the address and port of "${receiverTitle}".`,
        );
      return { jobs: [idOfSeries(seriesInstanceUid)], taken: completed, refused: [] };
    },
  };
}

const isPending = (status: number): boolean => status === 0xff00 || status === 0xff01;

const answered = (status: number | null, silent: string): string =>
  status === null ? silent : `answered with status 0x${status.toString(16).padStart(4, "0")}`;

function outcomeOf(response: InstanceType<typeof dimse.responses.CMoveResponse> | null): {
  readonly status: number | null;
  readonly completed: number;
  readonly failed: number;
} {
  if (response === null) return { status: null, completed: 0, failed: 0 };
  return {
    status: response.getStatus(),
    completed: response.getCompleted() + response.getWarnings(),
    failed: response.getFailures(),
  };
}

/** Keys without a value ask for it to be returned. */
function conditionsOf(wanted: WantedStudies): Record<string, string> {
  const returned = { StudyInstanceUID: "", StudyDate: "", StudyDescription: "", AccessionNumber: "" };
  if ("accession" in wanted) return { ...returned, AccessionNumber: wanted.accession };
  if ("study" in wanted) return { ...returned, StudyInstanceUID: wanted.study };
  return { ...returned, StudyDate: wanted.dates, ModalitiesInStudy: "CT" };
}

function textOf(row: Row, attribute: string): string {
  const value = Array.isArray(row[attribute]) ? row[attribute][0] : row[attribute];
  return typeof value === "string" || typeof value === "number" ? String(value).trim() : "";
}
