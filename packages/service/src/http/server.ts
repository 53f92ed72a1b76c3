// The HTTP interface: routes with what they need, in one table each for reading, submitting and administering.
import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import multipart from "@fastify/multipart";
import rateLimit from "@fastify/rate-limit";
import staticFiles from "@fastify/static";
import swagger from "@fastify/swagger";
import { InputError } from "@lnsnet/core/errors";
import { isFullDisk } from "@lnsnet/node/disk";
import { packageVersion } from "@lnsnet/node/work";
import type { Queue } from "bullmq";
import Fastify, {
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type RouteShorthandOptions,
} from "fastify";
import type { Configuration } from "../configuration.js";
import { relatedParts } from "../dicomweb/multipart.js";
import type { Job, JobFile, JobSource } from "../jobs/job.js";
import type { Journal } from "../jobs/journal.js";
import type { Runner } from "../jobs/runner.js";
import { pullStudies } from "../receiving/pull.js";
import type { PullSource } from "../receiving/pull-source.js";
import type { Received, Reception } from "../receiving/reception.js";
import type { AuditLog } from "../security/audit.js";
import { type Sessions, sessionCookie } from "../security/sessions.js";
import { allows, type Identity, type Scope, scopes, type Tokens } from "../security/tokens.js";
import type { Notices } from "../worklist/notices.js";
import { signInPage, worklistPage, worklistRows } from "../worklist/page.js";
import { admitted, sessionOf } from "./access.js";
import { contentPolicy } from "./content-policy.js";
import type { Events } from "./events.js";
import type { Metrics } from "./metrics.js";
import { queueBoard } from "./queue-board.js";
import { errorSchema, fileSchema, jobJson, jobSchema, receivedSchema } from "./schemas.js";
import { stowResponse } from "./stow.js";
import { takeUpload } from "./uploads.js";

/** What the interface works on. */
export interface ServerParts {
  readonly configuration: Configuration;
  readonly journal: Journal;
  readonly runner: Runner;
  readonly reception: Reception;
  readonly tokens: Tokens;
  readonly sessions: Sessions;
  readonly audit: AuditLog;
  readonly events: Events;
  readonly metrics: Metrics;
  /** From where studies are fetched, by name. */
  readonly sources: Readonly<Record<string, PullSource>>;
  readonly notices: Notices;
  /** Told of a fault of our own disk. */
  readonly trouble: (error: unknown) => void;
  /** Aborted when the service stops. */
  readonly stopping: AbortSignal;
  /** Told of every route. */
  readonly onRoute: ((method: string, path: string) => void) | undefined;
  /** Those on Redis; none where this process segments. */
  readonly queues: readonly Queue[];
  /** Null while the service can work; else why it cannot. */
  readonly notReady: () => Promise<string | null>;
  /** Takes a job out with its files. */
  readonly remove: (id: string) => Promise<void>;
  readonly retry: (id: string, by: string) => Promise<Job>;
  readonly log: (fields: Readonly<Record<string, unknown>>) => void;
}

declare module "fastify" {
  interface FastifyContextConfig {
    /** What a token must allow; null for routes that everybody may call. Every route states it. */
    needs?: Scope | null;
  }
  interface FastifyRequest {
    identity: Identity | null;
  }
}

/** The routes of the API that have no token. */
const open = { config: { needs: null } } as const;

/** A server that does not listen yet. */
export async function createServer(parts: ServerParts): Promise<FastifyInstance> {
  const { configuration, log } = parts;
  const { http } = configuration;
  const server = Fastify({
    // JSON bodies are tiny; uploads have limits of their own.
    bodyLimit: 64 * 1024,
    forceCloseConnections: true,
    requestTimeout: 3_600_000,
    connectionTimeout: 3_600_000,
    keepAliveTimeout: 30_000,
    ...(http.tls === undefined
      ? {}
      : {
          https: {
            cert: await readFile(http.tls.certificate),
            key: await readFile(http.tls.key),
            ...(http.tls.clientAuthority === undefined
              ? {}
              : {
                  ca: await readFile(http.tls.clientAuthority),
                  requestCert: true,
                  rejectUnauthorized: true,
                }),
          },
        }),
  }) as unknown as FastifyInstance;
  server.decorateRequest("identity", null);
  server.addHook("onRoute", ({ method, url }) => {
    for (const each of [method].flat()) parts.onRoute?.(each, url);
  });
  await server.register(rateLimit, {
    max: http.requestsPerMinute,
    timeWindow: "1 minute",
    errorResponseBuilder: (_, { after }) =>
      Object.assign(new Error(`Too many requests; try again in ${after}.`), { statusCode: 429 }),
  });
  await server.register(multipart);
  await server.register(swagger, {
    openapi: {
      info: {
        title: "lnsnet service",
        description: "Lymph-node segmentation for head-and-neck CT. Research use only: not a medical device.",
        version: packageVersion(),
      },
      components: { securitySchemes: { token: { type: "http", scheme: "bearer" } } },
      security: [{ token: [] }],
    },
  });
  for (const schema of [jobSchema, errorSchema, receivedSchema]) server.addSchema(schema);
  guard(server, parts);
  server.addHook("onSend", async (_request, reply) => {
    reply.headers(securityHeaders);
  });
  server.addHook(
    "onResponse",
    async ({ method, routeOptions, identity, ip }, { statusCode, elapsedTime }) => {
      const milliseconds = Math.round(elapsedTime);
      log({
        event: "request",
        method,
        route: routeOptions.url ?? "none",
        status: statusCode,
        milliseconds,
        from: ip,
        user: identity?.name ?? null,
      });
    },
  );
  // Of a body that was refused the rest is let go, or the connection would stand still for what is asked next.
  server.addHook("onResponse", async ({ raw }) => {
    raw.unpipe();
    raw.resume();
  });
  server.setErrorHandler((error: Error & { statusCode?: number; validation?: unknown }, _request, reply) => {
    if (error instanceof InputError) return reply.code(422).send({ error: error.message });
    const isFull = isFullDisk(error);
    if (isFull) parts.trouble(error);
    const status = error.statusCode ?? 500;
    // What the disk says may be told; every other fault is in the log alone.
    const told =
      status < 500
        ? error.message
        : isFull
          ? "The disk of the service is full."
          : "An internal error; see the service's log.";
    if (status >= 500) log({ event: "error", message: error.message, stack: error.stack });
    return reply.code(isFull ? 507 : status).send({ error: told });
  });
  server.setNotFoundHandler({ preHandler: server.rateLimit() }, (_request, reply) =>
    reply.code(404).send({ error: "There is nothing at this address." }),
  );
  await pages(server, parts);
  if (parts.queues.length > 0) await queueBoard(server, parts.queues);
  health(server, parts);
  reading(server, parts);
  submitting(server, parts);
  administering(server, parts);
  return server;
}

const securityHeaders = {
  "Content-Security-Policy": contentPolicy("img-src 'self' data:"),
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
  "Cache-Control": "no-store",
};

/** The viewer computes in the browser: WebAssembly in threads, workers of its own. */
const viewerHeaders = {
  "Content-Security-Policy": contentPolicy(
    "script-src 'self' 'wasm-unsafe-eval'; worker-src 'self' blob:; style-src 'self' 'unsafe-inline'; img-src 'self' blob: data:",
  ),
  "Cache-Control": "no-cache",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

/** Lets nobody in whom a route does not want. A route that states nothing is for administrators. */
function guard(server: FastifyInstance, parts: ServerParts): void {
  const access = { ...parts, proxy: parts.configuration.http.proxy };
  // After the limit of requests, and before a body is read.
  server.addHook("preParsing", async (request, reply) => {
    const { needs = "administer" } = request.routeOptions.config;
    if (needs === null || request.is404) return;
    const found = admitted(request, needs, access);
    if ("scope" in found) {
      request.identity = found;
      return;
    }
    await parts.audit.write({
      ...{ who: "unknown", action: `${request.method} ${request.routeOptions.url}`, subject: "" },
      ...{ from: request.ip, outcome: `refused with ${found.status}` },
    });
    if (found.status === 401) reply.header("WWW-Authenticate", "Bearer");
    return reply.code(found.status).send({ error: found.sentence });
  });
}

const assets = fileURLToPath(new URL("../../assets/", import.meta.url));

async function pages(
  server: FastifyInstance,
  { configuration, tokens, sessions, audit, ...parts }: ServerParts,
): Promise<void> {
  await server.register(async (scope) => {
    // Pages and their scripts hold nothing that is secret.
    scope.addHook("onRoute", (route) => {
      route.config = { ...route.config, needs: null };
    });
    await scope.register(staticFiles, { root: assets, prefix: "/assets/", schemaHide: true });
    const { viewer } = configuration;
    if (viewer === undefined) return;
    await scope.register(async (viewerScope) => {
      viewerScope.addHook("onSend", async (_request, reply) => {
        reply.headers(viewerHeaders);
      });
      await viewerScope.register(staticFiles, {
        root: viewer,
        prefix: "/viewer/",
        decorateReply: false,
        schemaHide: true,
      });
    });
  });
  const access = { tokens, sessions, proxy: configuration.http.proxy };
  const viewOf = ({ name, scope }: Identity) => ({
    jobs: parts.journal.list(),
    notices: parts.notices.list(),
    progress: parts.events.progress,
    user: `${name} (may ${scope})`,
    maySubmit: allows({ name, scope }, "submit"),
    viewer: configuration.viewer === undefined ? null : "/viewer/",
    queue: parts.queues.length > 0 && allows({ name, scope }, "administer") ? "/queue/" : null,
  });
  server.get("/", { ...open, schema: { hide: true } }, async (request, reply) => {
    const found = admitted(request, "view", access);
    reply.type("text/html; charset=utf-8");
    return "scope" in found ? worklistPage(viewOf(found)) : signInPage();
  });
  server.get(
    "/worklist/rows",
    { config: { needs: "view" }, schema: { hide: true } },
    async (request, reply) => {
      reply.type("text/html; charset=utf-8");
      return worklistRows(viewOf(whoAsks(request)));
    },
  );
  const signIn: RouteShorthandOptions = {
    config: { needs: null, rateLimit: { max: 20, timeWindow: "1 minute" } },
    schema: {
      summary: "Exchange a token for a session of the worklist page",
      security: [],
      body: {
        type: "object",
        required: ["token"],
        properties: { token: { type: "string", maxLength: 200 } },
      },
    },
  };
  server.post<{ Body: { token: string } }>("/api/session", signIn, async (request, reply) => {
    const session = sessions.begin(request.body.token);
    const who = tokens.identify(request.body.token)?.name ?? "unknown";
    const outcome = session === null ? "refused" : "done";
    await audit.write({ who, action: "sign in", subject: "", from: request.ip, outcome });
    if (session === null) return reply.code(401).send({ error: "This token is not known, or has ended." });
    const secure =
      configuration.http.tls === undefined && configuration.http.proxy === undefined ? "" : "; Secure";
    reply.header(
      "Set-Cookie",
      `${sessionCookie}=${session}; Path=/; HttpOnly; SameSite=Strict; Max-Age=43200${secure}`,
    );
    return reply.code(204).send();
  });
  server.delete(
    "/api/session",
    { ...open, schema: { summary: "End the session", security: [] } },
    async (request, reply) => {
      const session = sessionOf(request);
      if (session !== null) sessions.end(session);
      reply.header("Set-Cookie", `${sessionCookie}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0`);
      return reply.code(204).send();
    },
  );
}

function health(server: FastifyInstance, { notReady, metrics }: ServerParts): void {
  server.get(
    "/health/live",
    { ...open, schema: { summary: "Whether the process answers", security: [] } },
    async () => ({ live: true }),
  );
  server.get(
    "/health/ready",
    { ...open, schema: { summary: "Whether work can be taken", security: [] } },
    async (_request, reply) => {
      const why = await notReady();
      return reply.code(why === null ? 200 : 503).send({ ready: why === null, why });
    },
  );
  server.get("/api/openapi.json", { ...open, schema: { hide: true } }, async () => server.swagger());
  server.get(
    "/metrics",
    { config: { needs: "view" }, schema: { summary: "Figures for Prometheus" } },
    async (_request, reply) => {
      reply.type(metrics.registry.contentType);
      return metrics.registry.metrics();
    },
  );
}

const jobParameters = {
  type: "object",
  properties: { id: { type: "string", pattern: "^[a-z]+-[0-9a-f]{16}$" } },
  required: ["id"],
} as const;
const fileParameters = {
  ...jobParameters,
  properties: { ...jobParameters.properties, name: { type: "string" } },
} as const;
const text = { type: "string", maxLength: 200 } as const;
const failures = { "4xx": { $ref: "Error#" } } as const;

function reading(server: FastifyInstance, { journal, events, audit }: ServerParts): void {
  const view = { needs: "view" } as const;
  const json = (job: Job) => jobJson(job, events.progress.get(job.id) ?? null);
  server.get(
    "/api/jobs",
    {
      config: view,
      schema: {
        summary: "All jobs, the newest first",
        response: { 200: { type: "array", items: { $ref: "Job#" } }, ...failures },
      },
    },
    async () =>
      journal
        .list()
        .sort((a, b) => b.createdAt.localeCompare(a.createdAt))
        .map(json),
  );
  server.get<{ Params: { id: string } }>(
    "/api/jobs/:id",
    {
      config: view,
      schema: { summary: "One job", params: jobParameters, response: { 200: { $ref: "Job#" }, ...failures } },
    },
    async ({ params }) => json(jobOf(journal, params.id)),
  );
  server.get<{ Params: { id: string } }>(
    "/api/jobs/:id/files",
    {
      config: view,
      schema: {
        summary: "The files that a job was received with, by which the viewer opens its scan",
        params: jobParameters,
        response: { 200: { type: "array", items: fileSchema }, ...failures },
      },
    },
    async (request) => {
      const { id, files } = jobOf(journal, request.params.id);
      const { name } = whoAsks(request);
      await audit.write({ who: name, action: "open", subject: id, from: request.ip, outcome: "done" });
      return files;
    },
  );
  server.get<{ Params: { id: string; name: string } }>(
    "/api/jobs/:id/files/:name",
    {
      config: view,
      schema: { summary: "A file that a job was received with", params: fileParameters },
    },
    async ({ params }, reply) => {
      const job = jobOf(journal, params.id);
      const file = job.files.find(({ name }) => name === params.name);
      if (file === undefined) throw notFound(`The job ${job.id} has no file "${params.name}".`);
      return sendFile(reply, file, journal.placeOf(job.id).input);
    },
  );
  server.get<{ Params: { id: string; name: string } }>(
    "/api/jobs/:id/results/:name",
    {
      config: view,
      schema: {
        summary: "A file of a result",
        params: fileParameters,
      },
    },
    async ({ params }, reply) => {
      const job = jobOf(journal, params.id);
      const file = job.results.find(({ name }) => name === params.name);
      if (file === undefined) throw notFound(`The job ${job.id} has no result "${params.name}".`);
      return sendFile(reply, file, journal.resultsOf(job));
    },
  );
  server.get(
    "/api/events",
    {
      // Asked for its headers alone, a stream would never end.
      exposeHeadRoute: false,
      config: view,
      schema: {
        summary: "Server-sent events: each change of a job, and its progress",
        produces: ["text/event-stream"],
      },
    },
    (_request, reply) => events.add(reply),
  );
}

function submitting(server: FastifyInstance, parts: ServerParts): void {
  const { configuration, journal, runner, reception, audit, retry, sources } = parts;
  const submit = { needs: "submit" } as const;
  const { uploadMegabytes, uploadFiles } = configuration.http;
  const incoming = join(configuration.data, "incoming");
  server.post(
    "/api/jobs",
    {
      config: submit,
      schema: {
        summary: "Upload DICOM files, zip archives or volume files (multipart/form-data)",
        consumes: ["multipart/form-data"],
        response: { 202: { $ref: "Received#" }, ...failures },
      },
    },
    async (request, reply) => {
      const { name } = whoAsks(request);
      const source: JobSource = { way: "upload", from: name };
      const limits = { megabytes: uploadMegabytes, files: uploadFiles };
      const received = await takeUpload(request, incoming, limits, (bytes, file) =>
        reception.take(bytes, file, source),
      );
      // An upload is a whole: nobody waits for a quiet time.
      await reception.complete(received.jobs);
      await auditReceived(audit, request, "upload", received);
      return reply
        .code(received.taken === 0 ? 422 : 202)
        .send(received.taken === 0 ? noneTaken(received) : received);
    },
  );
  const stow = async (request: FastifyRequest, reply: FastifyReply, study: string | null) => {
    const source: JobSource = { way: "STOW", from: whoAsks(request).name };
    const outcomes = [];
    const parts = relatedParts(
      request.headers["content-type"] ?? "",
      // A body that is given up half-way must not take the connection with it, on which the reason is told.
      (request.body as Readable).iterator({ destroyOnReturn: false }),
      1e6 * uploadMegabytes,
    );
    for await (const bytes of parts)
      outcomes.push({
        bytes,
        received: await reception.take(bytes, `instance ${outcomes.length + 1}`, source),
      });
    await auditReceived(audit, request, "STOW", {
      jobs: [...new Set(outcomes.flatMap(({ received }) => received.jobs))],
    });
    const { status, body } = stowResponse(outcomes, study);
    return reply.code(status).type("application/dicom+json").send(JSON.stringify(body));
  };
  // The body of STOW is read as it comes.
  server.addContentTypeParser("multipart/related", (_request, payload, done) => done(null, payload));
  const stowOptions: RouteShorthandOptions = {
    config: submit,
    bodyLimit: 1e6 * uploadMegabytes,
    schema: { summary: "Store instances (DICOMweb STOW-RS)", consumes: ["multipart/related"] },
  };
  server.post("/dicom-web/studies", stowOptions, (request, reply) => stow(request, reply, null));
  server.post<{ Params: { study: string } }>("/dicom-web/studies/:study", stowOptions, (request, reply) =>
    stow(request, reply, request.params.study),
  );
  server.post<{ Body: { source: string; accession?: string; study?: string } }>(
    "/api/pull",
    {
      config: submit,
      schema: {
        summary: "Fetch the CT series of a study from a source, by accession number or study UID",
        body: {
          type: "object",
          required: ["source"],
          properties: { source: text, accession: text, study: text },
        },
        response: { 202: { $ref: "Received#" }, ...failures },
      },
    },
    async (request, reply) => {
      const { source: name, accession, study } = request.body;
      const source = Object.hasOwn(sources, name) ? sources[name] : undefined;
      if (source === undefined)
        throw new InputError(
          `There is no source "${name}"; the configuration has ${Object.keys(sources).join(", ") || "none"}.`,
        );
      const wanted = accession !== undefined ? { accession } : study !== undefined ? { study } : null;
      if (wanted === null) throw new InputError("Give the accession number or the UID of a study.");
      const received = await pullStudies(
        name,
        source,
        wanted,
        (jobs) => reception.complete(jobs),
        parts.stopping,
      );
      await auditReceived(audit, request, `pull from ${name}`, received);
      return reply.code(202).send(received);
    },
  );
  const change = (
    action: "cancel" | "retry",
    summary: string,
    work: (id: string, by: string) => Promise<Job>,
  ) =>
    server.post<{ Params: { id: string } }>(
      `/api/jobs/:id/${action}`,
      {
        config: submit,
        schema: { summary, params: jobParameters, response: { 200: { $ref: "Job#" }, ...failures } },
      },
      async (request) => {
        const { name } = whoAsks(request);
        const { id } = jobOf(journal, request.params.id);
        const job = await work(id, name);
        await audit.write({ who: name, action, subject: id, from: request.ip, outcome: "done" });
        return jobJson(job, null);
      },
    );
  change("cancel", "Stop a job", (id, by) => runner.cancel(id, by));
  change("retry", "Begin a job again that failed or was cancelled", retry);
}

function administering(server: FastifyInstance, { journal, tokens, audit, remove }: ServerParts): void {
  const administer = { needs: "administer" } as const;
  const say = (request: FastifyRequest, action: string, subject: string) =>
    audit.write({ who: whoAsks(request).name, action, subject, from: request.ip, outcome: "done" });
  server.delete<{ Params: { id: string } }>(
    "/api/jobs/:id",
    {
      config: administer,
      schema: {
        summary: "Remove a job with its files",
        params: jobParameters,
        response: { 204: { type: "null" }, ...failures },
      },
    },
    async (request, reply) => {
      const { id } = jobOf(journal, request.params.id);
      await remove(id);
      await say(request, "remove", id);
      return reply.code(204).send();
    },
  );
  server.get(
    "/api/tokens",
    { config: administer, schema: { summary: "All tokens, without their secrets" } },
    async () => tokens.list(),
  );
  server.post<{ Body: { name: string; scope: Scope; days?: number } }>(
    "/api/tokens",
    {
      config: administer,
      schema: {
        summary: "Make a token; it is shown this once",
        body: {
          type: "object",
          required: ["name", "scope"],
          properties: {
            name: { type: "string" },
            scope: { type: "string", enum: scopes },
            days: { type: "number", exclusiveMinimum: 0, maximum: 36_500 },
          },
        },
        response: { 201: { type: "object", properties: { token: { type: "string" } } }, ...failures },
      },
    },
    async (request, reply) => {
      const { name, scope, days = null } = request.body;
      const token = await tokens.create(name, scope, days);
      await say(request, `make a token that may ${scope}`, name);
      return reply.code(201).send({ token });
    },
  );
  server.delete<{ Params: { name: string } }>(
    "/api/tokens/:name",
    {
      config: administer,
      schema: { summary: "Remove a token", response: { 204: { type: "null" }, ...failures } },
    },
    async (request, reply) => {
      await tokens.remove(request.params.name);
      await say(request, "remove a token", request.params.name);
      return reply.code(204).send();
    },
  );
}

function whoAsks({ identity }: FastifyRequest): Identity {
  if (identity === null) throw new Error("A route that needs nobody asked who it is.");
  return identity;
}

async function auditReceived(
  audit: AuditLog,
  request: FastifyRequest,
  action: string,
  { jobs }: Pick<Received, "jobs">,
): Promise<void> {
  const { name: who } = whoAsks(request);
  for (const subject of jobs.length === 0 ? ["nothing"] : jobs)
    await audit.write({
      who,
      action,
      subject,
      from: request.ip,
      outcome: jobs.length === 0 ? "refused" : "done",
    });
}

const noneTaken = ({ refused }: Received) => ({
  error: refused[0]?.reason ?? "Nothing of it could be used.",
});

function jobOf(journal: Journal, id: string): Job {
  const job = journal.get(id);
  if (job === null) throw notFound(`There is no job ${id}.`);
  return job;
}

const notFound = (sentence: string): Error => Object.assign(new Error(sentence), { statusCode: 404 });

/** @param file of a job's record: only names that stand there lead to the disk */
function sendFile(reply: FastifyReply, { name, bytes, sha256 }: JobFile, folder: string): FastifyReply {
  reply.type(mediaType(name)).header("Content-Length", bytes).header("ETag", `"${sha256}"`);
  if (!name.endsWith(".png"))
    reply.header("Content-Disposition", `attachment; filename="${name.replace(/[^\w.-]/g, "_")}"`);
  return reply.send(createReadStream(join(folder, name)));
}

const mediaTypes: Readonly<Record<string, string>> = {
  ".png": "image/png",
  ".json": "application/json",
  ".csv": "text/csv; charset=utf-8",
  ".dcm": "application/dicom",
};

const mediaType = (name: string): string =>
  mediaTypes[name.slice(name.lastIndexOf("."))] ?? "application/octet-stream";
