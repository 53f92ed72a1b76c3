// Reads the files of an upload: a form of a browser (multipart/form-data), each by way of a temporary file, so that memory is bounded.
import { randomUUID } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { InputError } from "@lnsnet/core/errors";
import { readBytes } from "@lnsnet/node/disk";
import type { FastifyRequest } from "fastify";
import { type Received, together } from "../receiving/reception.js";

export interface UploadLimits {
  readonly megabytes: number;
  readonly files: number;
}

/**
 * Takes each file of a request.
 *
 * @param folder for temporary files
 * @throws InputError where the request holds no file, or more than the limits; what was taken before stays
 */
export async function takeUpload(
  request: FastifyRequest,
  folder: string,
  { megabytes, files: mostFiles }: UploadLimits,
  take: (bytes: Uint8Array, name: string) => Promise<Received>,
): Promise<Received> {
  if (!request.isMultipart())
    throw new InputError(
      "An upload is a form with files (multipart/form-data), and something else was sent.",
    );
  await mkdir(folder, { recursive: true });
  const parts: Received[] = [];
  let bytesLeft = 1e6 * megabytes;
  const files = request.files({
    limits: { fileSize: 1e6 * megabytes, files: mostFiles, fields: 20, parts: mostFiles + 20 },
  });
  for await (const { file, filename } of undamaged(files)) {
    const temporary = join(folder, randomUUID());
    try {
      await pipeline(file, createWriteStream(temporary, { flags: "wx", mode: 0o600 })).catch(refuseDamage);
      bytesLeft -= file.bytesRead;
      if (file.truncated || bytesLeft < 0)
        throw new InputError(`The upload has more than ${megabytes} MB; send it in parts.`);
      parts.push(await take(await readBytes(temporary), nameOf(filename)));
    } finally {
      await rm(temporary, { force: true });
    }
  }
  if (parts.length === 0) throw new InputError("The upload holds no file; choose at least one.");
  return together(parts);
}

/** The files of a form, whose reader throws for a damaged one. */
async function* undamaged<File>(files: AsyncIterable<File>): AsyncGenerator<File> {
  try {
    yield* files;
  } catch (error) {
    refuseDamage(error);
  }
}

/** @throws InputError for what is wrong with the form itself; limits of the reader and faults of the disk as they are */
function refuseDamage(error: unknown): never {
  if (!(error instanceof Error) || "statusCode" in error || "errno" in error) throw error;
  throw new InputError(`The upload is damaged or was broken off (${error.message}); send it again.`);
}

/** A part of a damaged form may have no name at all, whatever the reader's types say. */
const nameOf = (filename: string | undefined): string =>
  filename === undefined || filename === "" ? "a file without a name" : filename;
