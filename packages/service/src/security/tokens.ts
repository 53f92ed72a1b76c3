// Tokens: who may view, submit or administer. Only their hashes are kept.
import { createHash, randomBytes } from "node:crypto";
import { chmod, mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { InputError } from "@lnsnet/core";
import { isFile, readJson, writeJson } from "@lnsnet/node";
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
  #tokens: StoredToken[];

  private constructor(path: string, tokens: StoredToken[], now: () => Date) {
    this.#path = path;
    this.#tokens = tokens;
    this.#now = now;
  }

  /** The tokens of a file, or none where it does not exist. @throws InputError where it is no file of tokens */
  static async open(path: string, now: () => Date = () => new Date()): Promise<Tokens> {
    const { tokens } = (await isFile(path)) ? await readJson(path, tokensSchema) : { tokens: [] };
    return new Tokens(path, tokens, now);
  }

  /** Without their hashes. */
  list(): Omit<StoredToken, "sha256">[] {
    return this.#tokens.map(({ sha256: _, ...shown }) => shown);
  }

  /** Whose a token is; null where it is unknown or has ended. */
  identify(token: string): Identity | null {
    // A hash is looked up, not compared letter by letter, so that time tells nothing of it.
    const sha256 = hashOf(token);
    const found = this.#tokens.find((entry) => entry.sha256 === sha256);
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
    if (this.#tokens.some((token) => token.name === name))
      throw new InputError(`There is a token called "${name}"; remove it first, or choose another name.`);
    const token = `lnsnet_${randomBytes(32).toString("base64url")}`;
    const created = this.#now();
    const expires = days === null ? null : new Date(created.getTime() + days * 86_400_000).toISOString();
    const stored = { name, scope, sha256: hashOf(token), created: created.toISOString(), expires };
    await this.#write([...this.#tokens, stored]);
    return token;
  }

  /** @throws InputError where there is none of that name */
  async remove(name: string): Promise<void> {
    const left = this.#tokens.filter((token) => token.name !== name);
    if (left.length === this.#tokens.length)
      throw new InputError(`There is no token called "${name}"; see the list of tokens.`);
    await this.#write(left);
  }

  async #write(tokens: StoredToken[]): Promise<void> {
    await mkdir(dirname(this.#path), { recursive: true });
    await writeJson(this.#path, { tokens });
    // Not every disk keeps permissions.
    await chmod(this.#path, 0o600).catch(() => undefined);
    this.#tokens = tokens;
  }
}

const hashOf = (token: string): string => createHash("sha256").update(token).digest("hex");
