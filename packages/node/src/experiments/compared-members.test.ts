// What may be compared: names, and a patch that all take.
import { describe, expect, test } from "vitest";
import {
  comparedByDefault,
  comparedNetworks,
  comparedVariants,
  patchForAll,
  requirePatchForAll,
} from "./compared-members.js";

const plain = { channels: 1, hasStations: false };

test("by default every network is there once, LNSNet first", () => {
  const all = comparedNetworks(comparedByDefault);
  expect(all[0].name).toBe("lnsnet");
  expect(new Set(all.map(({ network }) => network.name)).size).toBe(all.length);
  expect(new Set(all.map(({ label }) => label)).size).toBe(all.length);
  expect(comparedByDefault).toEqual(
    expect.arrayContaining(["unet3d", "vnet", "unetr", "swin-unetr", "nnunet"]),
  );
});

test("a preset that is not a network's first says which it is", () => {
  expect(comparedNetworks(["lnsnet", "lnsnet-half"]).map(({ label }) => label)).toEqual([
    "LNSNet",
    "LNSNet (lnsnet-half)",
  ]);
});

test("variants stand behind their base, whose name is theirs no more", () => {
  const variants = comparedVariants("lnsnet", ["stem-half", "boundary-off"], plain);
  expect(variants.map(({ name }) => name)).toEqual(["lnsnet", "boundary-off", "stem-half"]);
  expect(variants[1].network.configuration).toMatchObject({ boundaryModule: false, stem: "full" });
});

test.each([
  [
    () => comparedNetworks(["lnsnet", "unet4d"]),
    /networks names "unet4d", which is none of them; give some of lnsnet,/,
  ],
  [() => comparedNetworks(["unet3d", "unet3d"]), /networks names unet3d twice/],
  [() => comparedVariants("unet3d", null, plain), /unet3d is no LNSNet/],
  [() => comparedVariants("lnsnet", ["expansion-2"], plain), /variants names "expansion-2"/],
])("what is no list of them is refused: %#", (make, message) => expect(make).toThrow(message));

describe("the patch", () => {
  const all = comparedNetworks(["lnsnet", "unet2d", "unetr", "swin-unetr"]);

  test("is the next larger that all take", () => {
    expect(patchForAll(all, [64, 48, 48])).toEqual([64, 64, 64]);
    expect(patchForAll(all.slice(0, 1), [64, 48, 48])).toEqual([64, 48, 48]);
    expect(patchForAll(all.slice(0, 2), [7, 9, 16])).toEqual([8, 16, 16]);
  });

  test("that one does not take is refused with its name and a patch that all take", () => {
    expect(() => requirePatchForAll(all, [64, 48, 48])).toThrow(
      "The patch is 64,48,48 voxels, and Swin UNETR needs multiples of 32 voxels (swin-unetr); give the option patch 64,64,64, which all that are compared take.",
    );
    expect(() => requirePatchForAll(all, [32, 64, 32])).not.toThrow();
  });
});
