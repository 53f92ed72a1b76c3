// Chooses the device that a model runs on, and describes the choice in a sentence.
import type { Device, DeviceChoice } from "./types.js";

const names: Readonly<Record<Device, string>> = { cpu: "the CPU", webgpu: "WebGPU", cuda: "CUDA" };

/**
 * Opens a session (or anything else) on the requested device, or on the CPU if that device is not available.
 *
 * @param autoDevices the devices that `auto` tries, the fastest first
 * @param open throws where the device is not available
 * @returns what was opened, the device, and a sentence that says which device is used and why
 * @throws what `open` throws for the CPU
 */
export async function openOnDevice<Opened>(
  asked: DeviceChoice,
  autoDevices: readonly Device[],
  open: (device: Device) => Promise<Opened>,
): Promise<{ opened: Opened; device: Device; deviceNote: string }> {
  const failures: string[] = [];
  for (const device of asked === "auto" ? autoDevices : [asked]) {
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
  return capitalised(asked === "auto" ? `${used}, the fastest device found.` : `${used}, as requested.`);
}

/** The message of an ONNX Runtime error, without the source code location that it begins with. */
function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message
    .replace(/^.*\bwas false\. /s, "")
    .trim()
    .replace(/\.$/, "");
}

const capitalised = (text: string) => text[0].toUpperCase() + text.slice(1);
