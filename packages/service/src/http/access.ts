// Who asks, and whether they may: tokens, sessions of the worklist page, and a reverse proxy's word.
import type { FastifyRequest } from "fastify";
import type { Configuration } from "../configuration.js";
import { type Sessions, sessionCookie } from "../security/sessions.js";
import { allows, type Identity, type Scope, type Tokens } from "../security/tokens.js";

/** How a request may be refused. */
export type Refusal = { readonly status: 401 | 403; readonly sentence: string };

export interface Access {
  readonly tokens: Tokens;
  readonly sessions: Sessions;
  readonly proxy: Configuration["http"]["proxy"];
}

/** Whose a request is, or why it is refused. */
export function admitted(request: FastifyRequest, needed: Scope, access: Access): Identity | Refusal {
  const found = identityOf(request, access);
  if (found === null)
    return {
      status: 401,
      sentence:
        'This needs a valid token: send it as "Authorization: Bearer TOKEN", or sign in on the worklist page.',
    };
  if (found.bySession && !isReading(request) && !isOwnPage(request))
    return {
      status: 403,
      sentence: "A browser's session is believed only on requests of the worklist page itself.",
    };
  if (!allows(found.identity, needed))
    return {
      status: 403,
      sentence: `The token "${found.identity.name}" may ${found.identity.scope}, and this needs one that may ${needed}.`,
    };
  return found.identity;
}

/** The cookie of a session, as a request brings it; null where it has none. */
export function sessionOf(request: FastifyRequest): string | null {
  const pairs = (request.headers.cookie ?? "").split(";").map((pair) => pair.trim().split("="));
  return pairs.find(([name]) => name === sessionCookie)?.[1] ?? null;
}

function identityOf(
  request: FastifyRequest,
  { tokens, sessions, proxy }: Access,
): { readonly identity: Identity; readonly bySession: boolean } | null {
  const { authorization } = request.headers;
  if (authorization !== undefined) {
    const token = /^Bearer +(\S+)$/i.exec(authorization)?.[1];
    const identity = token === undefined ? null : tokens.identify(token);
    return identity && { identity, bySession: false };
  }
  if (proxy?.addresses.includes(request.socket.remoteAddress ?? "")) {
    const user = request.headers[proxy.userHeader];
    // Its users are in browsers, so that other pages could ask in their names.
    if (typeof user === "string" && user !== "")
      return { identity: { name: user.slice(0, 64), scope: proxy.scope }, bySession: true };
  }
  const session = sessionOf(request);
  const identity = session === null ? null : sessions.identify(session);
  return identity && { identity, bySession: true };
}

const isReading = ({ method }: FastifyRequest): boolean => method === "GET" || method === "HEAD";

/** Browsers state the origin of every request that is not a plain read. */
function isOwnPage({ headers }: FastifyRequest): boolean {
  const { origin, host } = headers;
  if (typeof origin !== "string" || host === undefined) return false;
  return URL.canParse(origin) && new URL(origin).host === host;
}
