// The smallest useful configuration of every network of the table, for tests of what holds for all of them.
import type { Shape } from "../graph/shape.js";
import { type NetworkName, type NetworkSpecification, networkSchema } from "./catalogue.js";

/** A network and the size of an image for it. */
export interface TinyNetwork {
  readonly network: NetworkSpecification;
  readonly size: Shape;
}

const rows: { readonly [Name in NetworkName]: readonly [configuration: object, size: Shape] } = {
  lnsnet: [{ stages: [8, 16], depths: [1, 1], inputs: 2, streams: 2 }, [8, 8, 8]],
  "partial-unet": [{ stages: [4, 8, 16, 32] }, [8, 8, 16]],
  unetr: [{ features: 2, hidden: 12, mlp: 24, heads: 3 }, [16, 16, 32]],
  vnet: [{}, [16, 16, 16]],
  segresnet: [{}, [8, 8, 16]],
  nnunet: [
    {
      stages: [4, 8, 8],
      strides: [
        [1, 2, 2],
        [2, 2, 2],
      ],
    },
    [8, 8, 16],
  ],
  "nnunet-resenc": [
    {
      stages: [4, 8, 8],
      strides: [
        [1, 2, 2],
        [2, 2, 2],
      ],
      blocks: [1, 2, 1],
    },
    [8, 8, 16],
  ],
  "ux-net": [{ stages: [4, 8, 16, 32], depths: [1, 1, 1, 1], hidden: 16 }, [16, 16, 32]],
  "swin-unetr": [{ features: 6, depths: [2, 1, 1, 1], window: 3 }, [32, 32, 32]],
  unet3d: [{ stages: [4, 8, 16] }, [8, 8, 16]],
  unet2d: [{ stages: [4, 8, 16] }, [3, 8, 16]],
  "basic-unet": [{ stages: [4, 4, 8, 8, 16], last: 4 }, [16, 16, 16]],
  "residual-unet": [{ stages: [4, 8, 16, 16, 16] }, [16, 16, 32]],
  mednext: [{ features: 4, blocks: 1 }, [16, 16, 32]],
  "lhu-net": [
    {
      ...{ convolutional: [4, 4], hybrid: [4, 8, 8], heads: [2, 2, 4], rows: [6, 3] },
      strides: [
        [1, 2, 2],
        [2, 2, 2],
        [1, 2, 2],
        [2, 1, 1],
        [1, 1, 1],
      ],
    },
    [8, 16, 16],
  ],
};

export const tinyNetworks: readonly TinyNetwork[] = Object.entries(rows).map(
  ([name, [configuration, size]]) => ({
    network: networkSchema.parse({ name, configuration }),
    size,
  }),
);
