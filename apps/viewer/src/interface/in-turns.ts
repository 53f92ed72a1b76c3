// Repeats something small while the page goes on answering.

/**
 * @param prepare makes what is repeated, in a turn of its own
 * @returns ends it
 */
export function inTurns(times: number, prepare: () => () => void): () => void {
  let left = times;
  let waiting = setTimeout(() => {
    const act = prepare();
    waiting = setTimeout(turn);
    function turn() {
      act();
      left--;
      if (left > 0) waiting = setTimeout(turn);
    }
  });
  return () => clearTimeout(waiting);
}
