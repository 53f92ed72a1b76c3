// Keeps the page in the browser, so that it works without a network, and gives it the shared memory that threads need.

/** What a service worker has; the compiler is told of pages. */
interface LongEvent extends Event {
  waitUntil(work: Promise<unknown>): void;
}
interface RequestEvent extends Event {
  readonly request: Request;
  respondWith(answer: Promise<Response>): void;
}
interface PageMessage extends LongEvent {
  readonly source: { postMessage(message: ServiceWorkerAnswer): void };
}
/** Said to a page when every file is kept. */
export type ServiceWorkerAnswer = "kept";
interface Scope {
  readonly registration: ServiceWorkerRegistration;
  readonly clients: { claim(): Promise<void> };
  skipWaiting(): Promise<void>;
  addEventListener(type: "install" | "activate", react: (event: LongEvent) => void): void;
  addEventListener(type: "fetch", react: (event: RequestEvent) => void): void;
  addEventListener(type: "message", react: (event: PageMessage) => void): void;
}
interface BuiltFile {
  readonly url: string;
  /** null where the name holds a hash of the content. */
  readonly revision: string | null;
}

const scope = self as unknown as Scope;
// The build puts the list of its files here.
const files = (self as unknown as { readonly __WB_MANIFEST: readonly BuiltFile[] }).__WB_MANIFEST;
const cacheName = "viewer";

/** Files whose name has no hash of their content are kept by name and revision. */
const keyOf = ({ url, revision }: BuiltFile) =>
  new URL(revision === null ? url : `${url}?revision=${revision}`, scope.registration.scope).href;

// On a first visit threads come first: a person who waits for 36 MB has begun by then. The page asks for the files when it
// has them. A later version takes over only when all its files are there.
scope.addEventListener("install", (event) => {
  const isFirst = scope.registration.active === null;
  event.waitUntil((isFirst ? Promise.resolve() : keepFiles()).then(() => scope.skipWaiting()));
});

// Of what fails, as without room, the rest is kept at the next visit.
scope.addEventListener("message", (event) => {
  event.waitUntil(
    keepFiles().then(
      () => event.source.postMessage("kept"),
      () => undefined,
    ),
  );
});

scope.addEventListener("activate", (event) => {
  event.waitUntil(
    (async () => {
      const cache = await caches.open(cacheName);
      const kept = new Set(files.map(keyOf));
      for (const { url } of await cache.keys()) if (!kept.has(url)) await cache.delete(url);
      await scope.clients.claim();
    })(),
  );
});

scope.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET" || !request.url.startsWith(scope.registration.scope)) return;
  event.respondWith(answer(request.url));
});

async function keepFiles(): Promise<void> {
  const cache = await caches.open(cacheName);
  await Promise.all(
    files.map(async (file) => {
      const key = keyOf(file);
      if ((await cache.match(key)) === undefined) await cache.put(key, await fetched(file));
    }),
  );
}

async function answer(url: string): Promise<Response> {
  const path = url.slice(scope.registration.scope.length).replace(/[?#].*$/, "") || "index.html";
  const file = files.find((known) => known.url === path);
  const cache = await caches.open(cacheName);
  const kept = file === undefined ? undefined : await cache.match(keyOf(file));
  return isolated(kept ?? (await fetch(url)));
}

/** A file whose name holds its content's hash is the same in the browser's own cache; any other may be older there. */
async function fetched({ url, revision }: BuiltFile): Promise<Response> {
  const response = await fetch(url, { cache: revision === null ? "default" : "no-cache" });
  if (!response.ok) throw new Error(`${url} has status ${response.status}`);
  return response;
}

/** The same response with the headers that isolate the page, which many web servers cannot be made to send. */
function isolated(response: Response): Response {
  if (response.status === 0) return response;
  const headers = new Headers(response.headers);
  headers.set("Cross-Origin-Opener-Policy", "same-origin");
  headers.set("Cross-Origin-Embedder-Policy", "require-corp");
  headers.set("Cross-Origin-Resource-Policy", "same-origin");
  return new Response(response.body, { status: response.status, statusText: response.statusText, headers });
}
