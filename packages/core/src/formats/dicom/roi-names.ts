// Chooses segments of a SEG or ROIs of an RTSTRUCT by their names.
import { InputError } from "../../errors.js";

/**
 * A regular expression for names, as a user writes it: `/LN|node|GTVn/i`, or plain `LN|node|GTVn`, which ignores case.
 *
 * @throws InputError where it is not a regular expression
 */
export function roiPattern(text: string): RegExp {
  const [, source, flags] = /^\/(.*)\/([a-z]*)$/s.exec(text) ?? [null, text, "i"];
  try {
    return new RegExp(source, flags.replaceAll(/[gy]/g, ""));
  } catch (cause) {
    throw new InputError(
      `"${text}" is not a regular expression (${cause instanceof Error ? cause.message : cause}); write a pattern such as /LN|node|GTVn/i.`,
      { cause },
    );
  }
}

/**
 * The indices of the names that a pattern matches, in their order.
 *
 * @param fileName - the file that has the names, for the message
 * @throws InputError where none matches; the message lists the names
 */
export function matchRois(names: readonly string[], pattern: RegExp, fileName: string): number[] {
  const matched = names.flatMap((name, n) => (pattern.test(name) ? [n] : []));
  if (matched.length > 0) return matched;
  if (names.length === 0) {
    throw new InputError(`${fileName} holds no ROI, and at least 1 was expected; export it again.`);
  }
  throw new InputError(
    `${fileName} has no ROI that matches ${pattern}, only ${names.map((name) => `"${name}"`).join(", ")}; choose a pattern that matches these names.`,
  );
}
