// What nnU-Net v2 writes in plans.json and dataset.json, as a plan of ours; what cannot be done exactly alike is refused.
// Source: nnU-Net v2, utilities/plans_handling/plans_handler.py and label_handling.py; both forms of plans that it reads.
import { z } from "zod";
import { InputError } from "../errors.js";
import { type NetworkSpecification, networkSchema } from "../networks/catalogue.js";
import { shown } from "../text.js";
import type { Channel, IntensityWindow } from "../transforms/intensity.js";
import { isWindow } from "../transforms/intensity.js";
import { type LabelScheme, labelScheme, logitChannels } from "../transforms/label-scheme.js";
import type { NnunetNormalization, NnunetResampling, NnunetUse } from "../transforms/nnunet-preparation.js";
import type { PatchSize } from "../transforms/patch.js";
import type { Plan } from "./model-file.js";

/** A JSON file of a model folder. */
export interface JsonFile {
  /** What errors call it. */
  readonly path: string;
  readonly content: unknown;
}

/** What a checkpoint of nnU-Net says beside its weights. */
export interface NnunetTraining {
  /** The configuration that was trained, such as "3d_fullres". */
  readonly configuration: string;
  /** Axes of the patch that prediction may mirror; 0 is depth. */
  readonly mirroredAxes: readonly number[];
}

const axis = z.int().min(0).max(2);
const spacing = z.number().positive();

/** A number for every stage, or a list with one for each. */
const forStages = <T>(schema: z.ZodType<T>) => z.union([schema, z.array(schema)]);
const edges = z.union([z.int(), z.array(z.int()).length(3)]);

const plansSchema = z.object({
  dataset_name: z.string().optional(),
  image_reader_writer: z.string(),
  transpose_forward: z.array(axis).length(3),
  configurations: z.record(z.string(), z.record(z.string(), z.unknown())),
  foreground_intensity_properties_per_channel: z.record(z.string(), z.unknown()).optional(),
  /** What earlier releases call it. */
  foreground_intensity_properties_by_modality: z.record(z.string(), z.unknown()).optional(),
});

const resamplingSchema = z.strictObject({
  is_seg: z.literal(false),
  order: z.int(),
  order_z: z.literal(0),
  force_separate_z: z.boolean().nullable(),
});

const configurationSchema = z.object({
  preprocessor_name: z.literal("DefaultPreprocessor"),
  patch_size: z.array(z.int()),
  spacing: z.array(spacing),
  normalization_schemes: z.array(z.string()),
  use_mask_for_norm: z.array(z.boolean()),
  resampling_fn_data: z.literal("resample_data_or_seg_to_shape"),
  resampling_fn_data_kwargs: resamplingSchema.extend({ order: z.literal([1, 3]) }),
  resampling_fn_probabilities: z.literal("resample_data_or_seg_to_shape"),
  resampling_fn_probabilities_kwargs: resamplingSchema.extend({ order: z.literal(1) }),
  previous_stage: z.string().nullable().optional(),
  architecture: z.unknown().optional(),
});

/** Arguments of the networks' classes that both have; others are refused, as they change the network. */
const networkArguments = {
  n_stages: z.int().min(2).max(8),
  features_per_stage: forStages(z.int()),
  kernel_sizes: forStages(edges),
  strides: forStages(edges),
  n_conv_per_stage_decoder: forStages(z.int()),
  conv_op: z.literal("torch.nn.modules.conv.Conv3d"),
  conv_bias: z.literal(true),
  norm_op: z.literal("torch.nn.modules.instancenorm.InstanceNorm3d"),
  norm_op_kwargs: z.strictObject({ eps: z.literal(1e-5), affine: z.literal(true) }),
  dropout_op: z.null(),
  dropout_op_kwargs: z.null(),
  nonlin: z.literal("torch.nn.LeakyReLU"),
  nonlin_kwargs: z.strictObject({ inplace: z.boolean().optional() }),
  deep_supervision: z.boolean().optional(),
};

const plainArguments = z.strictObject({
  ...networkArguments,
  n_conv_per_stage: forStages(z.int()),
  nonlin_first: z.literal(false).optional(),
});
const residualArguments = z.strictObject({ ...networkArguments, n_blocks_per_stage: forStages(z.int()) });

const architectureSchema = z.object({ network_class_name: z.string(), arch_kwargs: z.unknown() });

/** The earlier form of plans. */
const earlierArchitectureSchema = z.object({
  UNet_class_name: z.enum(["PlainConvUNet", "ResidualEncoderUNet"]),
  UNet_base_num_features: z.int(),
  unet_max_num_features: z.int(),
  n_conv_per_stage_encoder: z.array(z.int()),
  n_conv_per_stage_decoder: z.array(z.int()),
  pool_op_kernel_sizes: z.array(edges),
  conv_kernel_sizes: z.array(edges),
});

const datasetSchema = z.object({
  name: z.string().optional(),
  channel_names: z.record(z.string(), z.string()).optional(),
  modality: z.record(z.string(), z.string()).optional(),
  labels: z.record(z.string(), z.union([z.number(), z.array(z.number())])),
  regions_class_order: z.array(z.number()).optional(),
});

const intensitiesSchema = z.object({
  mean: z.number(),
  std: z.number(),
  percentile_00_5: z.number(),
  percentile_99_5: z.number(),
});

/**
 * The plan of a model of nnU-Net.
 *
 * @throws InputError where a file does not have the form that nnU-Net v2 writes, or asks for what is not done here exactly
 *   as nnU-Net does it: 2D and cascades, other networks, preprocessors, normalisations or resamplings
 */
export function planOfNnunet(plansFile: JsonFile, datasetFile: JsonFile, training: NnunetTraining): Plan {
  const plans = parsed(plansSchema, plansFile);
  const dataset = parsed(datasetSchema, datasetFile);
  const { configuration: name } = training;
  const inherited = withInheritance(plans.configurations, name, plansFile.path);
  requireThreeDimensions(inherited, name, plansFile.path);
  const place = `configurations.${name}`;
  const configuration = parsed(configurationSchema, { ...plansFile, content: inherited }, place);
  const scheme = schemeOf(dataset, datasetFile.path);
  const names = Object.values(dataset.channel_names ?? dataset.modality ?? {});
  const normalizations = normalizationsOf(configuration, plans, names.length, plansFile.path);
  const channels = names.map(
    (channel, at): Channel => ({ name: channel, scaling: scalingOf(normalizations[at]) }),
  );
  const isCtAlone = channels.length === 1 && isWindow(channels[0].scaling);
  const [depth, height, width] = configuration.spacing;
  const title = dataset.name ?? plans.dataset_name ?? "a data set without a name";
  const { classes } = scheme;
  return {
    network: networkOf(inherited, { inputs: names.length, classes: logitChannels(scheme) }, plansFile, place),
    patchSize: configuration.patch_size as unknown as PatchSize,
    spacingMm: [width, height, depth],
    window: channels.map(({ scaling }) => scaling).find(isWindow) ?? ANY_WINDOW,
    ...(isCtAlone ? {} : { channels }),
    ...(classes.length === 1 ? {} : { labels: scheme }),
    foreground: classes.map((one) => one.name).join(", "),
    dataLabel: `${title} (by nnU-Net)`,
    nnunet: {
      turnedToRas: turnsToRas(plans.image_reader_writer, plansFile.path),
      axes: plans.transpose_forward as unknown as NnunetUse["axes"],
      normalizations,
      mirroredAxes: training.mirroredAxes,
      imageResampling: resamplingOf(configuration.resampling_fn_data_kwargs),
      logitResampling: resamplingOf(configuration.resampling_fn_probabilities_kwargs),
    } satisfies NnunetUse,
  };
}

/** A plan states a window; one without CT has no use for it. */
const ANY_WINDOW: IntensityWindow = { lowHu: -1000, highHu: 1000 };

function parsed<T>(schema: z.ZodType<T>, { path, content }: JsonFile, place = ""): T {
  const result = schema.safeParse(content);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const at = [...(place === "" ? [] : [place]), ...issue.path.map(String)].join(".");
  throw new InputError(
    `${path} cannot be used as nnU-Net would use it ("${shown(at)}": ${issue.message}); only what lnsnet does exactly alike is imported, see docs/nnunet.md.`,
  );
}

/** A configuration with what it takes from others. */
function withInheritance(
  configurations: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
  name: string,
  path: string,
): Record<string, unknown> {
  const chain: string[] = [];
  let result: Record<string, unknown> = {};
  for (let next: unknown = name; next !== undefined; ) {
    if (typeof next !== "string" || !Object.hasOwn(configurations, next) || chain.includes(next))
      throw new InputError(
        `${path} has no usable configuration "${shown(next)}", which the checkpoint was trained with; give the folder that nnU-Net wrote, with its own plans.json.`,
      );
    chain.push(next);
    result = { ...configurations[next], ...result };
    next = configurations[next].inherits_from;
  }
  return result;
}

function requireThreeDimensions(
  configuration: Readonly<Record<string, unknown>>,
  name: string,
  path: string,
): void {
  const { patch_size: patch, previous_stage: previous } = configuration;
  if (Array.isArray(patch) && patch.length !== 3)
    throw new InputError(
      `${path} plans "${shown(name)}" for slices of two dimensions, and networks of three dimensions alone are imported; choose the folder of 3d_fullres or 3d_lowres.`,
    );
  if (typeof previous === "string")
    throw new InputError(
      `${path} plans "${shown(name)}" as a cascade behind "${shown(previous)}", and single networks alone are imported; choose the folder of 3d_fullres or 3d_lowres.`,
    );
}

/** nnU-Net's channels of logits follow the label values; regions follow the order of dataset.json. */
function schemeOf(dataset: z.infer<typeof datasetSchema>, path: string): LabelScheme {
  const scheme = labelScheme(dataset.labels, dataset.regions_class_order, path);
  if (scheme.kind === "overlapping") return scheme;
  const classes = [...scheme.classes].sort((a, b) => a.writtenAs - b.writtenAs);
  const gap = classes.findIndex(({ writtenAs }, at) => writtenAs !== at + 1);
  if (gap >= 0)
    throw new InputError(
      `${path} gives "${classes[gap].name}" the value ${classes[gap].writtenAs}, and ${gap + 1} is expected, as nnU-Net numbers labels without gaps; give the dataset.json of this model.`,
    );
  return { ...scheme, classes };
}

function normalizationsOf(
  { normalization_schemes: schemes, use_mask_for_norm: masks }: z.infer<typeof configurationSchema>,
  plans: z.infer<typeof plansSchema>,
  channels: number,
  path: string,
): readonly NnunetNormalization[] {
  if (schemes.length !== channels || masks.length !== channels)
    throw new InputError(
      `${path} normalises ${schemes.length} channels, and dataset.json names ${channels}; give both files of one model.`,
    );
  const known =
    plans.foreground_intensity_properties_per_channel ??
    plans.foreground_intensity_properties_by_modality ??
    {};
  return schemes.map((scheme, at): NnunetNormalization => {
    if (scheme === "ZScoreNormalization") return { scheme: "z-score", withinMask: masks[at] };
    if (scheme !== "CTNormalization")
      throw new InputError(
        `${path} normalises channel ${at} by "${shown(scheme)}", and CTNormalization and ZScoreNormalization alone are known here; train with one of them.`,
      );
    const { mean, std, percentile_00_5, percentile_99_5 } = parsed(
      intensitiesSchema,
      { path, content: known[String(at)] },
      `foreground_intensity_properties_per_channel.${at}`,
    );
    return { scheme: "ct", lowest: percentile_00_5, highest: percentile_99_5, mean, deviation: std };
  });
}

const scalingOf = (normalization: NnunetNormalization): Channel["scaling"] =>
  normalization.scheme === "ct" ? { lowHu: normalization.lowest, highHu: normalization.highest } : "z-score";

const resamplingOf = ({
  order,
  force_separate_z,
}: {
  readonly order: 1 | 3;
  readonly force_separate_z: boolean | null;
}): NnunetResampling => ({ order, separate: force_separate_z });

/** Whether nnU-Net's reader turns scans to RAS. */
function turnsToRas(reader: string, path: string): boolean {
  if (reader === "NibabelIOWithReorient") return true;
  if (reader === "SimpleITKIO" || reader === "NibabelIO") return false;
  throw new InputError(
    `${path} reads images by "${shown(reader)}", and SimpleITKIO, NibabelIO and NibabelIOWithReorient are known here; import a model that one of them serves.`,
  );
}

function networkOf(
  configuration: Readonly<Record<string, unknown>>,
  channels: { readonly inputs: number; readonly classes: number },
  { path }: JsonFile,
  place: string,
): NetworkSpecification {
  const { kind, first, ...fields } =
    configuration.architecture === undefined
      ? earlierNetwork(parsed(earlierArchitectureSchema, { path, content: configuration }, place))
      : architecture(configuration.architecture, path, `${place}.architecture`);
  if (first.some((step) => step !== 1))
    throw new InputError(
      `${path} strides by ${first.join("×")} in the first stage, and 1×1×1 is expected; this network is not imported.`,
    );
  const specification = {
    name: kind === "PlainConvUNet" ? "nnunet" : "nnunet-resenc",
    configuration: {
      ...channels,
      ...fields,
      deepSupervision: false,
      ...(kind === "PlainConvUNet" ? { bias: true } : {}),
    },
  };
  return parsed(networkSchema, { path, content: specification }, `${place}.architecture`);
}

/** Fields of a network's configuration, in our names; `first` is the stride of the first stage. */
interface NetworkFields {
  readonly kind: "PlainConvUNet" | "ResidualEncoderUNet";
  readonly first: readonly number[];
  readonly stages: readonly number[];
  readonly strides: readonly (readonly number[])[];
  readonly kernels: readonly (readonly number[])[];
  readonly decoderConvolutions: readonly number[];
  readonly convolutions?: readonly number[];
  readonly blocks?: readonly number[];
}

function architecture(content: unknown, path: string, place: string): NetworkFields {
  const { network_class_name: className, arch_kwargs } = parsed(architectureSchema, { path, content }, place);
  const file = { path, content: arch_kwargs };
  const kind = className.split(".").at(-1);
  if (kind === "PlainConvUNet") {
    const given = parsed(plainArguments, file, `${place}.arch_kwargs`);
    return { kind, ...sharedFields(given), convolutions: each(given.n_conv_per_stage, given.n_stages) };
  }
  if (kind === "ResidualEncoderUNet") {
    const given = parsed(residualArguments, file, `${place}.arch_kwargs`);
    return { kind, ...sharedFields(given), blocks: each(given.n_blocks_per_stage, given.n_stages) };
  }
  throw new InputError(
    `${path} builds the network "${shown(className)}", and PlainConvUNet and ResidualEncoderUNet alone are imported; choose a model of one of them.`,
  );
}

function sharedFields(
  given: Pick<
    z.infer<typeof plainArguments>,
    "n_stages" | "features_per_stage" | "kernel_sizes" | "strides" | "n_conv_per_stage_decoder"
  >,
): Omit<NetworkFields, "kind"> {
  const { n_stages: count } = given;
  const [first, ...strides] = each(given.strides, count).map(triple);
  return {
    first,
    stages: each(given.features_per_stage, count),
    strides,
    kernels: each(given.kernel_sizes, count).map(triple),
    decoderConvolutions: each(given.n_conv_per_stage_decoder, count - 1),
  };
}

function earlierNetwork(given: z.infer<typeof earlierArchitectureSchema>): NetworkFields {
  const { n_conv_per_stage_encoder: repeats, UNet_base_num_features: base, UNet_class_name: kind } = given;
  const [first, ...strides] = given.pool_op_kernel_sizes.map(triple);
  return {
    kind,
    first,
    stages: repeats.map((_, stage) => Math.min(base * 2 ** stage, given.unet_max_num_features)),
    strides,
    kernels: given.conv_kernel_sizes.map(triple),
    decoderConvolutions: given.n_conv_per_stage_decoder,
    ...(kind === "PlainConvUNet" ? { convolutions: repeats } : { blocks: repeats }),
  };
}

/** A list as it is; of a single value, that for each stage. */
const each = <T extends number | readonly number[]>(value: T | T[], count: number): T[] =>
  Array.isArray(value) && value.length === count ? (value as T[]) : new Array<T>(count).fill(value as T);

const triple = (value: number | readonly number[]): readonly number[] =>
  typeof value === "number" ? [value, value, value] : value;
