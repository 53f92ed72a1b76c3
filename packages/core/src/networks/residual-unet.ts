// MONAI's UNet with residual units (Kerfoot 2018): strided convolutions, PReLU, instance norm without scale and shift. Parameters
// have MONAI's names.
import { z } from "zod";
import { instanceNorm, prelu } from "../graph/functions.js";
import { type Value, within } from "../graph/graph.js";
import { add } from "../graph/operations/elementwise.js";
import { concat } from "../graph/operations/layout.js";
import { convolutionLayer, transposedConvolutionLayer } from "./blocks/layers.js";
import type { NetworkBuilder } from "./builder.js";
import * as fields from "./fields.js";
import { pytorchDefault } from "./initialization.js";
import { cube, type Network } from "./network.js";

/** The defaults are those of MONAI's tutorials. */
const schema = z
  .strictObject({
    ...fields.common,
    /** Channels of the stages; each but the last halves the resolution before it, so that the first has half of the image's. */
    stages: z.array(fields.channels).min(2).max(8).readonly().default([16, 32, 64, 128, 256]),
    /** Convolutions of each unit of the encoder. */
    units: fields.repeats.min(1).default(2),
  })
  .readonly();

export type ResidualUnetConfiguration = z.infer<typeof schema>;

export const residualUnetDefaults = schema.parse({});

export const residualUnetNetwork = {
  title: "Residual UNet (MONAI)",
  schema,
  presets: { "residual-unet": residualUnetDefaults },
  build: (image, configuration, builder) => ({ logits: residualUnet(image, configuration, builder) }),
  divisor: ({ stages }) => cube(2 ** (stages.length - 1)),
  head: ["model.2"],
} satisfies Network<ResidualUnetConfiguration>;

const initialization = pytorchDefault;

function residualUnet(
  image: Value,
  { stages, units, classes }: ResidualUnetConfiguration,
  builder: NetworkBuilder,
): Value {
  /** Down, all that lies deeper beside the skip, and up again to `channels`. */
  const around = (x: Value, stage: number, channels: number): Value => {
    const down = within("0", () => residualUnit(x, stages[stage], 2, units, false, builder));
    const deeper = within("1.submodule", () =>
      stage === stages.length - 2
        ? residualUnit(down, stages[stage + 1], 1, units, false, builder)
        : around(down, stage + 1, stages[stage]),
    );
    return within("2", () => {
      const upsampled = within("0", () => {
        const doubled = within("conv", () =>
          transposedConvolutionLayer(concat([down, deeper], 1), channels, builder, {
            kernel: 3,
            outputPadding: 1,
            initialization,
          }),
        );
        return activated(doubled, builder);
      });
      return within("1", () => residualUnit(upsampled, channels, 1, 1, stage === 0, builder));
    });
  };
  return within("model", () => around(image, 0, classes));
}

/** Instance norm and PReLU. */
function activated(x: Value, builder: NetworkBuilder): Value {
  const slope = within("adn.A", () => builder.parameter("weight", [1], { kind: "constant", value: 0.25 }));
  return prelu(instanceNorm(x, null), slope);
}

/** Convolutions with norm and PReLU, the first with the stride, and a shortcut; `bare` leaves out norm and PReLU of the last. */
function residualUnit(
  x: Value,
  channels: number,
  stride: number,
  convolutions: number,
  bare: boolean,
  builder: NetworkBuilder,
): Value {
  let y = x;
  for (let index = 0; index < convolutions; index++)
    y = within(`conv.unit${index}`, () => {
      const convolved = within("conv", () =>
        convolutionLayer(y, channels, builder, { stride: index === 0 ? stride : 1, initialization }),
      );
      return bare && index === convolutions - 1 ? convolved : activated(convolved, builder);
    });
  const isPlain = stride === 1 && x.shape[1] === channels;
  const shortcut = isPlain
    ? x
    : within("residual", () =>
        convolutionLayer(x, channels, builder, { kernel: stride === 1 ? 1 : 3, stride, initialization }),
      );
  return add(y, shortcut);
}
