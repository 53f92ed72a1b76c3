// What long work takes from whoever asks for it: a way to stop it, and where it tells how far it is.

/** How far a stage of the work is. */
export interface Progress {
  /** What is done, such as "prepare" or "train". A job may go through several stages, one after the other. */
  readonly stage: string;
  /** What is counted, such as "scan" or "step". */
  readonly unit: string;
  readonly done: number;
  readonly total: number;
  /** Units a second; where it is left out, what was done since the stage's first state by the time that took. */
  readonly rate?: number;
  /** Further figures, such as a loss. */
  readonly text?: string;
}

/** The part of an `AbortSignal` that the library needs. */
export interface StopSignal {
  readonly aborted: boolean;
  /** @throws the signal's reason where it was aborted */
  throwIfAborted(): void;
}

/** Given to every function whose work takes long, so that many jobs run side by side and each is stopped by itself. */
export interface Job {
  /** When it is aborted, the work stops as soon as nothing is lost by it, and throws the signal's reason. */
  readonly signal?: StopSignal | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /** Takes sentences for a person beside the result, such as what is odd about the input and was dealt with. */
  readonly log?: ((sentence: string) => void) | undefined;
}
