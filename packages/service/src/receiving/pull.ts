// Fetches studies from a PACS: lists their CT series, and takes in each.
import { InputError } from "@lnsnet/core/errors";
import { shown } from "@lnsnet/core/text";
import type { Configuration } from "../configuration.js";
import { dicomwebSource } from "./pull-dicomweb.js";
import { dimseSource } from "./pull-dimse.js";
import { type PullHost, type PullSource, uidPattern, type WantedStudies } from "./pull-source.js";
import { type Received, together } from "./reception.js";

/** @param name as the configuration calls it */
export function openSource(
  name: string,
  source: Configuration["sources"][string],
  host: PullHost,
): PullSource {
  return source.kind === "dicomweb" ? dicomwebSource(name, source, host) : dimseSource(name, source, host);
}

/**
 * Takes in every CT series of the studies.
 *
 * @param complete told when a series is there as a whole
 * @throws InputError where the source does not answer, or has no such series; what was taken before stays
 */
export async function pullStudies(
  name: string,
  source: PullSource,
  wanted: WantedStudies,
  complete: (jobs: readonly string[]) => Promise<void>,
  signal: AbortSignal,
): Promise<Received> {
  const listed = await source.list(checked(wanted), signal);
  if (listed.length === 0)
    throw new InputError(`The source ${name} has no CT series of this study; check the number.`);
  const parts: Received[] = [];
  for (const series of listed) {
    const received = await source.fetch(series, signal);
    await complete(received.jobs);
    parts.push(received);
  }
  return together(parts);
}

/** Without the wildcards of a query. @throws InputError */
function checked(wanted: WantedStudies): WantedStudies {
  if ("accession" in wanted && !/^[^*?\\]{1,16}$/.test(wanted.accession))
    throw new InputError(
      `"${shown(wanted.accession)}" is no accession number; give up to 16 characters without * and ?.`,
    );
  if ("study" in wanted && !uidPattern.test(wanted.study))
    throw new InputError(`"${shown(wanted.study)}" is no UID of a study; give digits and dots.`);
  return wanted;
}
