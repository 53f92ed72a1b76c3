// Puts the page together.
import { wrap } from "comlink";
import { render } from "preact";
import { notice, openScan, tellError } from "./interface/session.js";
import { type Actions, Shell } from "./interface/shell.js";
import { shell } from "./interface/texts.js";
import { createView } from "./interface/view.js";
import type { Opening } from "./opening-worker.js";
import OpeningWorker from "./opening-worker.js?worker";
import "./style.css";

const opening = wrap<Opening>(new OpeningWorker());

async function open(name: string, isPhantom: boolean, busy: string, read: () => ReturnType<Opening["open"]>) {
  notice.value = { kind: "busy", text: busy };
  try {
    openScan.value = { name, isPhantom, view: createView(await read()) };
    notice.value = { kind: "done", text: shell.opened(name) };
  } catch (error) {
    tellError(error, shell.unexpected);
  }
}

const actions: Actions = {
  openFiles: ([file]) => void open(file.name, false, shell.reading(file.name), () => opening.open(file)),
  openExample: () => void open(shell.exampleName, true, shell.makingExample, () => opening.example()),
};

render(<Shell actions={actions} />, document.getElementById("viewer") as HTMLElement);
