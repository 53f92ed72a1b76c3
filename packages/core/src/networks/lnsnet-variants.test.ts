// The ablation's table: each row changes one field, is another network, and can be built.
import { describe, expect, test } from "vitest";
import { lnsnetDefaults, lnsnetNetwork } from "./lnsnet.js";
import { lnsnetVariantNames, lnsnetVariants } from "./lnsnet-variants.js";
import { profileNetwork } from "./profile.js";

const costOf = (configuration: typeof lnsnetDefaults) => {
  const { parameters, multiplyAdds } = profileNetwork({ name: "lnsnet", configuration }, [32, 32, 32]);
  return { parameters, multiplyAdds };
};

test("names are unique and fit for folders", () => {
  expect(new Set(lnsnetVariantNames).size).toBe(lnsnetVariantNames.length);
  for (const name of lnsnetVariantNames) expect(name).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
});

/** One channel, and nothing said of stations. */
const plain = { channels: 1, hasStations: false };

describe("of the default", () => {
  const variants = lnsnetVariants(lnsnetDefaults, plain);

  test("the issue's choices are there, without those that the default already is", () => {
    expect(variants.map(({ name }) => name)).toEqual([
      ...["full-convolution", "ratio-1-8", "ratio-1-2", "expansion-1", "expansion-4"],
      ...["pointwise-depthwise", "boundary-off", "separable-bottleneck", "separable-none"],
      ...["drop-path-0", "stem-half"],
    ]);
  });

  test.each(variants)(
    "$name changes one field, and more than stochastic depth changes the cost",
    (variant) => {
      const { change, configuration } = variant;
      const changed = Object.entries(configuration).filter(
        ([field, value]) => lnsnetDefaults[field as keyof typeof lnsnetDefaults] !== value,
      );
      expect(Object.fromEntries(changed)).toEqual(change);
      expect(changed).toHaveLength(1);
      const same = expect(costOf(configuration));
      if ("dropPath" in change) same.toEqual(costOf(lnsnetDefaults));
      else same.not.toEqual(costOf(lnsnetDefaults));
    },
  );
});

test("two streams need two channels, and stations need data that know them", () => {
  const more = (of: typeof plain) =>
    lnsnetVariants(lnsnetDefaults, of)
      .slice(11)
      .map(({ name, change, stationWeight }) => [name, change, stationWeight]);
  expect(more(plain)).toEqual([]);
  expect(more({ channels: 3, hasStations: false })).toEqual([]);
  expect(more({ channels: 2, hasStations: true })).toEqual([
    ["streams-2", { streams: 2 }, undefined],
    ["stations", {}, 0.2],
  ]);
});

test("another base is also varied to the default's values", () => {
  const names = lnsnetVariants(lnsnetNetwork.presets["lnsnet-half"], plain).map(({ name }) => name);
  expect(names).toContain("stem-full");
  expect(names).not.toContain("stem-half");
});
