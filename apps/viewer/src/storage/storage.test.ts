// Studies are kept as they change, come back as they were, never on another scan, and in one tab at a time.
import "fake-indexeddb/auto";
import type { Volume } from "@lnsnet/core/volume";
import { beforeEach, describe, expect, test, vi } from "vitest";
import type { NodeReader } from "../study/node-reader.js";
import { beginStroke } from "../study/stroke.js";
import type { Study } from "../study/study.js";
import { block, evenScan } from "../study/study.test-helper.js";
import { contentHash } from "./content-hash.js";
import { keepStudy, lookingUp, notKept, openInAnotherTab } from "./keep-study.js";
import { openStudyStore, type StudyStore } from "./study-store.js";

let store: StudyStore;
let locks: Pick<LockManager, "request">;
let now = 0;

beforeEach(async () => {
  store = await openStudyStore();
  for (const { hash } of await store.list()) await store.remove(hash);
  locks = createLocks();
});

/** Reads as a page does that shares no memory. */
const startReader = (study: Study): NodeReader => ({
  mask: async (number) => study.maskOf(number),
  runs: async (number) => study.stored(number).runs,
  measure: async () => null,
  end: () => {},
});

const opening = (scan: Volume, name = "neck.nii.gz", kept = store, onChange = () => {}) =>
  keepStudy(scan, {
    name,
    source: null,
    isPhantom: false,
    storage: Promise.resolve({ store: kept, locks }),
    startReader,
    now: now++,
    onChange,
  });

const opened = async (...which: Parameters<typeof opening>) => {
  const study = opening(...which);
  await study.known;
  return study;
};

const scanOf = (hu: number) => {
  const scan = evenScan([12, 10, 8]);
  scan.data[5] = hu;
  return scan;
};

describe("the hash of a scan", () => {
  test("is that of its voxels, their kind and their place", async () => {
    const hash = await contentHash(scanOf(1));
    expect(hash).toMatch(/^[0-9a-f]{64}$/);
    expect(await contentHash(scanOf(1))).toBe(hash);
    const shared = scanOf(1);
    const data = new Int16Array(new SharedArrayBuffer(shared.data.byteLength));
    data.set(shared.data);
    expect(await contentHash({ ...shared, data })).toBe(hash);
    for (const other of [
      scanOf(2),
      { ...scanOf(1), spacingMm: [1, 1, 1.5] as const },
      { ...scanOf(1), originMm: [0, 0, 1] as const },
      { ...scanOf(1), data: Float32Array.from(scanOf(1).data) },
    ])
      expect(await contentHash(other)).not.toBe(hash);
  });

  test("of more than one piece depends on each", async () => {
    const large = evenScan([256, 256, 100]);
    const hash = await contentHash(large);
    large.data[large.data.length - 1] = 7;
    expect(await contentHash(large)).not.toBe(hash);
  });
});

describe("a kept study", () => {
  test("comes back with everything, and its scan", async () => {
    const scan = scanOf(1);
    const first = await opened(scan);
    first.study.addNode(block([1, 1, 1], [4, 2, 3]), { probability: 0.8, origin: "clicked" });
    first.study.addNode(block([6, 1, 1], [7, 2, 3]));
    first.study.addNode(block([9, 9, 7], [9, 9, 7]));
    first.study.rename(1, "Level II");
    first.study.setAxis(1, "long", [
      [0, 0, 0],
      [5, 0, 0],
    ]);
    first.study.deleteNode(2);
    first.study.undo();
    first.study.deleteNode(3);
    expect(first.keeper?.keeping.state).toBe("saving");
    await first.close();
    const again = await opened(scan);
    expect(again.study.nodes).toEqual(first.study.nodes);
    expect(again.study.labels.data).toEqual(first.study.labels.data);
    expect(again.remarks).toEqual([]);
    await vi.waitFor(async () => expect(await store.readScan(first.hash ?? "")).toEqual(scan));
    expect(await store.list()).toMatchObject([
      { hash: first.hash, name: "neck.nii.gz", scanKind: "Int16Array" },
    ]);
    await again.close();
  });

  test("is written by itself soon after a change, the changed nodes alone", async () => {
    const { study, hash, close } = await opened(scanOf(1));
    const saved = vi.spyOn(store, "saveNodes");
    study.addNode(block([1, 1, 1], [2, 2, 2]));
    study.addNode(block([5, 5, 5], [6, 6, 6]));
    await vi.waitFor(async () => expect(await store.nodesOf(hash ?? "")).toHaveLength(2));
    study.rename(2, "changed");
    await vi.waitFor(async () => expect((await store.nodesOf(hash ?? ""))[1].node.name).toBe("changed"));
    expect(saved.mock.calls.map(([, changed]) => changed.map(({ node }) => node.number))).toEqual([
      [1, 2],
      [2],
    ]);
    saved.mockRestore();
    await close();
  });

  describe("while its nodes are read elsewhere", () => {
    /** Reads only when told to, what was there when it was asked. */
    function slowly() {
      const answers: (() => void)[] = [];
      const start = (study: Study): NodeReader => ({
        ...startReader(study),
        runs: async (number) => {
          const { runs } = study.stored(number);
          await new Promise<void>((resolve) => answers.push(resolve));
          return runs;
        },
      });
      return { answers, start };
    }
    const openedBy = async (start: (study: Study) => NodeReader) => {
      const about = { name: "neck", source: null, isPhantom: false, now: now++ };
      const storage = Promise.resolve({ store, locks });
      const kept = keepStudy(scanOf(1), { ...about, storage, startReader: start });
      await kept.known;
      return kept;
    };

    test("a flush writes what is there then, and what was read before is not written over it", async () => {
      const { answers, start } = slowly();
      const { study, keeper, hash, close } = await openedBy(start);
      study.addNode(block([1, 1, 1], [2, 2, 2]));
      await vi.waitFor(() => expect(answers).toHaveLength(1));
      study.erase("erase", 1, block([1, 1, 1], [2, 2, 1]));
      expect(keeper?.keeping.state).toBe("saving");
      await keeper?.flush();
      const written = await store.nodesOf(hash ?? "");
      expect(written).toEqual([study.stored(1)]);
      expect(keeper?.keeping.state).toBe("saved");
      for (const answer of answers) answer();
      await close();
      expect(await store.nodesOf(hash ?? "")).toEqual(written);
    });

    test("what changes meanwhile is written afterwards, and what is deleted is not", async () => {
      const { answers, start } = slowly();
      const { study, keeper, hash, close } = await openedBy(start);
      study.addNode(block([1, 1, 1], [2, 2, 2]));
      study.addNode(block([5, 5, 5], [6, 6, 6]));
      await vi.waitFor(() => expect(answers).toHaveLength(2));
      study.deleteNode(2);
      study.paint("brush", 1, block([3, 1, 1], [3, 1, 1]));
      for (const answer of answers.splice(0)) answer();
      await vi.waitFor(() => expect(answers).toHaveLength(1));
      for (const answer of answers) answer();
      await vi.waitFor(() => expect(keeper?.keeping.state).toBe("saved"));
      expect(await store.nodesOf(hash ?? "")).toEqual([study.stored(1)]);
      await close();
    });

    test.each([
      ["fails", () => Promise.reject(new Error("lost"))],
      ["never answers", () => new Promise<never>(() => {})],
    ])(
      "a worker that %s does not keep it from being saved",
      async (_, runs) => {
        const { study, keeper, hash, close } = await openedBy((of) => ({ ...startReader(of), runs }));
        study.addNode(block([1, 1, 1], [2, 2, 2]));
        await vi.waitFor(() => expect(keeper?.keeping.state).toBe("saved"), 20_000);
        expect(await store.nodesOf(hash ?? "")).toEqual([study.stored(1)]);
        await close();
      },
      30_000,
    );
  });

  test("is not shown on another scan; both stay in the list, the latest first", async () => {
    const one = await opened(scanOf(1), "one");
    one.study.addNode(block([1, 1, 1], [2, 2, 2]));
    await one.close();
    const other = await opened(scanOf(2), "other");
    expect(other.study.nodes).toEqual([]);
    await other.close();
    expect((await store.list()).map(({ name }) => name)).toEqual(["other", "one"]);
    await store.remove(one.hash ?? "");
    expect(await store.readScan(one.hash ?? "")).toBeNull();
    const oneAgain = await opened(scanOf(1), "one");
    expect(oneAgain.study.nodes).toEqual([]);
    await oneAgain.close();
  });

  test("says whether something is not exported, also after a reload", async () => {
    const first = await opened(scanOf(1));
    expect(first.keeper?.hasUnexported).toBe(false);
    first.study.addNode(block([1, 1, 1], [2, 2, 2]));
    expect(first.keeper?.hasUnexported).toBe(true);
    await first.close();
    const again = await opened(scanOf(1));
    expect(again.keeper?.hasUnexported).toBe(true);
    again.keeper?.markExported();
    await again.close();
    const last = await opened(scanOf(1));
    expect(last.keeper?.hasUnexported).toBe(false);
    await last.close();
  });
});

describe("where storage fails", () => {
  const full = () => {
    throw new DOMException("no room", "QuotaExceededError");
  };

  test("a full storage is a sentence, the page goes on, and what was not saved is saved later", async () => {
    const { study, hash, keeper, close } = await opened(scanOf(1));
    const saveNodes = vi.spyOn(store, "saveNodes").mockImplementation(full);
    study.addNode(block([1, 1, 1], [2, 2, 2]));
    await keeper?.flush();
    expect(keeper?.keeping).toMatchObject({
      state: "failed",
      why: expect.stringContaining("storage is full"),
    });
    saveNodes.mockRestore();
    study.addNode(block([5, 5, 5], [6, 6, 6]));
    await keeper?.flush();
    expect(keeper?.keeping).toEqual({ state: "saved" });
    expect(await store.nodesOf(hash ?? "")).toHaveLength(2);
    await close();
  });

  test("no room for the scan leaves the nodes kept", async () => {
    const saveScan = vi.spyOn(store, "saveScan").mockImplementation(async () => full());
    const onChange = vi.fn();
    const { study, remarks, hash, close } = await opened(scanOf(1), "neck", store, onChange);
    await vi.waitFor(() => expect(onChange).toHaveBeenCalled());
    expect(remarks).toEqual([expect.stringContaining("open the scan again")]);
    study.addNode(block([1, 1, 1], [2, 2, 2]));
    await close();
    expect(await store.nodesOf(hash ?? "")).toHaveLength(1);
    saveScan.mockRestore();
  });

  test("without any storage, or with a broken one, a study opens and says so", async () => {
    const without = keepStudy(scanOf(1), {
      name: "neck",
      source: null,
      isPhantom: false,
      storage: Promise.resolve(null),
      startReader,
      now: 0,
    });
    await without.known;
    expect(without.remarks).toEqual([notKept]);
    expect(without.study.addNode(null)).toBe(1);
    await without.close();
    const broken = await openStudyStore();
    broken.close();
    const unkept = await opened(scanOf(1), "neck", broken);
    expect(unkept.remarks[0]).toMatch(/^The browser did not save/);
    expect(unkept.study.addNode(null)).toBe(1);
    await unkept.close();
  });
});

describe("while the page looks up whether nodes are kept", () => {
  test("a stroke is refused, and then the kept nodes are there and it is taken", async () => {
    const before = await opened(scanOf(1));
    before.study.addNode(block([1, 1, 1], [2, 2, 2]));
    await before.close();
    const { study, known, close } = opening(scanOf(1));
    expect(study.nodes).toEqual([]);
    const brush = { radiusMm: 1, planeNormal: null, limits: null };
    const draw = () => beginStroke(study, { brush, number: null, isErasing: false }, [7, 7, 6]).end();
    expect(draw).toThrow(lookingUp);
    await known;
    expect(study.nodes).toEqual(before.study.nodes);
    expect(study.labels.data).toEqual(before.study.labels.data);
    draw();
    await close();
    const after = await opened(scanOf(1));
    expect(after.study.nodes).toMatchObject([{ number: 1 }, { number: 2, origin: "drawn" }]);
    await after.close();
  });

  test("a page says so only where it takes more than a moment", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      const onChange = vi.fn();
      let answer: (storage: null) => void = () => {};
      const storage = new Promise<null>((resolve) => {
        answer = resolve;
      });
      const about = { name: "neck", source: null, isPhantom: false, now: 0, startReader };
      const { remarks, known } = keepStudy(scanOf(1), { ...about, storage, onChange });
      vi.advanceTimersByTime(300);
      expect(remarks).toEqual([]);
      vi.advanceTimersByTime(2000);
      expect(remarks).toEqual([lookingUp]);
      expect(onChange).toHaveBeenCalledOnce();
      answer(null);
      await known;
      expect(remarks).toEqual([notKept]);
    } finally {
      vi.useRealTimers();
    }
  });

  test("a study that is closed by then holds no other up, and never takes its nodes", async () => {
    const before = await opened(scanOf(1));
    before.study.addNode(block([1, 1, 1], [2, 2, 2]));
    await before.close();
    const hasty = opening(scanOf(1));
    await hasty.close();
    expect(hasty.study.nodes).toEqual([]);
    expect(hasty.keeper).toBeNull();
    const again = await opened(scanOf(1));
    expect(again.remarks).toEqual([]);
    expect(again.study.nodes).toHaveLength(1);
    await again.close();
  });

  test("the hash of a scan stops when it is not wanted any more", async () => {
    const stop = new AbortController();
    const hashing = contentHash(scanOf(1), stop.signal);
    stop.abort();
    await expect(hashing).rejects.toThrow();
  });
});

test("a second tab may read what was saved, and may write when the first is closed", async () => {
  const first = await opened(scanOf(1));
  first.study.addNode(block([1, 1, 1], [2, 2, 2]));
  await first.keeper?.flush();
  const second = await opened(scanOf(1));
  expect(second.study.nodes).toHaveLength(1);
  expect(second.remarks).toEqual([openInAnotherTab]);
  expect(second.keeper).toBeNull();
  expect(() => second.study.addNode(null)).toThrow(openInAnotherTab);
  first.study.addNode(block([5, 5, 5], [6, 6, 6]));
  await first.close();
  await vi.waitFor(() => expect(second.keeper).not.toBeNull());
  expect(second.remarks).toEqual([]);
  expect(second.study.nodes).toHaveLength(2);
  second.study.rename(1, "from the second tab");
  await second.close();
  const third = await opened(scanOf(1));
  expect(third.study.node(1).name).toBe("from the second tab");
  await third.close();
});

/** The part of the browser's locks that is used; Node 20 has none. The page's tests use the browser's own. */
function createLocks(): Pick<LockManager, "request"> {
  const held = new Map<string, Promise<unknown>>();
  const request = async (
    name: string,
    { ifAvailable = false }: LockOptions,
    work: (lock: Lock | null) => unknown,
  ): Promise<unknown> => {
    const before = held.get(name);
    if (before !== undefined && ifAvailable) return work(null);
    const done = (async () => {
      await before;
      return work({ name, mode: "exclusive" });
    })();
    held.set(name, done);
    await done;
    if (held.get(name) === done) held.delete(name);
    return done;
  };
  return { request } as Pick<LockManager, "request">;
}
