// The error for input that the user can correct; every other error is a bug.
import { safeText, shortened } from "./text.js";

/**
 * Input that cannot be used. The message is one sentence that names what was given, what was found, what was
 * expected and what to do. The command line prints it alone and exits with 2; every other error is a bug of ours.
 *
 * Whatever a sentence quotes, it is one line, drives no terminal, and is short: of one that is longer than 1000
 * characters the middle is left out, since its end says what to do.
 */
export class InputError extends Error {
  override readonly name = "InputError";

  constructor(message: string, options?: ErrorOptions) {
    // Writing out makes text longer: what is far beyond the limit is cut before as well.
    super(shortened(safeText(shortened(message, 4 * longestSentence)), longestSentence), options);
  }
}

const longestSentence = 1000;
