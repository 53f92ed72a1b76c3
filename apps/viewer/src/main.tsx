// Puts the page together.
import { render } from "preact";
import { createEngine } from "./engine/engine.js";
import { segmentWith } from "./interface/segmenting/segmenter.js";
import { Shell } from "./interface/shell.js";
import { openExample, openFiles, openFound } from "./opening.js";
import "./style.css";

const engine = createEngine();
segmentWith(engine);
const actions = {
  openFiles: (files: Parameters<typeof openFiles>[1]) => void openFiles(engine, files),
  openFound: (found: Parameters<typeof openFound>[1]) => void openFound(engine, found),
  openExample: () => void openExample(engine),
};

render(<Shell actions={actions} />, document.getElementById("viewer") as HTMLElement);
