// Which browser this is, where that matters and nothing else tells.

const agent = globalThis.navigator?.userAgent ?? '';

export const FIREFOX = / Firefox\//.test(agent);

// Safari, all browsers on iPhones, and WebKitGTK; Chromium calls itself WebKit 537.36 for good.
const WEBKIT = /AppleWebKit\/(?!537\.36\b)/.test(agent);

// The most bytes of one buffer, whatever an adapter allows: Safari is not trusted with larger ones.
export const LARGEST_BUFFER = WEBKIT ? 2 ** 30 : Infinity;

// What to do in Firefox, which has WebGPU on some systems only as yet, and there not for every adapter.
export const FIREFOX_ADVICE = 'open about:config, set dom.webgpu.enabled and gfx.webgpu.ignore-blocklist to true, and load the page again';
