// Shows the page without the network. What it keeps is one version of the page, whole: offline.js, which the build writes, lists it.

importScripts('offline.js'); // {version, page, engine}

const {version, page, engine} = self.offline;
const PREFIX = 'quire.page.', CACHE = PREFIX + version;
const listed = new Set([...page, ...engine].map((name) => new URL(name, location).href));
const home = new URL('./', location).href;

addEventListener('install', (e) => e.waitUntil((async () => {
  await (await caches.open(CACHE)).addAll(page);
  await skipWaiting();
})()));

addEventListener('activate', (e) => e.waitUntil((async () => {
  for (const name of await caches.keys()) if (name.startsWith(PREFIX) && name !== CACHE) await caches.delete(name);
  await clients.claim();
})()));

// The engine is kept once a page has used it: not every visitor does.
addEventListener('message', (e) => {
  if (e.data === 'keep the engine') e.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(engine)));
});

// The network comes first, so that nobody sees what is old, and nothing else that one day is at this address is hidden.
addEventListener('fetch', (e) => {
  const {request} = e, url = new URL(request.url);
  url.hash = url.search = '';
  const href = url.href === `${home}index.html` ? home : url.href;
  if (request.method !== 'GET' || !listed.has(href)) return;
  e.respondWith(fetch(request).catch(async (failed) => {
    const kept = await (await caches.open(CACHE)).match(href);
    if (!kept) throw failed;
    return kept;
  }));
});
