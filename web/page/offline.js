// Has the browser keep the page, so that it opens without the network. What comes from a server of models is of no use without it.

import served from './served.js';

const workers = served ? undefined : navigator.serviceWorker;

// keepPage keeps the page once it is shown.
export function keepPage() {
  if (document.readyState === 'complete') workers?.register('sw.js').catch(() => {}); // a browser may not want it: then there is no page offline
  else addEventListener('load', keepPage);
}

// keepEngine keeps the engine too, which runs by now.
export async function keepEngine() {
  (await workers?.ready)?.active.postMessage('keep the engine');
}
