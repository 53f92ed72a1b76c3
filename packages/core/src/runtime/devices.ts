// Which device a model runs on, and how that is said.
import type { Device, DeviceChoice } from "./types.js";

const names: Readonly<Record<Device, string>> = { cpu: "the CPU", webgpu: "WebGPU", cuda: "CUDA" };

/**
 * Opens something on the device asked for, or else on the CPU.
 *
 * @param automatic what `auto` stands for, the fastest first
 * @param open throws where the device cannot be had
 * @returns what was opened, the device, and a sentence that says which one is used and why
 * @throws what `open` throws for the CPU
 */
export async function openOnDevice<Opened>(
  asked: DeviceChoice,
  automatic: readonly Device[],
  open: (device: Device) => Promise<Opened>,
): Promise<{ opened: Opened; device: Device; deviceNote: string }> {
  const failures: string[] = [];
  for (const device of asked === "auto" ? automatic : [asked]) {
    if (device === "cpu") break;
    try {
      return { opened: await open(device), device, deviceNote: sentence(device, asked, failures) };
    } catch (error) {
      failures.push(`${names[device]} cannot be used here (${reasonOf(error)})`);
    }
  }
  return { opened: await open("cpu"), device: "cpu", deviceNote: sentence("cpu", asked, failures) };
}

function sentence(device: Device, asked: DeviceChoice, failures: readonly string[]): string {
  const used = `${names[device]} is used`;
  if (failures.length > 0) return `${failures.join(" and ")}, so ${used}.`;
  return capitalised(asked === "auto" ? `${used}, the fastest device found.` : `${used}, as asked.`);
}

/** What an error of ONNX Runtime says, without the place in its source code that it begins with. */
function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message
    .replace(/^.*\bwas false\. /s, "")
    .trim()
    .replace(/\.$/, "");
}

const capitalised = (text: string) => text[0].toUpperCase() + text.slice(1);
