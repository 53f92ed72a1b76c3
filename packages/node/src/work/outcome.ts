// How a worker thread answers: structured cloning strips an InputError of its class, so its sentence travels as data.
import { InputError } from "@lnsnet/core/errors";

export type Outcome<T> = { readonly value: T } | { readonly inputError: string };

/** The result of `work`, or the sentence of the InputError that it threw; other errors pass. */
export async function outcomeOf<T>(work: () => Promise<T>): Promise<Outcome<T>> {
  try {
    return { value: await work() };
  } catch (error) {
    if (error instanceof InputError) return { inputError: error.message };
    throw error;
  }
}

/** @throws InputError where the worker did */
export function unwrap<T>(outcome: Outcome<T>): T {
  if ("inputError" in outcome) throw new InputError(outcome.inputError);
  return outcome.value;
}
