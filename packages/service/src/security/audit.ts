// The audit log: who did what to which job, a line each. No names of patients: a job is named by its id.
import { appendFile, mkdir, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { writeAtomically } from "@lnsnet/node/disk";

export interface AuditEntry {
  /** The name of a token, an AE title, or "the service". */
  readonly who: string;
  readonly action: string;
  /** The job, token or target that it was done to. */
  readonly subject: string;
  /** Network address of whoever asked; null where it was the service itself. */
  readonly from: string | null;
  readonly outcome: string;
}

export class AuditLog {
  readonly #path: string;
  #written: Promise<void>;

  constructor(path: string) {
    this.#path = path;
    this.#written = mkdir(dirname(path), { recursive: true }).then(() => undefined);
  }

  /** Lines stand in the order of the calls. @throws where the line cannot be written */
  write(entry: AuditEntry): Promise<void> {
    const line = `${JSON.stringify({ at: new Date().toISOString(), ...entry })}\n`;
    return this.#inTurn(() => appendFile(this.#path, line, { mode: 0o600 }));
  }

  /** Leaves out lines from before a time. @param before ISO 8601 */
  shorten(before: string): Promise<void> {
    return this.#inTurn(async () => {
      const text = await readFile(this.#path, "utf8").catch(() => "");
      const lines = text.split("\n").filter((line) => line !== "");
      const kept = lines.filter((line) => timeOf(line) >= before);
      if (kept.length < lines.length)
        await writeAtomically(this.#path, kept.map((line) => `${line}\n`).join(""));
    });
  }

  /** Nothing is written while another thing is. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.#written.then(work);
    this.#written = turn.catch(() => undefined);
    return turn;
  }
}

/** Of a line that a crash cut short, a time that is kept. */
function timeOf(line: string): string {
  return /^\{"at":"([^"]+)"/.exec(line)?.[1] ?? "9";
}
