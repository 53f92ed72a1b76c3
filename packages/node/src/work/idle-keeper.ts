// Keeps what takes long to start, such as a process, for whoever wants the same next.

/** How long a thing waits until it is ended. It does not keep this process alive meanwhile. */
export const IDLE_MS = 10_000;

interface Idle<Thing> {
  readonly thing: Thing;
  readonly ending: NodeJS.Timeout;
}

/** Things that nobody uses now, by their kind. Whoever takes one has it alone. */
export class IdleKeeper<Thing> {
  private readonly kinds = new Map<string, Idle<Thing>[]>();

  /** @param end what is done with a thing that nobody wanted */
  constructor(private readonly end: (thing: Thing) => void) {}

  /** The thing of a kind that was kept last. */
  take(kind: string): Thing | undefined {
    const taken = this.kinds.get(kind)?.pop();
    clearTimeout(taken?.ending);
    return taken?.thing;
  }

  keep(kind: string, thing: Thing): void {
    const waiting = this.kinds.get(kind) ?? [];
    this.kinds.set(kind, waiting);
    const ending = setTimeout(() => {
      waiting.splice(waiting.indexOf(idle), 1);
      this.end(thing);
    }, IDLE_MS).unref();
    const idle = { thing, ending };
    waiting.push(idle);
  }
}
