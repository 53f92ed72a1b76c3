// The secret of a folder of pseudonymous results, by which the same command finds what it made before.
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { isFile, readBytes, writeAtomically } from "./disk.js";

/**
 * The secret in a file of a folder, made where there is none. Whoever has it can test a guessed identifier, so that it
 * must not be passed on with the results.
 */
export async function secretOf(folder: string, name: string): Promise<string> {
  const path = join(folder, name);
  if (await isFile(path)) return new TextDecoder().decode(await readBytes(path)).trim();
  const secret = randomBytes(16).toString("hex");
  await writeAtomically(path, `${secret}\n`);
  return secret;
}
