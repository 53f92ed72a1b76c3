// The configuration file of the service (YAML or JSON): every field with its default; a mistake is one sentence.
import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { InputError } from "@lnsnet/core";
import { routingAttributes } from "@lnsnet/core/formats";
import { deviceChoices } from "@lnsnet/core/runtime";
import { isFolder, requirePath } from "@lnsnet/node";
import { parse, YAMLParseError } from "yaml";
import { z } from "zod";
import { defaultRules, requireTargets, ruleSchema } from "./rules/rules.js";

const title = z.string().regex(/^[\x20-\x5b\x5d-\x7e]{1,16}$/, "give an AE title of 1 to 16 characters");
const port = z.number().int().min(0).max(65535);
const seconds = z
  .number()
  .min(0)
  .max(7 * 86_400);
const hour = z.number().int().min(0).max(23);

const backOff = (attempts: number, firstSeconds: number, longestSeconds: number) =>
  z
    .strictObject({
      attempts: z.number().int().min(1).max(1000).default(attempts),
      firstSeconds: seconds.default(firstSeconds),
      longestSeconds: seconds.default(longestSeconds),
    })
    .prefault({});

/** Files of a TLS key and certificate, in PEM. */
const tlsSchema = z.strictObject({
  certificate: z.string(),
  key: z.string(),
  /** Only clients with a certificate of this authority are let in (mTLS). */
  clientAuthority: z.string().optional(),
});

const targetSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("folder"), path: z.string() }),
  z.strictObject({
    kind: z.literal("stow"),
    /** Of the DICOMweb service, such as http://pacs:8042/dicom-web. */
    url: z.url({ protocol: /^https?$/ }),
    /** Environment variable or file that holds the value of the Authorization header. */
    authorizationVariable: z.string().optional(),
    authorizationFile: z.string().optional(),
    timeoutSeconds: seconds.default(120),
  }),
  z.strictObject({
    kind: z.literal("c-store"),
    host: z.string().min(1),
    port: port.min(1),
    title,
    /** How we call ourselves; by default as the receiver is called. */
    callingTitle: title.default("LNSNET"),
    tls: z
      .strictObject({ authority: z.string(), certificate: z.string().optional(), key: z.string().optional() })
      .optional(),
    timeoutSeconds: seconds.default(120),
  }),
]);
export type TargetConfiguration = Readonly<z.infer<typeof targetSchema>>;

const configurationSchema = z.strictObject({
  /** Folder of jobs, tokens and logs. */
  data: z.string().default("lnsnet-service"),
  http: z
    .strictObject({
      /** Only this machine, unless another address is given. */
      host: z.string().default("127.0.0.1"),
      port: port.default(8080),
      tls: tlsSchema.optional(),
      requestsPerMinute: z.number().int().min(1).default(3000),
      /** Bytes of one upload, in MB. */
      uploadMegabytes: z.number().int().min(1).max(2047).default(2000),
      uploadFiles: z.number().int().min(1).default(20_000),
      /** A reverse proxy that has checked who asks. */
      proxy: z
        .strictObject({
          /** Addresses of the proxy; from no other is the header believed. */
          addresses: z.array(z.string()).min(1),
          userHeader: z.string().toLowerCase().default("x-forwarded-user"),
          scope: z.enum(["view", "submit", "administer"]).default("view"),
        })
        .optional(),
    })
    .prefault({}),
  dicom: z
    .strictObject({
      host: z.string().default("127.0.0.1"),
      port: port.default(11112),
      title: title.default("LNSNET"),
      /** Who may store; an AE title alone, or with the address that it must come from. */
      allow: z.array(z.strictObject({ title, address: z.string().optional() })).min(1),
      tls: tlsSchema.optional(),
      mostAssociations: z.number().int().min(1).default(20),
    })
    .optional(),
  /** Folders whose files are taken in; they are left where they are. */
  /** DICOMweb services from which studies are fetched on request. */
  sources: z
    .record(
      z.string().regex(/^[\w-]{1,64}$/, 'a source\'s name has letters, digits, "_" and "-"'),
      z.strictObject({
        url: z.url({ protocol: /^https?$/ }),
        authorizationVariable: z.string().optional(),
        authorizationFile: z.string().optional(),
        timeoutSeconds: seconds.default(600),
      }),
    )
    .default({}),
  watch: z.array(z.string()).default([]),
  receiving: z
    .strictObject({
      /** After so long without a further file, a series whose count is not stated is complete. */
      quietSeconds: seconds.default(30),
      watchEverySeconds: seconds.min(0.05).default(5),
    })
    .prefault({}),
  segmenting: z
    .strictObject({
      jobs: z.number().int().min(1).max(64).default(1),
      threads: z.number().int().min(0).max(256).default(0),
      device: z.enum(deviceChoices).default("auto"),
      backOff: backOff(3, 30, 900),
      /** A segmentation that takes longer is stopped. */
      longestSeconds: seconds.default(3600),
    })
    .prefault({}),
  /** Redis by which workers segment, such as redis://127.0.0.1:6379; left out, this process does. */
  queue: z.string().optional(),
  offPeak: z.strictObject({ from: hour, until: hour }).default({ from: 20, until: 6 }),
  targets: z
    .record(
      z
        .string()
        .regex(
          /^(?!sender$)[\w-]{1,64}$/,
          'a target\'s name has letters, digits, "_" and "-", and is not "sender"',
        ),
      targetSchema,
    )
    .default({}),
  sending: z.strictObject({ backOff: backOff(10, 10, 3600) }).prefault({}),
  rules: z.array(ruleSchema(routingAttributes)).default([...defaultRules]),
  /** Days after which a job at rest is removed with its files; 0 for never. */
  retention: z
    .strictObject({ jobDays: z.number().min(0).default(30), auditDays: z.number().min(0).default(365) })
    .prefault({}),
  /** Folder of the viewer's built files, served at /viewer/. */
  viewer: z.string().optional(),
});

export type Configuration = Readonly<z.infer<typeof configurationSchema>>;

/** What may be given beside a file. */
export interface ConfigurationChanges {
  readonly data?: string | undefined;
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  readonly queue?: string | undefined;
}

/**
 * The configuration of a file; without one, the defaults. Paths in it are read from the file's folder.
 *
 * @throws InputError where the file cannot be read, or an entry is not as expected
 */
export async function readConfiguration(
  path: string | null,
  changes: ConfigurationChanges = {},
): Promise<Configuration> {
  const name = path ?? "the configuration";
  const value = path === null ? {} : await yamlOf(path);
  const { success, data, error } = configurationSchema.safeParse(value ?? {});
  if (!success) {
    const [issue] = error.issues;
    const place = issue.path.length === 0 ? "its top level" : `"${issue.path.join(".")}"`;
    throw new InputError(`${name}: ${place}: ${issue.message}; correct that entry.`);
  }
  requireTargets(data.rules, Object.keys(data.targets), name);
  const from = path === null ? "." : dirname(path);
  const placed = withPaths(data, from);
  const { host = data.http.host, port: wantedPort = data.http.port } = changes;
  const queue = changes.queue ?? placed.queue;
  const configuration = {
    ...placed,
    ...(queue === undefined ? {} : { queue }),
    data: changes.data ?? placed.data,
    http: { ...placed.http, host, port: wantedPort },
  };
  await requirePaths(configuration);
  return configuration;
}

async function yamlOf(path: string): Promise<unknown> {
  await requirePath(path);
  if (await isFolder(path))
    throw new InputError(`${path} is a folder, and a configuration file was expected.`);
  try {
    return parse(await readFile(path, "utf8"));
  } catch (error) {
    if (!(error instanceof YAMLParseError)) throw error;
    throw new InputError(`${path} is not YAML (${error.message.split("\n")[0]}); correct it.`);
  }
}

function withPaths(data: Configuration, from: string): Configuration {
  const at = (path: string) => resolve(from, path);
  return {
    ...data,
    data: at(data.data),
    watch: data.watch.map(at),
    ...(data.viewer === undefined ? {} : { viewer: at(data.viewer) }),
    rules: data.rules.map((rule) => ({ ...rule, model: rule.model === null ? null : at(rule.model) })),
    targets: Object.fromEntries(
      Object.entries(data.targets).map(([name, target]) => [
        name,
        target.kind === "folder" ? { ...target, path: at(target.path) } : target,
      ]),
    ),
  };
}

/** @throws InputError where a folder or model that is named does not exist */
async function requirePaths({ watch, viewer, rules }: Configuration): Promise<void> {
  for (const path of [...watch, ...(viewer === undefined ? [] : [viewer])]) await requirePath(path);
  for (const { model } of rules) if (model !== null) await requirePath(model);
}
