// Where the page began on one thread, as a first visit may, says that it gains by being loaded again.
import { reloadWithStudy } from "../../keeping.js";
import { gainsByReload } from "../../offline.js";
import { notice } from "../session.js";
import { segmenting } from "../texts.js";

export function ThreadsLine() {
  if (!gainsByReload.value) return null;
  const reload = async () => {
    if (!(await reloadWithStudy())) notice.value = { kind: "error", text: segmenting.cannotReload };
  };
  return (
    <p class="threads-line">
      {segmenting.oneThread}{" "}
      <button type="button" class="button small" onClick={reload}>
        {segmenting.reload}
      </button>
    </p>
  );
}
