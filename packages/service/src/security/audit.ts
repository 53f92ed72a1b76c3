// The audit log: who did what to which job, a line each. No names of patients: a job is named by its id.
import { appendFile, mkdir } from "node:fs/promises";
import { dirname } from "node:path";

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
    const next = this.#written.then(() => appendFile(this.#path, line, { mode: 0o600 }));
    this.#written = next.catch(() => undefined);
    return next;
  }
}
