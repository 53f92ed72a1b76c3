// Training, segmenting and exporting as a user does them, at the smallest size: the built code, outside the test's process.
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readNifti, readSafetensors, writeNifti, writeSafetensors } from "@lnsnet/core/formats";
import { inferenceModel, networkPresets } from "@lnsnet/core/networks";
import type { TrainingHistory } from "@lnsnet/core/training";
import { sameGeometry, type Volume } from "@lnsnet/core/volume";
import { loadModel } from "@lnsnet/node/files";
import ort from "onnxruntime-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type BoxPatient, boxGeometry, boxPatient, writeBoxes } from "../../node/src/boxes.test-helper.js";
import { bin, type LnsnetSession, lnsnetIn, lnsnetSession, run } from "./command.test-helper.js";

let folder = "";
let session: LnsnetSession;
const lnsnet = (tokens: readonly string[]) => session.run(...tokens);

const writeDataset = (name: string, cases: readonly BoxPatient[]) => writeBoxes(join(folder, name), cases);

const settings = [
  ...["--network", "lnsnet-small", "--patch", "16,16,16", "--spacing", "1,1,1.5"],
  ...["--validation-cases", "1", "--validate-every", "30", "--threads", "1", "--seed", "3"],
];
const training = (output: string, ...more: string[]) => [
  ...["train", "boxes", "--output", output, "--steps", "80", ...settings],
  ...more,
];

/** What a run has seen, without the time it took. */
async function historyOf(run: string): Promise<TrainingHistory> {
  const path = join(folder, run, "state.safetensors");
  const { metadata } = readSafetensors(await readFile(path), path);
  return { ...JSON.parse(metadata.history), seconds: 0 };
}

/** The log's entries, without times. */
async function logOf(run: string): Promise<object[]> {
  const lines = (await readFile(join(folder, run, "log.jsonl"), "utf8")).trim().split("\n");
  return lines.map((line) => ({ ...JSON.parse(line), seconds: 0, waitedSeconds: 0 }));
}

const tensorsOf = async (path: string) => readSafetensors(await readFile(join(folder, path)), path).tensors;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lnsnet-training-"));
  session = lnsnetSession(folder);
  const cases = [0, 1, 2, 3, 4].map(boxPatient);
  await writeDataset("boxes", cases);
  await writeFile(join(folder, "scan.nii.gz"), writeNifti(boxPatient(7).image));
  await writeFile(join(folder, "truth.nii.gz"), writeNifti(boxPatient(7).label));
  const { code, stderr } = await lnsnet(training("whole"));
  expect(code, stderr).toBe(0);
});
afterAll(() => {
  session.end();
  return rm(folder, { recursive: true });
});

describe("lnsnet train", () => {
  test("leaves models, a state, logs and a curve, and nothing half-written", async () => {
    const names = (await readdir(join(folder, "whole"))).map((name) => name.replace(/\d+\.\d+$/, "TIME"));
    expect(names.sort()).toEqual([
      "best.safetensors",
      "curve.svg",
      "data.json",
      "events.out.tfevents.TIME",
      "log.jsonl",
      "model.safetensors",
      "state.safetensors",
      "training.json",
    ]);
    const lines = (await readFile(join(folder, "whole/log.jsonl"), "utf8")).trim().split("\n");
    const entries = lines.map((line) => JSON.parse(line));
    expect(entries.filter((entry) => "loss" in entry)).toHaveLength(8);
    expect(entries.filter((entry) => "validationDsc" in entry).map((entry) => entry.step)).toEqual([
      30, 60, 80,
    ]);
  });

  test("stopped or killed, and resumed, gives bit for bit what a training gives that never stopped", async () => {
    let sent = false;
    const stopped = await lnsnetIn(folder, training("stopped"), (stderr, interrupt) => {
      if (sent || !stderr.includes("train 1/80")) return;
      sent = true;
      interrupt();
    });
    expect(stopped.code, stopped.stderr).toBe(130);
    const step = Number(/stopped after step (\d+)/.exec(stopped.stderr)?.[1]);
    expect(step).toBeGreaterThan(0);
    expect(step).toBeLessThan(80);
    // As a kill leaves it: the last state saved is older than the logs and the best weights.
    await cp(join(folder, "whole"), join(folder, "killed"), { recursive: true });
    await cp(join(folder, "stopped/state.safetensors"), join(folder, "killed/state.safetensors"));
    for (const run of ["stopped", "killed"]) {
      const resumed = await lnsnet(training(run, "--resume"));
      expect(resumed.code, resumed.stderr).toBe(0);
      for (const name of ["model", "state", "best"])
        expect(await tensorsOf(`${run}/${name}.safetensors`)).toEqual(
          await tensorsOf(`whole/${name}.safetensors`),
        );
      expect(await historyOf(run)).toEqual(await historyOf("whole"));
      expect(await logOf(run)).toEqual(await logOf("whole"));
    }
  });

  test.runIf(process.platform === "linux")("keeps the last good state where the disk is full", async () => {
    await cp(join(folder, "whole"), join(folder, "full"), { recursive: true });
    const path = join(folder, "full/state.safetensors");
    const state = await readFile(path);
    // A limit on the size of files, below a state's, stands for it: the same path through the code, and no need for a disk.
    const command = `ulimit -f 1000; exec "${process.execPath}" "${bin}" ${training("full", "--resume").join(" ")}`;
    const { code, stderr } = await run(folder, "bash", ["-c", command]);
    expect(stderr).toMatch(/full\/state\.safetensors cannot be written, since the disk or quota is full/);
    expect(code).toBe(2);
    expect(await readFile(path)).toEqual(state);
    expect((await readdir(join(folder, "full"))).filter((name) => name.includes(".partial"))).toEqual([]);
  });

  test("keeps the averaged weights of the best validation", async () => {
    const { validation } = await historyOf("whole");
    const best = validation.reduce((a, b) => (b.dsc > a.dsc ? b : a));
    expect((await loadModel(join(folder, "whole/best.safetensors"))).steps).toBe(best.step);
  });

  test("stops when its patience ends, and stays stopped", async () => {
    // At a learning rate of next to nothing no validation is better than the first.
    const tokens = training("patient", "--patience", "2", "--validate-every", "5", "--learning-rate", "1e-8");
    const { code, stdout, stderr } = await lnsnet([...tokens, "--json"]);
    expect(code, stderr).toBe(0);
    const { steps, best_validation_dsc } = JSON.parse(stdout);
    const { validation } = await historyOf("patient");
    expect(steps).toBeLessThan(80);
    expect(validation.at(-1)?.step).toBe(steps);
    expect(Math.max(...validation.slice(-2).map(({ dsc }) => dsc))).toBeLessThanOrEqual(best_validation_dsc);
    const again = await lnsnet([...tokens, "--json", "--resume"]);
    expect(JSON.parse(again.stdout).steps).toBe(steps);
  });

  test("goes on from given weights, of the head alone where asked", async () => {
    const { code, stderr } = await lnsnet([
      ...["train", "boxes", "--output", "tuned", "--steps", "3", ...settings],
      ...["--weights", "whole/model.safetensors", "--train", "head"],
    ]);
    expect(code, stderr).toBe(0);
    const before = await tensorsOf("whole/model.safetensors");
    for (const [name, { data }] of await tensorsOf("tuned/model.safetensors")) {
      const same = expect(data, name);
      if (/^(head|boundary)\./.test(name)) same.not.toEqual(before.get(name)?.data);
      else same.toEqual(before.get(name)?.data);
    }
    const unlike = await lnsnet([
      ...["train", "boxes", "--output", "tuned", "--steps", "3", ...settings, "--resume"],
    ]);
    expect(unlike.code).toBe(2);
    expect(unlike.stderr).toMatch(/state\.safetensors was written by a run with other settings/);
  });

  test("trains on one fold, and validates on none of the cases it will be tested on", async () => {
    const splits = [{ train: ["box_0", "box_2", "box_3", "box_4"], val: ["box_1"] }];
    await writeFile(join(folder, "splits_final.json"), JSON.stringify(splits));
    const { code, stderr } = await lnsnet([
      ...["train", "boxes", "--output", "fold", "--steps", "1", ...settings],
      ...["--splits", "splits_final.json", "--fold", "0"],
    ]);
    expect(code, stderr).toBe(0);
    const { metadata } = readSafetensors(await readFile(join(folder, "fold/state.safetensors")), "fold");
    const run = JSON.parse(metadata.run);
    expect([...run.training, ...run.validation].sort()).toEqual(splits[0].train);
    expect(run.validation).toHaveLength(1);
    expect(stderr).toContain("trains on 3 scans of 3 patients, validates on 1 scan of 1 patient\n");
    const record = JSON.parse(await readFile(join(folder, "fold/training.json"), "utf8"));
    expect(record).toMatchObject({
      state: "finished",
      dataset: "boxes",
      foreground: "box",
      trained_on: { patients: 3, scans: run.training },
      watched_by: { patients: 1, scans: run.validation },
      working_spacing_mm: [1, 1, 1.5],
      window_hu: [-160, 240],
      threshold: 0.5,
      steps: { asked: 1, done: 1 },
      validation: { every_steps: 30, patience: 0 },
      seed: 3,
    });
    expect(record.validation.best).toMatchObject({ step: 1 });
    expect(Object.keys(record.versions)).toEqual(["lnsnet", "git", "node", "onnxruntime_node"]);
  });

  test("begins in a folder of its own, or where it is told to", async () => {
    const before = await readFile(join(folder, "whole/model.safetensors"));
    const again = await lnsnet(training("whole"));
    expect(again.code).toBe(2);
    expect(again.stderr).toMatch(/whole holds a training already; give --resume .*, --force /);
    expect(await readFile(join(folder, "whole/model.safetensors"))).toEqual(before);
    const nothing = await lnsnet(training("nothing", "--resume"));
    expect(nothing.code).toBe(2);
    expect(nothing.stderr).toMatch(/nothing holds no training to go on with; leave --resume out/);
    const both = await lnsnet(training("whole", "--resume", "--force"));
    expect(both.stderr).toMatch(/give one of the two/);
    await cp(join(folder, "whole"), join(folder, "anew"), { recursive: true });
    const anew = await lnsnet(training("anew", "--force", "--steps", "2", "--seed", "4"));
    expect(anew.code, anew.stderr).toBe(0);
    expect((await historyOf("anew")).validation.map(({ step }) => step)).toEqual([2]);
  });

  test("goes on to more steps from a finished run, and not to fewer than it has done", async () => {
    await cp(join(folder, "whole"), join(folder, "longer"), { recursive: true });
    const longer = await lnsnet(training("longer", "--resume", "--steps", "90"));
    expect(longer.code, longer.stderr).toBe(0);
    expect(longer.stderr).toMatch(
      /going on after step 80; from here the learning rate is that of a training of 90 steps/,
    );
    const { steps, validation } = await historyOf("longer");
    expect(steps.at(-1)?.step).toBe(90);
    expect(validation.map(({ step }) => step)).toEqual([30, 60, 80, 90]);
    const fewer = await lnsnet(training("longer", "--resume"));
    expect(fewer.code).toBe(2);
    expect(fewer.stderr).toMatch(/has done 90 steps, and --steps is 80/);
  });

  test("ends after its minutes, which a resumed run has spent", async () => {
    const timed = (...more: string[]) => [
      ...["train", "boxes", "--output", "timed", "--minutes", "0.03", ...settings],
      ...more,
    ];
    const { code, stderr } = await lnsnet(timed());
    expect(code, stderr).toBe(0);
    const record = async () => JSON.parse(await readFile(join(folder, "timed/training.json"), "utf8"));
    const { steps, minutes, state } = await record();
    expect({ minutes, state, asked: steps.asked }).toEqual({ minutes: 0.03, state: "finished", asked: null });
    const lines = (await readFile(join(folder, "timed/log.jsonl"), "utf8")).trim().split("\n");
    const last = lines.map((line) => JSON.parse(line)).findLast(({ seconds }) => seconds !== undefined);
    expect(last.step).toBe(steps.done);
    expect(last.seconds).toBeGreaterThanOrEqual(1.8);
    // At the end of its time the learning rate has fallen to about a hundredth.
    expect(last.learningRate).toBeLessThan(0.0005);
    expect((await lnsnet(timed("--resume"))).code).toBe(0);
    expect((await record()).steps.done).toBe(steps.done);
  });

  test("is not resumed on other images or labels, and is on copies of the same", async () => {
    await cp(join(folder, "boxes"), join(folder, "edited"), { recursive: true });
    const command = (...more: string[]) => [
      ...["train", "edited", "--output", "on-edited", "--steps", "1", ...settings, "--validate-every", "0"],
      ...more,
    ];
    expect((await lnsnet(command())).code).toBe(0);
    const label = join(folder, "edited/labelsTr/box_1.nii.gz");
    const content = await readFile(label);
    await writeFile(label, await readFile(join(folder, "edited/labelsTr/box_2.nii.gz")));
    const state = await readFile(join(folder, "on-edited/state.safetensors"));
    const changed = await lnsnet(command("--resume"));
    expect(changed.code).toBe(2);
    expect(changed.stderr).toMatch(/on-edited was begun with other content of box_1 \(label\)/);
    expect(await readFile(join(folder, "on-edited/state.safetensors"))).toEqual(state);
    // The old content with a new time of change.
    await writeFile(label, content);
    const same = await lnsnet(command("--resume"));
    expect(same.code, same.stderr).toBe(0);
  });

  test("is resumed by the same settings only", async () => {
    const { code, stderr } = await lnsnet(training("whole", "--resume", "--learning-rate", "0.01"));
    expect(code).toBe(2);
    expect(stderr).toMatch(/state\.safetensors was written by a run with other settings/);
  });
});

describe("lnsnet predict", () => {
  test("finds the box of a new scan, in the scan's own grid", async () => {
    const tokens = ["predict", "scan.nii.gz", "--model", "whole/model.safetensors", "--output", "masks"];
    const { code, stdout, stderr } = await lnsnet([...tokens, "--json", "--minimum-volume", "0.1"]);
    expect(code, stderr).toBe(0);
    const { mask, nodes, model } = JSON.parse(stdout);
    expect(model).toMatchObject({ trained_on: "boxes", network: "lnsnet", steps: 80 });
    const { image, label } = boxPatient(7);
    const found = readNifti(await readFile(join(folder, mask)), mask);
    expect(sameGeometry(found, image)).toBe(true);
    let both = 0;
    let either = 0;
    label.data.forEach((value, n) => {
      both += value & found.data[n];
      either += value + found.data[n];
    });
    expect((2 * both) / either).toBeGreaterThan(0.8);
    expect(nodes).toHaveLength(1);
    // The middle of the box, 6 × 6 × 6 voxels from index (13, 7, 6), through the directions of the grid.
    const [i, j, k] = [13 + 2.5, 7 + 2.5, 6 + 2.5];
    const centre = [-30 - j, 12 + i, 100 - 1.5 * k];
    nodes[0].centroid_lps_mm.forEach((value: number, axis: number) => {
      expect(Math.abs(value - centre[axis])).toBeLessThan(1);
    });
  });

  test("uses the shipped model where none is named, and says what it was trained on", async () => {
    const { code, stderr, stdout } = await lnsnet([
      ...["predict", "scan.nii.gz", "--output", "shipped", "--json", "--no-pictures"],
    ]);
    expect(code, stderr).toBe(0);
    expect(stderr).toMatch(/the shipped finder is used; it was trained on .*phantom/);
    expect(JSON.parse(stdout).model.trained_on).toMatch(/phantom/);
    expect(await readdir(join(folder, "shipped"))).toEqual(["scan.csv", "scan.json", "scan.nii.gz"]);
  });
});

describe("lnsnet export", () => {
  test("writes an ONNX file that ONNX Runtime alone runs to the same logits, with its metadata", async () => {
    const tokens = ["export", "--model", "whole/model.safetensors", "--output", "boxes.onnx"];
    const { code, stdout, stderr } = await lnsnet([...tokens, "--json"]);
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      patch_size: "16,16,16",
      spacing_mm: "1,1,1.5",
      window_hu: "-160,240",
      labels: JSON.stringify({ background: 0, box: 1 }),
      trained_on: "boxes",
      use: "research use only",
    });
    const { plan, weights } = await loadModel(join(folder, "whole/model.safetensors"));
    const shape = [1, 1, 16, 16, 16];
    const image = new ort.Tensor(
      "float32",
      Float32Array.from({ length: 4096 }, (_, n) => Math.sin(n)),
      shape,
    );
    const exported = await ort.InferenceSession.create(join(folder, "boxes.onnx"));
    const ours = await ort.InferenceSession.create(inferenceModel(plan.network, shape, weights));
    const [{ logits }, expected] = [await exported.run({ image }), await ours.run({ image })];
    const values = (logits.data as Float32Array).entries();
    const gap = Array.from(values, ([n, value]) => Math.abs(value - Number(expected.logits.data[n])));
    expect(Math.max(...gap)).toBeLessThan(1e-4);
    const text = (await readFile(join(folder, "boxes.onnx"))).toString("latin1");
    for (const key of ["patch_size", "spacing_mm", "window_hu", "labels", "research use only"])
      expect(text).toContain(key);
  });

  test("in half precision is a model that predicts the same", async () => {
    const tokens = ["export", "--model", "whole/model.safetensors", "--output", "half.safetensors"];
    expect((await lnsnet(tokens)).code).toBe(0);
    const half = await loadModel(join(folder, "half.safetensors"));
    const whole = await loadModel(join(folder, "whole/model.safetensors"));
    for (const [name, weights] of whole.weights) {
      const gaps = half.weights
        .get(name)
        ?.map((value, n) => Math.abs(value - weights[n]) / Math.max(1e-3, Math.abs(weights[n])));
      expect(
        gaps?.reduce((a, b) => Math.max(a, b), 0),
        name,
      ).toBeLessThanOrEqual(1e-3);
    }
  });
});

describe("what cannot be used ends with code 2, one sentence, and nothing written", () => {
  const train = (dataset: string, ...more: string[]) => [
    ...["train", dataset, "--output", "refused", "--steps", "1", ...settings],
    ...more,
  ];
  const shifted = (volume: Volume<Uint8Array>): Volume<Uint8Array> => ({ ...volume, originMm: [0, 0, 0] });
  const rows: [string, () => Promise<string[]>, RegExp][] = [
    ["no such data set", async () => train("nowhere"), /nowhere does not exist/],
    [
      "an empty data set",
      async () => {
        await writeDataset("empty", []);
        return train("empty");
      },
      /imagesTr holds no image/,
    ],
    [
      "an image and a label of different geometry",
      async () => {
        const { image, label } = boxPatient(0);
        await writeDataset("moved", [{ image, label: shifted(label) }, boxPatient(1)]);
        return train("moved");
      },
      /box_0\.nii\.gz .* does not have the same geometry as its image/,
    ],
    [
      "a label with a value that dataset.json does not name",
      async () => {
        const { image, label } = boxPatient(0);
        await writeDataset("seven", [
          { image, label: { ...label, data: label.data.map((v) => 7 * v) } },
          boxPatient(1),
        ]);
        return train("seven");
      },
      /box_0\.nii\.gz holds the value 7/,
    ],
    [
      "an image with NaN",
      async () => {
        const { image, label } = boxPatient(0);
        const data = Float32Array.from(image.data);
        data[100] = Number.NaN;
        await writeDataset("nan", [boxPatient(1)]);
        await writeFile(join(folder, "nan/imagesTr/box_0_0000.nii.gz"), writeNifti({ ...boxGeometry, data }));
        await writeFile(join(folder, "nan/labelsTr/box_0.nii.gz"), writeNifti(label));
        return train("nan", "--validation-cases", "0");
      },
      /box_0_0000\.nii\.gz holds 1 NaN or infinite voxel/,
    ],
    [
      "a state that is cut short",
      async () => {
        await mkdir(join(folder, "cut"), { recursive: true });
        await cp(join(folder, "whole/data.json"), join(folder, "cut/data.json"));
        const whole = await readFile(join(folder, "whole/state.safetensors"));
        await writeFile(join(folder, "cut/state.safetensors"), whole.subarray(0, whole.length / 2));
        return training("cut", "--resume");
      },
      /cut\/state\.safetensors/,
    ],
    [
      "a state whose history is damaged",
      async () => {
        const { tensors, metadata } = readSafetensors(
          await readFile(join(folder, "whole/state.safetensors")),
          "whole",
        );
        await mkdir(join(folder, "damaged"), { recursive: true });
        await cp(join(folder, "whole/data.json"), join(folder, "damaged/data.json"));
        const bytes = writeSafetensors(tensors, { ...metadata, history: metadata.history.slice(0, 40) });
        await writeFile(join(folder, "damaged/state.safetensors"), bytes);
        return training("damaged", "--resume");
      },
      /damaged\/state\.safetensors is damaged: its record of finished steps cannot be read/,
    ],
    [
      "weights of another network to begin from",
      async () => [...train("boxes"), "--network", "lnsnet", "--weights", "whole/model.safetensors"],
      /whole\/model\.safetensors holds weights of another network: .* give a model of the same network \(--network\)/,
    ],
    [
      "weights that lie in the place of the new ones",
      async () => {
        await mkdir(join(folder, "again"), { recursive: true });
        for (const name of ["data.json", "model.safetensors"])
          await cp(join(folder, "whole", name), join(folder, "again", name));
        return training("again", "--force", "--weights", "again/model.safetensors");
      },
      /again\/model\.safetensors is an input of this command/,
    ],
    [
      "the head alone, of random weights",
      async () => train("boxes", "--train", "head"),
      /give a model with --weights/,
    ],
    [
      "patience without validation",
      async () => train("boxes", "--patience", "3", "--validate-every", "0"),
      /nothing is validated/,
    ],
    [
      "a variation that there is none of",
      async () => train("boxes", "--without", "blur,twirl"),
      /names "twirl"/,
    ],
    [
      "a fold without a file of folds",
      async () => train("boxes", "--fold", "0"),
      /--fold is given without --splits/,
    ],
    [
      "a fold of unknown cases",
      async () => {
        await writeFile(join(folder, "foreign.json"), '[{"train": ["box_0"], "val": ["box_9"]}]');
        return train("boxes", "--splits", "foreign.json", "--fold", "0");
      },
      /Fold 0 of foreign\.json names a case .* such as box_9/,
    ],
    [
      "a patch larger than every scan",
      async () => train("boxes", "--patch", "16,16,32"),
      /patch is 16,16,32 voxels, and the largest of the training scans has 18,24,20/,
    ],
    [
      "a patch that the network cannot halve",
      async () => train("boxes", "--patch", "15,16,16"),
      /needs multiples of 4/,
    ],
    [
      "a training's state in the place of a model",
      async () => ["predict", "scan.nii.gz", "--model", "whole/state.safetensors", "--output", "refused"],
      /is a training state, and a model is expected/,
    ],
    [
      "weights of another network",
      async () => {
        const path = join(folder, "whole/model.safetensors");
        const { tensors, metadata } = readSafetensors(await readFile(path), path);
        const plan = { ...JSON.parse(metadata.plan), network: networkPresets.lnsnet };
        await writeFile(
          join(folder, "other.safetensors"),
          writeSafetensors(tensors, { ...metadata, plan: JSON.stringify(plan) }),
        );
        return ["predict", "scan.nii.gz", "--model", "other.safetensors", "--output", "refused"];
      },
      /it is the file of another network/,
    ],
    [
      "a model that is cut short",
      async () => {
        const whole = await readFile(join(folder, "whole/model.safetensors"));
        await writeFile(join(folder, "cut.safetensors"), whole.subarray(0, whole.length - 9));
        return ["predict", "scan.nii.gz", "--model", "cut.safetensors", "--output", "refused"];
      },
      /cut\.safetensors/,
    ],
  ];
  test.each(rows)("%s", async (_, prepare, message) => {
    const { code, stdout, stderr } = await lnsnet(await prepare());
    const sentences = stderr.split("\n").filter((line) => line.startsWith("lnsnet: "));
    expect(sentences.join("\n")).toMatch(message);
    expect(sentences).toHaveLength(1);
    expect(stderr).not.toMatch(/\n\s+at /);
    expect(code).toBe(2);
    expect(stdout).toBe("");
    const left = await readdir(join(folder, "refused")).catch(() => []);
    expect(left).toEqual([]);
  });
});
