// Which device is taken, and in which words, for every way that devices can fail.
import { expect, test } from "vitest";
import { openOnDevice } from "./devices.js";
import type { Device, DeviceChoice } from "./types.js";

const nothing = "Failed to load shared library";
const noAdapter =
  "/onnxruntime_src/webgpu_context.cc:136 Initialize(const Config&)::<lambda()> status == Success was false. Failed to get a WebGPU adapter: No supported adapters\n";

const rows: [DeviceChoice, readonly Device[], Partial<Record<Device, string>>, Device, string][] = [
  ["cpu", ["cuda", "cpu"], {}, "cpu", "The CPU is used, as requested."],
  ["cuda", ["cuda", "cpu"], {}, "cuda", "CUDA is used, as requested."],
  ["webgpu", ["cuda", "cpu"], {}, "webgpu", "WebGPU is used, as requested."],
  ["auto", ["cuda", "cpu"], {}, "cuda", "CUDA is used, the fastest device found."],
  ["auto", ["cpu"], {}, "cpu", "The CPU is used, the fastest device found."],
  [
    "auto",
    ["cuda", "cpu"],
    { cuda: nothing },
    "cpu",
    "CUDA cannot be used here (Failed to load shared library), so the CPU is used.",
  ],
  [
    "auto",
    ["cuda", "webgpu"],
    { cuda: "None.", webgpu: "Neither." },
    "cpu",
    "CUDA cannot be used here (None) and WebGPU cannot be used here (Neither), so the CPU is used.",
  ],
  [
    "webgpu",
    ["cuda", "cpu"],
    { webgpu: noAdapter },
    "cpu",
    "WebGPU cannot be used here (Failed to get a WebGPU adapter: No supported adapters), so the CPU is used.",
  ],
];

test.each(rows)("%s of %j where %j fail: %s", async (asked, automatic, failing, device, deviceNote) => {
  const open = async (tried: Device) => {
    const message = failing[tried];
    if (message !== undefined) throw new Error(message);
    return `a session on ${tried}`;
  };
  expect(await openOnDevice(asked, automatic, open)).toEqual({
    opened: `a session on ${device}`,
    device,
    deviceNote,
  });
});

test("what the CPU cannot open is an error", async () => {
  const open = () => Promise.reject(new Error("not a model"));
  await expect(openOnDevice("webgpu", ["cpu"], open)).rejects.toThrow("not a model");
});
