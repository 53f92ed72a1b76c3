// LNSNet on WebGPU, by the software driver for Vulkan that comes with Chromium, beside the CPU.
import { fork } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { emitOnnx } from "../graph/onnx.js";
import { input } from "../graph/operations/leaves.js";
import { logSoftmax } from "../graph/operations/reduction.js";
import type { Shape } from "../graph/shape.js";
import { type NetworkName, type NetworkSpecification, networkPresets } from "../networks/catalogue.js";
import { drawnNetwork, greatestGap } from "../networks/drawn-network.test-helper.js";
import { lnsnetNetwork } from "../networks/lnsnet.js";
import { tinyNetworks } from "../networks/tiny-networks.test-helper.js";
import { nodeRuntime } from "./node.js";
import type { RuntimeTensor, Session } from "./types.js";

const folders = ["/usr/lib/chromium", "/usr/lib/chromium-browser", "/opt/google/chrome"];
const driver = folders.find((folder) => existsSync(`${folder}/vk_swiftshader_icd.json`));
if (driver === undefined)
  process.stderr.write(
    `WebGPU is not tested: no vk_swiftshader_icd.json (Chromium) in ${folders.join(", ")}.\n`,
  );

type Inputs = Readonly<Record<string, RuntimeTensor>>;

interface Answer extends Pick<Session, "device" | "deviceNote"> {
  readonly outputs: Inputs;
}

/** Runs a model in a process that knows the driver. */
function onWebGpu(model: Uint8Array, inputs: Inputs): Promise<Answer> {
  const child = fork(fileURLToPath(new URL("webgpu-process.test-helper.mjs", import.meta.url)), {
    env: { ...process.env, LD_LIBRARY_PATH: driver, VK_ICD_FILENAMES: `${driver}/vk_swiftshader_icd.json` },
    serialization: "advanced",
  });
  return new Promise<Answer>((resolve, reject) => {
    child.once("message", (answer) => resolve(answer as Answer));
    child.once("exit", (code) => reject(new Error(`the process ended with code ${code}`)));
    child.send({ model, inputs });
  }).finally(() => child.kill());
}

// Some seconds at rest; a driver in software feels whatever else the machine does.
describe.skipIf(driver === undefined)("on WebGPU", { timeout: 300_000 }, () => {
  const { lnsnet, "lnsnet-half": half } = networkPresets;
  const everyGroup: NetworkSpecification = {
    name: "lnsnet",
    configuration: { ...lnsnetNetwork.presets["lnsnet-small"], classes: 2, pointwiseGroups: "depthwise" },
  };

  // Of the compared networks those that need most to be rewritten; the larger ones take minutes on this driver.
  const rewritten: NetworkName[] = ["lnsnet", "partial-unet", "residual-unet", "mednext", "lhu-net"];

  test.each<[string, NetworkSpecification, Shape]>([
    ["LNSNet", lnsnet, [16, 16, 16]],
    ["LNSNet with a half-size stem", half, [16, 16, 16]],
    ["LNSNet of two classes with groups wherever there can be", everyGroup, [8, 8, 8]],
    ...tinyNetworks
      .filter(({ network: { name } }) => rewritten.includes(name))
      .map(({ network, size }): [string, NetworkSpecification, Shape] => [
        `a tiny ${network.name}`,
        network,
        size,
      ]),
  ])("%s has every node there, and gives the CPU's logits", async (_, network, size) => {
    const { model, image } = drawnNetwork(network, size);
    const session = await nodeRuntime.createSession(model);
    const { logits: expected } = await session.run({ image });
    await session.release();
    const { device, deviceNote, outputs } = await onWebGpu(model("webgpu"), { image });
    expect({ device, deviceNote }).toEqual({ device: "webgpu", deviceNote: "WebGPU is used, as requested." });
    const greatest = Math.max(...expected.data.map(Math.abs));
    expect(greatest).toBeGreaterThan(0.05);
    expect(greatestGap(outputs.logits, expected)).toBeLessThan(1e-4 * Math.max(1, greatest));
  });

  test("a model of which WebGPU lacks one node is not run there in part", async () => {
    const x = input("x", [1, 2]);
    const model = emitOnnx({ inputs: [x], outputs: { y: logSoftmax(x, 1) } });
    const { device, deviceNote, outputs } = await onWebGpu(model, {
      x: { shape: [1, 2], data: Float32Array.of(0, 0) },
    });
    expect(device).toBe("cpu");
    expect(deviceNote).toMatch(/^WebGPU cannot be used here \(.*default CPU EP.*\), so the CPU is used\.$/);
    expect(outputs.y.data[0]).toBeCloseTo(-Math.LN2, 6);
  });
});
