// Save, Learn, Follow-up and Models, one below the other in the side panel.
import type { Engine } from "../engine/engine.js";
import { ExportPanel } from "./export/export-panel.js";
import { FollowUpPanel } from "./follow-up/follow-up-panel.js";
import { LearningPanel } from "./learning/learning-panel.js";
import "./panels.css";
import { ModelsPanel } from "./segmenting/models-panel.js";
import type { Workspace } from "./workspace.js";

interface PanelsProps {
  readonly workspace: Workspace;
  readonly engine: Engine;
}

export function Panels({ workspace, engine }: PanelsProps) {
  return (
    <>
      <ExportPanel workspace={workspace} engine={engine} />
      <LearningPanel workspace={workspace} engine={engine} />
      <FollowUpPanel workspace={workspace} engine={engine} />
      <ModelsPanel />
    </>
  );
}
