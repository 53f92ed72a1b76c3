// The worklist page: rows follow the service's events; buttons and uploads are sent without leaving the page.
const jobs = document.getElementById("jobs");
const message = document.getElementById("message");

function say(text, isGood = false) {
  message.textContent = text;
  message.classList.toggle("good", isGood);
}

/** Opened details stay open when the rows are written anew. */
async function refresh() {
  const response = await fetch("/worklist/rows");
  if (response.status === 401) return location.reload();
  if (!response.ok) return;
  const open = new Set([...jobs.querySelectorAll("details[open]")].map(placeOf));
  jobs.innerHTML = await response.text();
  for (const details of jobs.querySelectorAll("details")) details.open = open.has(placeOf(details));
}

const placeOf = (details) => `${details.closest("li")?.id} ${details.querySelector("summary").textContent}`;

let isRefreshing = false;
let isStale = false;
async function refreshSoon() {
  isStale = true;
  if (isRefreshing) return;
  isRefreshing = true;
  while (isStale) {
    isStale = false;
    await refresh().catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  isRefreshing = false;
}

const events = new EventSource("/api/events");
events.addEventListener("job", refreshSoon);
events.addEventListener("open", refreshSoon);
// What is wrong with the service itself comes with no event.
setInterval(refreshSoon, 30_000);

jobs.addEventListener("click", async ({ target }) => {
  const { action } = target.dataset;
  if (action === undefined) return;
  target.disabled = true;
  const response = await fetch(`/api/jobs/${target.closest("li.job").id}/${action}`, { method: "POST" });
  say(response.ok ? "" : (await response.json()).error);
  refreshSoon();
});

document.getElementById("sign-out").addEventListener("click", async () => {
  await fetch("/api/session", { method: "DELETE" });
  location.reload();
});

const form = document.getElementById("upload");
form?.addEventListener("submit", (event) => {
  event.preventDefault();
  const bar = document.getElementById("uploaded");
  const request = new XMLHttpRequest();
  request.open("POST", "/api/jobs");
  request.upload.onprogress = ({ loaded, total }) => {
    bar.hidden = false;
    bar.value = loaded / total;
  };
  request.onerror = () => say("The upload was broken off; try again.");
  request.onload = () => {
    bar.hidden = true;
    const answer = JSON.parse(request.responseText);
    if (answer.error !== undefined) return say(answer.error);
    const reasons = answer.refused.map(({ reason }) => reason);
    say(reasons.length > 0 ? reasons.join(" ") : `Taken: ${answer.taken}.`, reasons.length === 0);
    form.reset();
    refreshSoon();
  };
  request.send(new FormData(form));
});
