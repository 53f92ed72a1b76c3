// What is wrong with the service itself and not with one job, such as a full disk: sentences that a worklist shows until they no longer hold.

export class Notices {
  readonly #sentences = new Map<string, string>();
  readonly #log: (sentence: string) => void;

  /** @param log told of each sentence once, and not again while it stays the same */
  constructor(log: (sentence: string) => void) {
    this.#log = log;
  }

  /** @param about what the sentence is about; a later one about the same replaces it, and null takes it away */
  tell(about: string, sentence: string | null): void {
    if (this.#sentences.get(about) === (sentence ?? undefined)) return;
    if (sentence === null) this.#sentences.delete(about);
    else {
      this.#sentences.set(about, sentence);
      this.#log(sentence);
    }
  }

  list(): string[] {
    return [...this.#sentences.values()];
  }
}
