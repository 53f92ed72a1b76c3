// Sends DICOM files to a target: a folder, a DICOMweb service (STOW-RS) or a DICOM node (C-STORE).
import { randomUUID } from "node:crypto";
import { basename, join } from "node:path";
import { InputError } from "@lnsnet/core/errors";
import { shown } from "@lnsnet/core/text";
import { ensureWritableFolder, readBytes, writeAtomically } from "@lnsnet/node/disk";
import type { TargetConfiguration } from "../configuration.js";
import { authorizationHeader } from "../dicomweb/authorization.js";
import { limitedTo } from "../dicomweb/limit.js";
import { storeAt } from "./c-store.js";

/**
 * Sends files to a target. Sending twice does no harm: an instance keeps its UID, and a file its name.
 *
 * @throws InputError where the target does not answer or does not take a file; the signal's reason
 */
export async function sendFiles(
  paths: readonly string[],
  name: string,
  target: TargetConfiguration,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  switch (target.kind) {
    case "folder":
      return copyInto(target.path, paths);
    case "stow":
      return stowAt(name, target, paths, signal);
    case "c-store":
      return storeAt(name, target, paths, signal);
  }
}

async function copyInto(folder: string, paths: readonly string[]): Promise<void> {
  await ensureWritableFolder(folder);
  for (const path of paths) await writeAtomically(join(folder, basename(path)), await readBytes(path));
}

/** One request for all instances (PS3.18, 10.5). */
async function stowAt(
  name: string,
  target: Extract<TargetConfiguration, { kind: "stow" }>,
  paths: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const boundary = `lnsnet-${randomUUID()}`;
  const parts: Uint8Array[] = [];
  for (const path of paths)
    parts.push(
      Buffer.from(`--${boundary}\r\nContent-Type: application/dicom\r\n\r\n`),
      await readBytes(path),
      Buffer.from("\r\n"),
    );
  parts.push(Buffer.from(`--${boundary}--\r\n`));
  const authorization = await authorizationHeader(target);
  const limit = limitedTo(target.timeoutSeconds, signal);
  try {
    const response = await fetch(`${target.url.replace(/\/$/, "")}/studies`, {
      method: "POST",
      body: Buffer.concat(parts),
      headers: {
        Accept: "application/dicom+json",
        "Content-Type": `multipart/related; type="application/dicom"; boundary=${boundary}`,
        ...authorization,
      },
      // A target that leads elsewhere would be given the authorization.
      redirect: "error",
      signal: limit.signal,
    });
    const text = await response.text();
    // 202 says that some instances were not stored.
    if (response.status === 200) return;
    throw new InputError(
      `The target ${name} (${target.url}) answered ${response.status}${text === "" ? "" : `: ${shown(text, 200)}`}.`,
    );
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof InputError) throw error;
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    throw new InputError(
      `The target ${name} (${target.url}) did not answer: ${cause instanceof Error ? cause.message : cause}.`,
    );
  } finally {
    limit.end();
  }
}
