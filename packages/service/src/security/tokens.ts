// Tokens: who may view, submit or administer. Only their hashes are kept.
import { createHash, randomBytes } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { chmod, mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { InputError } from "@lnsnet/core/errors";
import { isFile, readJson, writeJson } from "@lnsnet/node/disk";
import { z } from "zod";

/** Each includes those before it. */
export const scopes = ["view", "submit", "administer"] as const;
export type Scope = (typeof scopes)[number];

const tokensSchema = z.object({
  tokens: z.array(
    z.object({
      name: z.string(),
      scope: z.enum(scopes),
      sha256: z.string(),
      created: z.string(),
      /** ISO 8601; null where it never ends. */
      expires: z.string().nullable(),
    }),
  ),
});
type StoredToken = z.infer<typeof tokensSchema>["tokens"][number];

/** Who asks, as far as it is known. */
export interface Identity {
  readonly name: string;
  readonly scope: Scope;
}

/** Whether somebody may do what needs a scope. */
export const allows = (identity: Identity, needed: Scope): boolean =>
  scopes.indexOf(identity.scope) >= scopes.indexOf(needed);

export class Tokens {
  readonly #path: string;
  readonly #now: () => Date;
  #tokens: readonly StoredToken[] = [];

  /** What the file was when it was read. */
  #state = "";

  private constructor(path: string, now: () => Date) {
    this.#path = path;
    this.#now = now;
  }

  /** The tokens of a file, or none where it does not exist. @throws InputError where it is no file of tokens */
  static async open(path: string, now: () => Date = () => new Date()): Promise<Tokens> {
    if (await isFile(path)) await readJson(path, tokensSchema);
    return new Tokens(path, now);
  }

  /** Without their hashes. */
  list(): Omit<StoredToken, "sha256">[] {
    return this.#current().map(({ sha256: _, ...shown }) => shown);
  }

  /** Whose a token is; null where it is unknown or has ended. */
  identify(token: string): Identity | null {
    // A hash is looked up, not compared letter by letter, so that time tells nothing of it.
    const sha256 = hashOf(token);
    const found = this.#current().find((entry) => entry.sha256 === sha256);
    if (found === undefined) return null;
    if (found.expires !== null && Date.parse(found.expires) <= this.#now().getTime()) return null;
    return { name: found.name, scope: found.scope };
  }

  /**
   * A new token. It is returned this once; only its hash is kept.
   *
   * @param days after which it ends; null for never
   * @throws InputError where the name is taken or empty
   */
  async create(name: string, scope: Scope, days: number | null): Promise<string> {
    if (!/^[\p{L}\p{N} ._@-]{1,64}$/u.test(name))
      throw new InputError(
        `A token cannot be called "${name}"; give up to 64 letters, digits, spaces, ".", "_", "@" or "-".`,
      );
    if (this.#current().some((token) => token.name === name))
      throw new InputError(`There is a token called "${name}"; remove it first, or choose another name.`);
    const token = `lnsnet_${randomBytes(32).toString("base64url")}`;
    const created = this.#now();
    const expires = days === null ? null : new Date(created.getTime() + days * 86_400_000).toISOString();
    const stored = { name, scope, sha256: hashOf(token), created: created.toISOString(), expires };
    await this.#write([...this.#current(), stored]);
    return token;
  }

  /** @throws InputError where there is none of that name */
  async remove(name: string): Promise<void> {
    const tokens = this.#current();
    const left = tokens.filter((token) => token.name !== name);
    if (left.length === tokens.length)
      throw new InputError(`There is no token called "${name}"; see the list of tokens.`);
    await this.#write(left);
  }

  /** As the file is now: the command makes and removes tokens while a service runs. A damaged file lets nobody in. */
  #current(): readonly StoredToken[] {
    const found = statSync(this.#path, { throwIfNoEntry: false });
    const state = found === undefined ? "" : `${found.ino} ${found.mtimeMs} ${found.size}`;
    if (state === this.#state) return this.#tokens;
    this.#state = state;
    this.#tokens = found === undefined ? [] : tokensIn(readFileSync(this.#path, "utf8"));
    return this.#tokens;
  }

  async #write(tokens: StoredToken[]): Promise<void> {
    await mkdir(dirname(this.#path), { recursive: true });
    await writeJson(this.#path, { tokens });
    // Not every disk keeps permissions.
    await chmod(this.#path, 0o600).catch(() => undefined);
  }
}

function tokensIn(text: string): readonly StoredToken[] {
  try {
    return tokensSchema.parse(JSON.parse(text)).tokens;
  } catch {
    return [];
  }
}

const hashOf = (token: string): string => createHash("sha256").update(token).digest("hex");
