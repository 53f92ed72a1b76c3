// Says what the rules would do with a file, without doing it.
import { instanceHeader } from "@lnsnet/core/formats";
import { readBytes } from "@lnsnet/node/disk";
import { explain, type Rule } from "./rules.js";

/**
 * The rules one by one, and which of them decides.
 *
 * @param callingTitle the AE title from which it would come by C-STORE; null for an upload
 * @throws InputError where the file is no DICOM instance
 */
export async function testRules(
  rules: readonly Rule[],
  path: string,
  callingTitle: string | null,
): Promise<string[]> {
  const { attributes } = instanceHeader(await readBytes(path), path);
  return explain(rules, {
    ...attributes,
    ...(callingTitle === null ? { Source: "upload" } : { Source: "C-STORE", CallingAETitle: callingTitle }),
  });
}
