// The one kind of error that is the user's to mend, not ours.

/**
 * Input that cannot be used. The message is one sentence that names what was given, what was found, what was
 * expected and what to do. The command line prints it alone and exits with 2; every other error is a bug of ours.
 */
export class InputError extends Error {
  override readonly name = "InputError";
}
