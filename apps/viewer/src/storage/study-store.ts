// Studies in the browser's own database: which there are, their nodes, and their scans.
import type { SourceSeries } from "@lnsnet/core";
import { type Geometry, type Volume, voxelCount } from "@lnsnet/core/volume";
import { type DBSchema, type IDBPDatabase, openDB } from "idb";
import type { StoredNode } from "../study/study.js";
import { type VoxelKind, voxelChunks, voxelKindOf, voxelsOfChunks } from "./voxel-chunks.js";

/** A study in the list of those that are kept. */
export interface KeptStudy extends Geometry {
  /** Of its scan, by `contentHash`. */
  readonly hash: string;
  readonly name: string;
  /** When it was opened last, in milliseconds since 1970. */
  readonly openedAt: number;
  /** The DICOM series that the scan came from; null for a volume file. */
  readonly source: SourceSeries | null;
  /** Of no person. */
  readonly isPhantom: boolean;
  /** Whether something was done since the last export. */
  readonly hasUnexported: boolean;
  /** The kind of the scan's voxels if the whole scan is kept too; null if it has to be opened again. */
  readonly scanKind: VoxelKind | null;
}

/** A piece is copied twice when it is stored, while the page answers nothing. */
const pieceBytes = 2 ** 21;

interface Schema extends DBSchema {
  studies: { key: string; value: KeptStudy };
  /** By hash of the scan and number of the node. */
  nodes: { key: [string, number]; value: StoredNode };
  /** By hash of the scan and number of the piece. */
  voxels: { key: [string, number]; value: Uint8Array };
}

/** All numbers of one hash. */
const ofStudy = (hash: string) => IDBKeyRange.bound([hash, 0], [hash, Number.POSITIVE_INFINITY]);

/**
 * Opens the database.
 *
 * @throws DOMException where the browser keeps nothing, as in some private windows
 */
export async function openStudyStore(): Promise<StudyStore> {
  return new StudyStore(
    await openDB<Schema>("lnsnet-viewer", 1, {
      upgrade(database) {
        database.createObjectStore("studies", { keyPath: "hash" });
        database.createObjectStore("nodes");
        database.createObjectStore("voxels");
      },
    }),
  );
}

/** Every write is one transaction: after a crash all of it is there, or nothing. */
export class StudyStore {
  readonly #database: IDBPDatabase<Schema>;

  constructor(database: IDBPDatabase<Schema>) {
    this.#database = database;
  }

  /** The studies that are kept, the one opened last first. */
  async list(): Promise<KeptStudy[]> {
    const studies = await this.#database.getAll("studies");
    return studies.sort((a, b) => b.openedAt - a.openedAt);
  }

  /** Notes that a study was opened. What is known of it otherwise stays. */
  async noteOpened(
    hash: string,
    scan: Geometry,
    about: Pick<KeptStudy, "name" | "openedAt" | "source" | "isPhantom">,
  ): Promise<KeptStudy> {
    const transaction = this.#database.transaction("studies", "readwrite");
    const before = await transaction.store.get(hash);
    const { size, spacingMm, originMm, direction } = scan;
    const study = {
      ...{ hash, size, spacingMm, originMm, direction, hasUnexported: false, scanKind: null },
      ...before,
      ...about,
    };
    await transaction.store.put(study);
    await transaction.done;
    return study;
  }

  /** The nodes of a study. */
  async nodesOf(hash: string): Promise<StoredNode[]> {
    return this.#database.getAll("nodes", ofStudy(hash));
  }

  /** Writes nodes, and deletes others. */
  async saveNodes(
    hash: string,
    changed: readonly StoredNode[],
    deleted: readonly number[],
    hasUnexported: boolean,
  ): Promise<void> {
    const transaction = this.#database.transaction(["studies", "nodes"], "readwrite");
    const nodes = transaction.objectStore("nodes");
    const studies = transaction.objectStore("studies");
    const write = async () => {
      for (const stored of changed) await nodes.put(stored, [hash, stored.node.number]);
      for (const number of deleted) await nodes.delete([hash, number]);
      const study = await studies.get(hash);
      if (study !== undefined && study.hasUnexported !== hasUnexported)
        await studies.put({ ...study, hasUnexported });
    };
    await Promise.all([write(), transaction.done]);
  }

  /**
   * Keeps a whole scan, piece by piece, so that it need not be opened again. A study counts as having its scan only when
   * the last piece is there.
   *
   * @throws DOMException QuotaExceededError where there is no room; nothing of the scan is left then
   */
  async saveScan(hash: string, scan: Volume): Promise<void> {
    try {
      let piece = 0;
      for (const chunk of voxelChunks(scan.data, pieceBytes))
        await this.#database.put("voxels", chunk, [hash, piece++]);
      const study = await this.#database.get("studies", hash);
      if (study !== undefined)
        await this.#database.put("studies", { ...study, scanKind: voxelKindOf(scan.data) });
    } catch (error) {
      await this.#database.delete("voxels", ofStudy(hash));
      throw error;
    }
  }

  /** The scan of a study; null where it is not kept whole. */
  async readScan(hash: string): Promise<Volume | null> {
    const study = await this.#database.get("studies", hash);
    if (study === undefined || study.scanKind === null) return null;
    const { size, spacingMm, originMm, direction, scanKind } = study;
    const data = await voxelsOfChunks(scanKind, voxelCount(study), (piece) =>
      this.#database.get("voxels", [hash, piece]),
    );
    return data === null ? null : { size, spacingMm, originMm, direction, data };
  }

  /** Deletes a study with its nodes and its scan. */
  async remove(hash: string): Promise<void> {
    const transaction = this.#database.transaction(["studies", "nodes", "voxels"], "readwrite");
    await Promise.all([
      transaction.objectStore("studies").delete(hash),
      transaction.objectStore("nodes").delete(ofStudy(hash)),
      transaction.objectStore("voxels").delete(ofStudy(hash)),
      transaction.done,
    ]);
  }

  close(): void {
    this.#database.close();
  }
}
