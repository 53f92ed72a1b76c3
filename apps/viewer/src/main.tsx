// Puts the page together.
import { render } from "preact";
import { createEngine } from "./engine/engine.js";
import { segmentWith } from "./interface/segmenting/segmenter.js";
import { Shell } from "./interface/shell.js";
import { saving } from "./interface/texts.js";
import { forget, guardLeaving } from "./keeping.js";
import { keepForOffline } from "./offline.js";
import { openExample, openFiles, openJob, openKept, resume } from "./opening.js";
import { jobOfAddress } from "./service.js";
import type { KeptStudy } from "./storage/study-store.js";
import "./style.css";

const engine = createEngine();
segmentWith(engine);
const actions = {
  openFiles: (files: Parameters<typeof openFiles>[1]) => void openFiles(engine, files),
  openExample: () => void openExample(engine),
  openKept: (study: KeptStudy) => void openKept(engine, study),
  forgetKept: (study: KeptStudy) => {
    if (confirm(saving.forgetForGood(study.name))) void forget(study);
  },
};

render(<Shell actions={actions} />, document.getElementById("viewer") as HTMLElement);
guardLeaving();
const job = jobOfAddress(location.search);
void (job === null ? resume(engine) : openJob(engine, job));
void keepForOffline();
