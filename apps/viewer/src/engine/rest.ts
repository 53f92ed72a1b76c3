// Long work rests while a person draws: its threads and the page would share the processor, and strokes would stutter.

/** A time in which models do not begin another run. */
export class Rest {
  private untilMs = 0;

  /** Begins now, or goes on for so long from now; a longer one stays. */
  prolong(milliseconds: number): void {
    this.untilMs = Math.max(this.untilMs, performance.now() + milliseconds);
  }

  /** Waits for its end. */
  async over(): Promise<void> {
    for (let left = this.leftMs(); left > 0; left = this.leftMs())
      await new Promise((resolve) => setTimeout(resolve, left));
  }

  private leftMs(): number {
    return this.untilMs - performance.now();
  }
}
