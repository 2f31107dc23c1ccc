// The service worker: keeps the app's shell so that it opens at once and without a network. Never the API, never media.
// `scripts/worker.mjs` fills in the version and the list when the app is built.
const version = "__VERSION__";
/** What the first page needs: the page itself and what it loads. */
const shell = __SHELL__;
const cacheName = `kinora-shell-${version}`;
const mine = /^kinora-shell-/;

self.addEventListener("install", (event) => {
  // `no-cache`: the page by its address may be an older one in the browser's own cache.
  const fetched = shell.map((path) => new Request(path, { cache: path === "/" ? "no-cache" : "default" }));
  event.waitUntil(caches.open(cacheName).then((cache) => cache.addAll(fetched)));
});

self.addEventListener("activate", (event) => {
  event.waitUntil(
    (async () => {
      const names = await caches.keys();
      await Promise.all(
        names.filter((name) => mine.test(name) && name !== cacheName).map((name) => caches.delete(name)),
      );
      await self.registration.navigationPreload?.enable();
      await self.clients.claim();
    })(),
  );
});

// The page asks for the change when its person has agreed to it.
self.addEventListener("message", (event) => {
  if (event.data === "take over") void self.skipWaiting();
});

/** Files whose names carry a hash of their content never change: kept once seen. */
async function hashed(request) {
  const cache = await caches.open(cacheName);
  const found = await cache.match(request);
  if (found) return found;
  const answer = await fetch(request);
  if (answer.status === 200) void cache.put(request, answer.clone());
  return answer;
}

/** Pages come from the server, which knows their titles; the shell stands in when it cannot be reached. */
async function page(event) {
  try {
    return (await event.preloadResponse) ?? (await fetch(event.request));
  } catch (error) {
    const found = await caches.match("/", { cacheName });
    if (found) return found;
    throw error;
  }
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin) return;
  if (/^\/(api|media|licence|embed|metrics|healthz|readyz|docs|feeds|oembed)(\/|$)/.test(url.pathname)) return;
  if (request.mode === "navigate") event.respondWith(page(event));
  else if (url.pathname.startsWith("/assets/")) event.respondWith(hashed(request));
  else if (shell.includes(url.pathname))
    event.respondWith(
      fetch(request).catch(async (error) => (await caches.match(request, { cacheName })) ?? Promise.reject(error)),
    );
});
