// npm run bench and npm run check: the table of what can be run, each loaded only when it is asked for.
import { InputError } from "@lnsnet/core";
import { textTable } from "@lnsnet/core/reports";

/** A benchmark or a check: a module that does its work when it is loaded, with the words that follow its name. */
interface Script {
  readonly name: string;
  /** What it measures or checks, and what it needs beside this checkout. */
  readonly about: string;
  readonly load: () => Promise<unknown>;
}

const benches: readonly Script[] = [
  {
    name: "network",
    about: "LNSNet's forward pass and training step, beside PyTorch where a Python with torch is found",
    load: () => import("./network-speed.js"),
  },
  {
    name: "scan",
    about: "a whole neck CT and a click, beside PyTorch where a Python with torch is found",
    load: () => import("./scan-speed.js"),
  },
  {
    name: "wide",
    about: "a planning CT from head to chest, of 512×512×186 voxels",
    load: () => import("./wide-speed.js"),
  },
  {
    name: "costs",
    about:
      "parameters, work, time and memory of every network, beside PyTorch where it is found; an hour and more",
    load: () => import("./costs.js"),
  },
  {
    name: "voxels",
    about: "components, distances, resampling, measurement; beside SciPy where it is found; 6 GB of memory",
    load: () => import("./voxels.js"),
  },
  {
    name: "metrics",
    about: "every metric of a pair of masks, beside SciPy where it is found; 5 GB of memory",
    load: () => import("./metrics.js"),
  },
  {
    name: "augmentation",
    about: "what each augmentation costs a patch, and a picture of what it does",
    load: () => import("./augmentation.js"),
  },
  {
    name: "dicom",
    about: "time and memory to read a DICOM CT series; needs its folder",
    load: () => import("./read-dicom.js"),
  },
  {
    name: "what-helped",
    about: "what each kind of training data adds to a finder; needs CT scans without labels, and hours",
    load: () => import("./what-helped.js"),
  },
  {
    name: "look-alikes",
    about:
      "not timed: masks of what a finder mistook, for the next training; needs a cohort of lnsnet implant",
    load: () => import("./look-alikes.js"),
  },
  {
    name: "viewer",
    about: "what a person waits for in the viewer, its longest tasks and its weight; needs Chromium, 6 GB",
    load: () => import("./viewer-speed.js"),
  },
  {
    name: "viewer-pictures",
    about: "pictures of the viewer, made anew; needs Chromium",
    load: () => import("./viewer-pictures.js"),
  },
];

const checks: readonly Script[] = [
  {
    name: "gradients",
    about: "every gradient of the default LNSNet against PyTorch's; needs a Python with torch",
    load: () => import("./gradients.js"),
  },
  {
    name: "peers",
    about:
      "the compared networks against their authors' PyTorch modules; needs a Python with torch, and their clones",
    load: () => import("./peers.js"),
  },
  {
    name: "settings",
    about: "how far masks differ by threads, searched part and overlap; needs a data set",
    load: () => import("./settings.js"),
  },
  {
    name: "clicks",
    about: "every structure of a data set clicked, and again where it was wrong; needs a data set",
    load: () => import("./clicks.js"),
  },
  {
    name: "cohort",
    about: "a cohort of the paper's size generated, fingerprinted, evaluated; ten minutes and 3 GB",
    load: () => import("./cohort.js"),
  },
  {
    name: "resume",
    about: "a cross-validation killed and started again ends in the same bytes; about 25 minutes",
    load: () => import("./resume.js"),
  },
  {
    name: "kills",
    about: "commands that write folders, killed and started again, end in the same bytes; an hour or more",
    load: () => import("./kills.js"),
  },
  {
    name: "image-steps",
    about: "what deploy/Dockerfile does, in a clean folder without Docker; three minutes",
    load: () => import("./image-steps.js"),
  },
  {
    name: "load",
    about:
      "the service under load, with workers, Redis and receiver killed; needs redis-server and dcmtk, 15 minutes",
    load: () => import("./load.js"),
  },
  {
    name: "fuzz",
    about: "damaged files of every format end neither in a stack trace nor in full memory",
    load: () => import("./fuzz.js"),
  },
  {
    name: "licences",
    about: "every dependency with its licence and install script",
    load: () => import("./licences.js"),
  },
  {
    name: "uploads",
    about: "damaged uploads by every way into the service, 10,000 by each",
    load: () => import("./uploads.js"),
  },
  {
    name: "exports",
    about: "other tools read the masks that we write; needs a Python with pydicom, nibabel and matplotlib",
    load: () => import("./exports.js"),
  },
  {
    name: "region",
    about: "the neck found in real scans; needs the folder of the scans",
    load: () => import("./region.js"),
  },
  {
    name: "real-necks",
    about: "what a model finds on real necks, with pictures; needs the folder of the scans",
    load: () => import("./real-necks.js"),
  },
  {
    name: "proposals",
    about: "the share of nodes that a coarse network proposes; needs a data set and the network's model",
    load: () => import("./proposals.js"),
  },
  {
    name: "nnunet",
    about:
      "models of nnU-Net's structure on a whole scan against PyTorch's probabilities; needs a CT and a Python with torch and scipy",
    load: () => import("./nnunet.js"),
  },
  {
    name: "weights",
    about: "LNSNet's weights in PyTorch, and PyTorch's in ours, by name; needs a Python with torch",
    load: () => import("./weights.js"),
  },
  {
    name: "realism",
    about:
      "whether a network tells implanted nodes from a host's own tissue; needs a cohort of lnsnet implant",
    load: () => import("./realism.js"),
  },
  {
    name: "viewer-folders",
    about: "DICOM folders in the viewer's page against the library, by pixels; needs the folder of the scans",
    load: () => import("./viewer-folders.js"),
  },
  {
    name: "scans",
    about: "real scans against what other tools read of them; needs the folder of the scans",
    load: () => import("./scans.js"),
  },
];

/** Without a name, `npm run bench` measures the network, and `npm run check` lists. */
const kinds = {
  bench: { scripts: benches, withoutName: "network" },
  check: { scripts: checks, withoutName: "--list" },
};

const [kind, ...words] = process.argv.slice(2);

try {
  if (kind !== "bench" && kind !== "check")
    throw new InputError(`Unknown kind "${kind}"; give bench or check.`);
  await run(kind, words);
} catch (error) {
  const isWrongOption =
    error instanceof TypeError && "code" in error && `${error.code}`.includes("PARSE_ARGS");
  if (!(error instanceof InputError) && !isWrongOption) throw error;
  console.error(error.message);
  process.exitCode = 2;
}

async function run(kind: keyof typeof kinds, words: readonly string[]): Promise<void> {
  const { scripts, withoutName } = kinds[kind];
  const hasName = words.length > 0 && (!words[0].startsWith("-") || words[0] === "--list");
  const [name, ...further] = hasName ? words : [withoutName, ...words];
  if (name === "--list") return console.log(listOf(scripts));
  const script = scripts.find((script) => script.name === name);
  if (script === undefined)
    throw new InputError(`There is no ${kind} "${name}"; npm run ${kind} -- --list shows what there is.`);
  // Scripts read their words as if they had been started by themselves.
  process.argv.splice(2, process.argv.length, ...further);
  await script.load();
}

function listOf(scripts: readonly Script[]): string {
  const columns = [
    { key: "name" as const, title: "name" },
    { key: "about" as const, title: "what it measures or checks, and needs" },
  ];
  return textTable(
    columns,
    scripts.map(({ name, about }) => ({ name, about })),
  );
}
