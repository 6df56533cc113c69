// Which browser this is, where that matters and nothing else tells.

export const FIREFOX = / Firefox\//.test(globalThis.navigator?.userAgent ?? '');

// What to do in Firefox, which has WebGPU on some systems only as yet, and there not for every adapter.
export const FIREFOX_ADVICE = 'open about:config, set dom.webgpu.enabled and gfx.webgpu.ignore-blocklist to true, and load the page again';
