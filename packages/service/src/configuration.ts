// The configuration file of the service (YAML or JSON): every field with its default; a mistake is one sentence.
import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { InputError } from "@lnsnet/core/errors";
import { routingAttributes } from "@lnsnet/core/formats";
import { deviceChoices } from "@lnsnet/core/runtime";
import { isFolder, requirePath } from "@lnsnet/node/disk";
import { parse, YAMLParseError } from "yaml";
import { z } from "zod";
import { listedAttributes } from "./receiving/pull-source.js";
import { conditionsSchema, defaultRules, requireTargets, ruleSchema } from "./rules/rules.js";

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

/** A DICOM node that we ask for something. */
const node = (timeoutSeconds: number) => ({
  host: z.string().min(1),
  port: port.min(1),
  title,
  /** How we call ourselves there. */
  callingTitle: title.default("LNSNET"),
  tls: z
    .strictObject({ authority: z.string(), certificate: z.string().optional(), key: z.string().optional() })
    .optional(),
  timeoutSeconds: seconds.default(timeoutSeconds),
});

/** A DICOMweb service, with the environment variable or file that holds the value of the Authorization header. */
const dicomweb = (timeoutSeconds: number) => ({
  /** Such as http://pacs:8042/dicom-web. */
  url: z.url({ protocol: /^https?$/ }),
  authorizationVariable: z.string().optional(),
  authorizationFile: z.string().optional(),
  timeoutSeconds: seconds.default(timeoutSeconds),
});

const targetSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("folder"), path: z.string() }),
  z.strictObject({ kind: z.literal("stow"), ...dicomweb(120) }),
  z.strictObject({ kind: z.literal("c-store"), ...node(120) }),
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
      /** Bytes of one instance, in MB. */
      instanceMegabytes: z.number().int().min(1).max(2047).default(2000),
    })
    .optional(),
  /** From where studies are fetched, on request and by the entries of `pull`. */
  sources: z
    .record(
      z.string().regex(/^[\w-]{1,64}$/, 'a source\'s name has letters, digits, "_" and "-"'),
      z.discriminatedUnion("kind", [
        z.strictObject({ kind: z.literal("dicomweb"), ...dicomweb(600) }),
        z.strictObject({ kind: z.literal("c-move"), ...node(600) }),
      ]),
    )
    .default({}),
  /** Sources that are asked again and again for CT series that were not done. */
  pull: z
    .array(
      z.strictObject({
        name: z.string().min(1),
        source: z.string(),
        everySeconds: seconds.min(0.05).default(600),
        /** Studies of today, and of so many days before. */
        days: z.number().int().min(0).max(3650).default(1),
        when: conditionsSchema(listedAttributes).default({}),
      }),
    )
    .default([]),
  /** Folders whose files are taken in; they are left where they are. */
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
  /** A bucket of an S3-compatible store, over which workers get studies that do not see the data folder; needs `queue`. */
  store: z.url({ protocol: /^https?$/ }).optional(),
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
  requireSources(data, name);
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
  if (configuration.store !== undefined && configuration.queue === undefined)
    throw new InputError(
      `${name}: "store" is for workers, and there is no "queue"; add one, or leave "store" out.`,
    );
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
  const placedTls = <Entry extends Secured>(entry: Entry): Entry =>
    entry.tls === undefined
      ? entry
      : {
          ...entry,
          tls: Object.fromEntries(Object.entries(entry.tls).map(([key, path]) => [key, path && at(path)])),
        };
  const placedFile = <Entry extends Authorized>(entry: Entry): Entry =>
    entry.authorizationFile === undefined
      ? entry
      : { ...entry, authorizationFile: at(entry.authorizationFile) };
  const { http, dicom, viewer, rules, targets, sources } = data;
  return {
    ...data,
    data: at(data.data),
    watch: data.watch.map(at),
    http: placedTls(http),
    ...(dicom === undefined ? {} : { dicom: placedTls(dicom) }),
    ...(viewer === undefined ? {} : { viewer: at(viewer) }),
    rules: rules.map((rule) => ({ ...rule, model: rule.model === null ? null : at(rule.model) })),
    targets: ofEach(targets, (target) => {
      if (target.kind === "folder") return { ...target, path: at(target.path) };
      return target.kind === "stow" ? placedFile(target) : placedTls(target);
    }),
    sources: ofEach(sources, (source) =>
      source.kind === "dicomweb" ? placedFile(source) : placedTls(source),
    ),
  };
}

/** Entries with files of a key and certificates, and entries with a file of a secret. */
interface Secured {
  readonly tls?: Readonly<Record<string, string | undefined>> | undefined;
}
interface Authorized {
  readonly authorizationFile?: string | undefined;
}

const ofEach = <Entry>(
  entries: Readonly<Record<string, Entry>>,
  change: (entry: Entry) => Entry,
): Record<string, Entry> =>
  Object.fromEntries(Object.entries(entries).map(([name, entry]) => [name, change(entry)]));

/** @throws InputError where a source is named that there is not, or one needs a receiver that there is not */
function requireSources({ sources, pull, dicom }: Configuration, name: string): void {
  for (const { name: rule, source } of pull)
    if (!Object.hasOwn(sources, source))
      throw new InputError(
        `${name}: the entry "${rule}" of pull asks "${source}", which is no source; the sources are ${Object.keys(sources).join(", ") || "none"}.`,
      );
  for (const [source, { kind }] of Object.entries(sources))
    if (kind === "c-move" && dicom === undefined)
      throw new InputError(
        `${name}: the source "${source}" sends what it is asked for to a DICOM receiver, and there is none; add the entry dicom.`,
      );
}

/** @throws InputError where a folder, model, key, certificate or secret that is named does not exist */
async function requirePaths({
  watch,
  viewer,
  rules,
  http,
  dicom,
  targets,
  sources,
}: Configuration): Promise<void> {
  const others = [...Object.values(targets), ...Object.values(sources)];
  const secured: object[] = [http, ...(dicom === undefined ? [] : [dicom]), ...others];
  const paths = [
    ...watch,
    viewer,
    ...rules.map(({ model }) => model),
    ...secured.flatMap((entry: Secured) => Object.values(entry.tls ?? {})),
    ...others.map((entry: object) => (entry as Authorized).authorizationFile),
  ];
  for (const path of paths) if (path != null) await requirePath(path);
}
