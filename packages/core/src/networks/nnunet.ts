// A plain U-Net as nnU-Net plans it (Isensee 2021): instance norm, Leaky ReLU, strided convolutions, deep supervision. Named as MONAI's DynUNet.
import { z } from "zod";
import { type Value, within } from "../graph/graph.js";
import { leakyRelu } from "../graph/operations/elementwise.js";
import { concat } from "../graph/operations/layout.js";
import { convolutionLayer, pointwiseLayer, transposedConvolutionLayer } from "./blocks/layers.js";
import { instanceNormLayer } from "./blocks/normalization.js";
import type { NetworkBuilder } from "./builder.js";
import * as fields from "./fields.js";
import { kaimingNormal } from "./initialization.js";
import { cube, type Network, type NetworkOutputs, productOf, type Size3 } from "./network.js";
import { kernelOf, nnunetPlan, requireEachStage } from "./nnunet-plan.js";

/** The defaults are a plan for small patches: five stages. */
const schema = z
  .strictObject({
    ...nnunetPlan,
    /** Convolutions of each encoder stage; two by default. */
    convolutions: z.array(fields.repeats.min(1)).readonly().optional(),
    /** Whether convolutions have a bias, as in nnU-Net's own modules; of a transposed one it matters at the patch's border. */
    bias: z.boolean().default(false),
  })
  .superRefine((configuration, context) =>
    requireEachStage(configuration, (issue) => context.addIssue(issue)),
  )
  .refine(({ stages, convolutions = stages }) => convolutions.length === stages.length, {
    path: ["convolutions"],
    message: "there must be one number for each stage",
  })
  .readonly();

export type NnunetConfiguration = z.infer<typeof schema>;

export const nnunetDefaults = schema.parse({});

export const nnunetNetwork = {
  title: "nnU-Net (plain)",
  schema,
  presets: { nnunet: nnunetDefaults },
  build: nnunet,
  divisor: ({ strides }) => productOf(strides),
  head: ["output_block", "deep_supervision_heads"],
} satisfies Network<NnunetConfiguration>;

/** He's rule for the slope of Leaky ReLU, as nnU-Net's. */
const initialization = kaimingNormal(0.01);

function nnunet(
  image: Value,
  {
    stages,
    strides,
    kernels,
    convolutions,
    decoderConvolutions,
    bias,
    classes,
    deepSupervision,
  }: NnunetConfiguration,
  builder: NetworkBuilder,
): NetworkOutputs {
  const deepest = stages.length - 1;
  const nameOf = (stage: number): string =>
    stage === 0 ? "input_block" : stage === deepest ? "bottleneck" : `downsamples.${stage - 1}`;

  let x = image;
  const skips: Value[] = [];
  stages.forEach((channels, stage) => {
    const steps = stage === 0 ? [1, 1, 1] : strides[stage - 1];
    x = within(nameOf(stage), () =>
      nnunetBlock(x, channels, steps, builder, {
        kernel: kernelOf(kernels, stage),
        convolutions: convolutions?.[stage],
        bias,
      }),
    );
    skips.push(x);
  });
  /** Features of the decoder's stages, from the finest down. */
  const decoded: Value[] = [];
  for (let stage = deepest - 1; stage >= 0; stage--) {
    x = within(`upsamples.${deepest - 1 - stage}`, () => {
      const upsampled = within("transp_conv.conv", () =>
        transposedConvolutionLayer(x, stages[stage], builder, {
          kernel: strides[stage],
          stride: strides[stage],
          bias,
          initialization,
        }),
      );
      const joined = concat([upsampled, skips[stage]], 1);
      return within("conv_block", () =>
        nnunetBlock(joined, stages[stage], [1, 1, 1], builder, {
          kernel: kernelOf(kernels, stage),
          convolutions: decoderConvolutions?.[deepest - 1 - stage],
          bias,
        }),
      );
    });
    decoded.unshift(x);
  }
  const logitsOf = (features: Value, name: string): Value =>
    within(`${name}.conv.conv`, () => pointwiseLayer(features, classes, builder, { initialization }));
  const logits = logitsOf(decoded[0], "output_block");
  if (!deepSupervision) return { logits };
  const coarserLogits = decoded
    .slice(1, -1)
    .map((features, index) => logitsOf(features, `deep_supervision_heads.${index}`));
  return { logits, coarserLogits };
}

interface Block {
  readonly kernel?: Size3;
  /** Two by default. */
  readonly convolutions?: number | undefined;
  readonly bias?: boolean;
}

/** Convolutions with instance norm and Leaky ReLU, the first with the stride. */
export function nnunetBlock(
  x: Value,
  channels: number,
  strides: readonly number[],
  builder: NetworkBuilder,
  { kernel = cube(3), convolutions = 2, bias = false }: Block = {},
): Value {
  let y = x;
  for (let index = 1; index <= convolutions; index++) {
    const stride = index === 1 ? strides : cube(1);
    const convolved = within(`conv${index}.conv`, () =>
      convolutionLayer(y, channels, builder, { kernel, stride, bias, initialization }),
    );
    y = leakyRelu(within(`norm${index}`, () => instanceNormLayer(convolved, builder)));
  }
  return y;
}
