import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { allows, type Scope, Tokens } from "./tokens.js";

let folder = "";
let path = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "lnsnet-tokens-"));
  path = join(folder, "data/tokens.json");
});
afterEach(() => rm(folder, { recursive: true }));

describe("tokens", () => {
  test("are known by their hashes, which alone are kept, for nobody else to read", async () => {
    const tokens = await Tokens.open(path);
    const token = await tokens.create("Dr Gray", "view", null);
    expect(tokens.identify(token)).toEqual({ name: "Dr Gray", scope: "view" });
    expect(tokens.identify(`${token}x`)).toBeNull();
    expect(await readFile(path, "utf8")).not.toContain(token);
    expect((await stat(path)).mode & 0o077).toBe(0);
  });

  test("that another process makes or removes are known at once", async () => {
    const [service, command] = [await Tokens.open(path), await Tokens.open(path)];
    const token = await command.create("ward", "submit", null);
    expect(service.identify(token)).toEqual({ name: "ward", scope: "submit" });
    await service.create("reader", "view", null);
    await command.remove("ward");
    expect(service.identify(token)).toBeNull();
    expect(service.list().map(({ name }) => name)).toEqual(["reader"]);
  });

  test("end after their days", async () => {
    let now = new Date("2026-01-01T00:00:00Z");
    const tokens = await Tokens.open(path, () => now);
    const token = await tokens.create("guest", "view", 2);
    now = new Date("2026-01-02T23:59:59Z");
    expect(tokens.identify(token)).not.toBeNull();
    now = new Date("2026-01-03T00:00:00Z");
    expect(tokens.identify(token)).toBeNull();
  });

  test("of a damaged file let nobody in, and end the next start with a sentence", async () => {
    const tokens = await Tokens.open(path);
    const token = await tokens.create("a", "administer", null);
    await writeFile(path, "{");
    expect(tokens.identify(token)).toBeNull();
    await expect(Tokens.open(path)).rejects.toThrow(/is not JSON/);
  });

  test.each(["", "a\nb", "x".repeat(65), "<b>"])("cannot be called %j", async (name) => {
    await expect((await Tokens.open(path)).create(name, "view", null)).rejects.toThrow(/cannot be called/);
  });

  test.each<[Scope, Scope, boolean]>([
    ["view", "view", true],
    ["view", "submit", false],
    ["submit", "view", true],
    ["submit", "administer", false],
    ["administer", "view", true],
  ])("%s does what needs %s: %s", (scope, needed, expected) => {
    expect(allows({ name: "a", scope }, needed)).toBe(expected);
  });
});
