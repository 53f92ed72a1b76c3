// The worklist as HTML: plain markup from the server; a small script refreshes the rows and sends the buttons.

import { escapeMarkup } from "@lnsnet/core/reports";
import { counted } from "@lnsnet/core/text";
import { duration } from "@lnsnet/node/work";
import { type Job, jobStates } from "../jobs/job.js";

export interface WorklistView {
  readonly jobs: readonly Job[];
  /** What is wrong with the service itself. */
  readonly notices: readonly string[];
  /** How far running jobs are, by id. */
  readonly progress: ReadonlyMap<
    string,
    { readonly stage: string; readonly done: number; readonly total: number }
  >;
  readonly user: string;
  readonly maySubmit: boolean;
  /** Where the viewer is; null where it is not served. */
  readonly viewer: string | null;
  /** Where the queues on Redis are shown; null where there are none, or the user may not see them. */
  readonly queue: string | null;
}

const researchUse = "Research use only: not a medical device, not for diagnosis or treatment.";

/** The newest jobs that a page shows. */
const mostRows = 500;

/** The whole page. */
export function worklistPage(view: WorklistView): string {
  return page(
    "Worklist",
    `<header>
  <h1>lnsnet <span>worklist</span></h1>
  <p class="user">${view.queue === null ? "" : `<a href="${view.queue}">Queues</a> `}${escapeMarkup(view.user)} <button type="button" id="sign-out">Sign out</button></p>
</header>
<p class="use">${researchUse}</p>
${view.maySubmit ? uploadForm : ""}
<p id="message" role="status"></p>
<main id="jobs">${worklistRows(view)}</main>
<script src="/assets/worklist.js" type="module"></script>`,
  );
}

/** The part of the page that changes. */
export function worklistRows({ jobs, notices, progress, maySubmit, viewer }: WorklistView): string {
  const sorted = [...jobs].sort((a, b) => b.createdAt.localeCompare(a.createdAt));
  const counts = jobStates
    .map((state) => [state, jobs.filter((job) => job.state === state).length] as const)
    .filter(([, count]) => count > 0)
    .map(([state, count]) => `<li class="state ${state}"><b>${count}</b> ${state}</li>`);
  const wrong =
    notices.length === 0
      ? ""
      : `<ul class="notices">${notices.map((sentence) => `<li>${escapeMarkup(sentence)}</li>`).join("")}</ul>`;
  if (jobs.length === 0)
    return `${wrong}<p class="empty">Nothing was received yet. ${maySubmit ? "Choose files above, or send" : "Send"} a study to this service.</p>`;
  const rows = sorted
    .slice(0, mostRows)
    .map((job) => row(job, progress.get(job.id) ?? null, maySubmit, viewer));
  const more = jobs.length > mostRows ? `<p class="empty">and ${jobs.length - mostRows} older ones</p>` : "";
  return `${wrong}<ul class="counts">${counts.join("")}</ul><ol class="jobs">${rows.join("")}</ol>${more}`;
}

/** The page that asks for a token. */
export function signInPage(): string {
  return page(
    "Sign in",
    `<header><h1>lnsnet <span>worklist</span></h1></header>
<p class="use">${researchUse}</p>
<form id="sign-in" class="panel">
  <label for="token">Token</label>
  <input id="token" name="token" type="password" autocomplete="current-password" required>
  <button type="submit">Sign in</button>
  <p id="message" role="status"></p>
  <p class="hint">Whoever runs this service makes tokens with <code>lnsnet serve --new-token view --user NAME</code>.</p>
</form>
<script src="/assets/sign-in.js" type="module"></script>`,
  );
}

const uploadForm = `<form id="upload" class="panel">
  <label for="files">DICOM files, a zip of them, or a volume (.nii.gz, .nrrd, .mha)</label>
  <input id="files" name="files" type="file" multiple required>
  <button type="submit">Upload</button>
  <progress id="uploaded" max="1" value="0" hidden></progress>
</form>`;

function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · lnsnet</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/assets/worklist.css">
</head>
<body>
${body}
</body>
</html>
`;
}

function row(
  job: Job,
  progress: { readonly stage: string; readonly done: number; readonly total: number } | null,
  maySubmit: boolean,
  viewer: string | null,
): string {
  const { id, state, subject, source, createdAt, sentence } = job;
  const facts = [
    `<time datetime="${createdAt}">${createdAt.slice(0, 16).replace("T", " ")} UTC</time>`,
    `${escapeMarkup(source.way)} · ${escapeMarkup(source.from)}`,
    filesInWords(job),
    ...(job.rule === null || job.rule === "none" ? [] : [`rule “${escapeMarkup(job.rule)}”`]),
  ];
  return `<li class="job" id="${id}">
<div class="head"><span class="state ${state}">${stateInWords(job)}</span><h2>${escapeMarkup(subject.title === "" ? id : subject.title)}</h2></div>
<p class="facts">${facts.join('<span class="dot"> · </span>')}</p>
${state === "running" && progress !== null ? progressBar(progress) : ""}
${job.nodes === null ? "" : `<p><b>${counted(job.nodes, "node")}</b> in ${duration(job.seconds ?? 0)}${deliveriesInWords(job)}</p>`}
${sentence === null ? "" : `<p class="why">${escapeMarkup(sentence)}</p>`}
${job.remarks.length === 0 ? "" : `<details><summary>${counted(job.remarks.length, "remark")}</summary><ul>${job.remarks.map((remark) => `<li>${escapeMarkup(remark)}</li>`).join("")}</ul></details>`}
${resultLinks(job, viewer)}
${maySubmit ? buttons(job) : ""}
</li>`;
}

function stateInWords({ state, retryAt }: Job): string {
  return state === "queued" && retryAt !== null ? "waits to be tried again" : state;
}

function filesInWords({ files, stated }: Job): string {
  return stated === null || stated <= files.length
    ? counted(files.length, "file")
    : `${files.length} of ${counted(stated, "file")}`;
}

function deliveriesInWords({ deliveries }: Job): string {
  return deliveries
    .map(({ target, state, sentence, attempts }) => {
      const why =
        state === "waiting" && sentence !== null
          ? ` after ${counted(attempts, "attempt")}: ${escapeMarkup(sentence)}`
          : "";
      return ` · ${state === "sent" ? "sent to" : state === "failed" ? "not sent to" : "waits for"} ${escapeMarkup(target)}${why}`;
    })
    .join("");
}

function progressBar({ stage, done, total }: { stage: string; done: number; total: number }): string {
  const label = `${escapeMarkup(stage)} ${done} of ${total}`;
  return `<p class="progress"><progress max="${total}" value="${done}" aria-label="${label}"></progress> ${label}</p>`;
}

function resultLinks({ id, results }: Job, viewer: string | null): string {
  if (results.length === 0) return "";
  const at = (name: string) => `/api/jobs/${id}/results/${encodeURIComponent(name)}`;
  const picture = results.find(({ name }) => name.endsWith(".png"));
  const link = ({ name }: { name: string }) =>
    `<a href="${at(name)}" download>${escapeMarkup(ending(name))}</a>`;
  const captures = results.filter(({ name }) => /\.sc-\d+\.dcm$/.test(name));
  const links = results.filter((file) => !captures.includes(file)).map(link);
  const open = viewer === null ? "" : `<a class="open" href="${viewer}?job=${id}">Open in the viewer</a>`;
  const image =
    picture === undefined
      ? ""
      : `<details><summary>Picture</summary><a href="${at(picture.name)}"><img loading="lazy" src="${at(picture.name)}" alt="Segmented nodes, drawn over the scan"></a></details>`;
  const captured =
    captures.length === 0
      ? ""
      : `<details><summary>${counted(captures.length, "secondary capture")}</summary><p class="links">${captures.map(link).join("")}</p></details>`;
  return `<p class="links">${open}${links.join("")}</p>${captured}${image}`;
}

/** What a result is, by the part of its name that differs: `seg.dcm`, `nii.gz`. */
const ending = (name: string): string => name.replace(/^(series|file)-[0-9a-f]+\./, "");

function buttons({ state }: Job): string {
  const button = (action: string, label: string) =>
    `<button type="button" data-action="${action}">${label}</button>`;
  if (state === "failed" || state === "cancelled")
    return `<p class="buttons">${button("retry", "Try again")}</p>`;
  if (["receiving", "queued", "running", "sending"].includes(state))
    return `<p class="buttons">${button("cancel", "Cancel")}</p>`;
  return "";
}
