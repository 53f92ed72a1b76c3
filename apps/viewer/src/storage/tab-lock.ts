// One tab at a time works on a study, by the browser's locks.

/** A tab's claim on a study. */
export interface TabLock {
  /** Whether this tab had it at once; if not, another tab has it. */
  readonly isHeld: boolean;
  /** Lets another tab have it, or no longer waits for it. */
  release(): void;
}

/**
 * Claims a study for this tab.
 *
 * @param locks `navigator.locks`
 * @param hash of the study's scan
 * @param onHeld called when a tab that had to wait has the study, because the other tab let it go or was closed
 */
export async function holdStudy(
  locks: Pick<LockManager, "request">,
  hash: string,
  onHeld: () => void,
): Promise<TabLock> {
  const name = `lnsnet-study-${hash}`;
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const isHeld = await new Promise<boolean>((answer, reject) => {
    locks
      .request(name, { ifAvailable: true }, async (lock) => {
        answer(lock !== null);
        if (lock !== null) await released;
      })
      .catch(reject);
  });
  if (isHeld) return { isHeld, release };
  const waiting = new AbortController();
  locks
    .request(name, { signal: waiting.signal }, async () => {
      onHeld();
      await released;
    })
    // Released while it waited.
    .catch(() => {});
  return {
    isHeld,
    release: () => {
      release();
      waiting.abort();
    },
  };
}
