// The studies that this browser keeps, to go on with or to delete.
import type { KeptStudy } from "../storage/study-store.js";
import { saving } from "./texts.js";

interface KeptStudiesProps {
  readonly studies: readonly KeptStudy[];
  readonly onOpen: (study: KeptStudy) => void;
  readonly onForget: (study: KeptStudy) => void;
}

export function KeptStudies({ studies, onOpen, onForget }: KeptStudiesProps) {
  if (studies.length === 0) return null;
  return (
    <section class="kept-studies" aria-label={saving.continue}>
      <h3>{saving.continue}</h3>
      <ul>
        {studies.map((study) => (
          <li key={study.hash}>
            <button
              type="button"
              class="button"
              aria-label={saving.continueWith(study.name)}
              onClick={() => onOpen(study)}
            >
              {study.name}
              <span class="faint">
                {new Date(study.openedAt).toLocaleString("en-GB", {
                  dateStyle: "medium",
                  timeStyle: "short",
                })}
              </span>
            </button>
            <button
              type="button"
              class="icon-button"
              aria-label={saving.forget(study.name)}
              title={saving.forget(study.name)}
              onClick={() => onForget(study)}
            >
              ✕
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
