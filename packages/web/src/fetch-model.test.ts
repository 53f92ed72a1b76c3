import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { InputError } from "@lnsnet/core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { fetchModel } from "./fetch-model.js";

const shipped = readFileSync(fileURLToPath(new URL("../../models/finder.safetensors", import.meta.url)));
const served: Readonly<Record<string, Uint8Array>> = {
  "/model.safetensors": shipped,
  "/page.html": Buffer.from("<!doctype html><title>No model</title>"),
};
let server: Server;
let origin: string;

beforeAll(async () => {
  server = createServer(({ url = "" }, response) => {
    response.statusCode = url in served ? 200 : 404;
    response.end(served[url]);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => server.close());

test("the shipped model is read from its address", async () => {
  const { plan } = await fetchModel(`${origin}/model.safetensors`);
  expect(plan.dataLabel).toContain("phantom");
});

test.each([
  ["nothing is there", () => `${origin}/nothing`, /status 404; give the address of a model\.$/],
  ["a page is there", () => `${origin}/page.html`, /page\.html .+\.$/],
  ["nobody answers", () => "http://127.0.0.1:1/model", /cannot be fetched; check the address/],
])("where %s, one sentence says so", async (_, url, sentence) => {
  const outcome = fetchModel(url());
  await expect(outcome).rejects.toThrow(InputError);
  await expect(outcome).rejects.toThrow(sentence);
});

test("a signal stops it with its reason", async () => {
  const reason = new Error("The page was left.");
  await expect(fetchModel(`${origin}/model.safetensors`, AbortSignal.abort(reason))).rejects.toBe(reason);
});
