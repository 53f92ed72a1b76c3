// Runs in the viewer's page, for its benchmark: how long it takes from an input until a person sees what came of it.
globalThis.recorder = {
  /**
   * Begins to wait for the next input. {@link recorded} then has the milliseconds from there until the end of the first
   * frame in which something is seen. Two steps, because an input may overtake the call that comes before it.
   *
   * @param isSeen asked once a frame
   */
  recordUntil(isSeen) {
    this.recorded = new Promise((resolve) => {
      let askedAt = null;
      const note = ({ timeStamp }) => {
        askedAt ??= timeStamp;
      };
      for (const type of ["pointerdown", "keydown", "change"])
        addEventListener(type, note, { capture: true, once: true });
      const look = () => {
        requestAnimationFrame(() => {
          if (askedAt === null || !isSeen()) return look();
          // Comes when the frame with everything that it draws is over.
          const { port1, port2 } = new MessageChannel();
          port1.onmessage = () => resolve(performance.now() - askedAt);
          port2.postMessage(null);
        });
      };
      look();
    });
  },

  /** Whether a plane shows a picture. */
  isPainted(plane) {
    const canvas = document.querySelector(`.pane-${plane} canvas`);
    if (canvas === null || canvas.width < 64) return false;
    const [x, y] = [Math.floor(canvas.width / 2) - 16, Math.floor(canvas.height / 2) - 16];
    const { data } = canvas.getContext("2d").getImageData(x, y, 32, 32);
    return new Set(data).size > 8;
  },

  /** What stands above a plane, such as the number of its slice. */
  titleOf(plane) {
    return document.querySelector(`.pane-${plane} .pane-title`)?.textContent ?? "";
  },

  /** How many nodes the table has. */
  nodes() {
    return document.querySelectorAll(".nodes-table tbody tr").length;
  },
};
