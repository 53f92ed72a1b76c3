// Sessions of the worklist page: a browser shows its token once, and then a cookie that ends with the process.
import { createHash, randomBytes } from "node:crypto";
import type { Identity, Tokens } from "./tokens.js";

export const sessionCookie = "lnsnet_session";

const lastsMs = 12 * 3_600_000;
/** More than a hospital's worklists; the oldest goes first. */
const mostSessions = 1000;

export class Sessions {
  readonly #tokens: Tokens;
  readonly #sessions = new Map<string, { token: string; endsAtMs: number }>();

  constructor(tokens: Tokens) {
    this.#tokens = tokens;
  }

  /** The cookie's value of a new session; null where the token is unknown. */
  begin(token: string): string | null {
    if (this.#tokens.identify(token) === null) return null;
    const secret = randomBytes(32).toString("base64url");
    for (const [key, { endsAtMs }] of this.#sessions) {
      if (this.#sessions.size < mostSessions && endsAtMs > performance.now()) break;
      this.#sessions.delete(key);
    }
    this.#sessions.set(keyOf(secret), { token, endsAtMs: performance.now() + lastsMs });
    return secret;
  }

  /** Whose a session is; null where it has ended, or its token was removed. */
  identify(secret: string): Identity | null {
    const session = this.#sessions.get(keyOf(secret));
    if (session === undefined || session.endsAtMs <= performance.now()) return null;
    return this.#tokens.identify(session.token);
  }

  end(secret: string): void {
    this.#sessions.delete(keyOf(secret));
  }
}

const keyOf = (secret: string): string => createHash("sha256").update(secret).digest("hex");
