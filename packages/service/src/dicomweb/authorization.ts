// How we show who we are to a DICOMweb service: by a secret from the environment or from a file, never from the configuration.
import { readFile } from "node:fs/promises";
import { InputError } from "@lnsnet/core/errors";

/** Where the value of the Authorization header is kept. */
interface AuthorizationPlace {
  readonly authorizationVariable?: string | undefined;
  readonly authorizationFile?: string | undefined;
}

/** The header, or none. @throws InputError where the variable is not set */
export async function authorizationHeader({
  authorizationVariable: variable,
  authorizationFile: file,
}: AuthorizationPlace): Promise<{ readonly Authorization?: string }> {
  if (file !== undefined) return { Authorization: (await readFile(file, "utf8")).trim() };
  if (variable === undefined) return {};
  const value = process.env[variable];
  if (value === undefined || value === "")
    throw new InputError(
      `The environment variable ${variable} is not set; set it to the value of the Authorization header.`,
    );
  return { Authorization: value };
}
