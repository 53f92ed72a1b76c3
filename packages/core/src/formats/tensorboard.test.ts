// Event files: byte for byte those of TensorBoard's own writer.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { crc32c, fileVersionRecord, restartRecord, scalarsRecord } from "./tensorboard.js";

test.each([
  ["", 0],
  // The check value of the CRC catalogue, and the examples of RFC 3720, B.4.
  ["313233343536373839", 0xe3069283],
  ["00".repeat(32), 0x8a9136aa],
  ["ff".repeat(32), 0x62a8ab43],
])("the CRC-32C of %s", (hex, expected) => {
  expect(crc32c(Buffer.from(hex, "hex"))).toBe(expected);
});

test("the records are those that TensorBoard itself writes", () => {
  const records = [
    fileVersionRecord(1.7e9),
    restartRecord({ wallTimeSeconds: 1.7e9 + 0.25, step: 301 }),
    scalarsRecord(
      { wallTimeSeconds: 1.7e9 + 1.5, step: 310 },
      { loss: 0.75, norm: 1e-3, learning_rate: 0.001 },
    ),
    scalarsRecord({ wallTimeSeconds: 1.7e9 + 2, step: 2 ** 33 }, { "validation/dsc": 0 }),
  ];
  const stored = readFileSync(
    new URL("../../../../fixtures/tensorboard/scalars.tfevents", import.meta.url),
  ).toString("hex");
  expect(Buffer.concat(records).toString("hex")).toBe(stored);
});
