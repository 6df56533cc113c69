// Reads what callers give: options that may be absent, a model, and what goes to the worker as JSON.

import {HUB, isFile, isName} from '../store/name.js';
import {isKeepable} from '../store/place.js';
import {badRequest, QuireError} from './error.js';
import {VERSION} from './version.js';

// given returns the options that are there: null is as good as none. A signal and callbacks are what they should be.
export function given(options, what = 'the options') {
  if (options === undefined || options === null) return {};
  if (typeof options !== 'object' || Array.isArray(options)) throw badRequest(`${what} must be an object, not ${kind(options)}`);
  const there = {};
  for (const [name, value] of entries(options, what)) {
    if (value !== undefined && value !== null) there[name] = value;
  }
  for (const name of ['onProgress', 'onRecovering']) {
    if (name in there && typeof there[name] !== 'function') throw badRequest(`${name} must be a function, not ${kind(there[name])}`);
  }
  if ('signal' in there && typeof there.signal.throwIfAborted !== 'function') {
    throw badRequest(`signal must be an AbortSignal, not ${kind(there.signal)}`);
  }
  return there;
}

function entries(options, what) {
  try {
    return Object.entries(options);
  } catch (e) {
    throw badRequest(`${what} cannot be read: ${said(e)}`);
  }
}

// said gives the words of what was thrown, which may be anything.
const said = (e) => e?.message ?? String(e);

// modelOf gives a model's {url, blob}: one of the two.
export function modelOf(model, what = 'model') {
  if (model === undefined || model === '') {
    throw badRequest(what !== 'model' ? `no ${what} is given: give the URL of a GGUF file, or a File or Blob of one` : 'no model is given: set model to the URL of a GGUF file, or to a File or Blob of one; ' +
      'import tales from \'quire-llm/tales\' gives the URL of the small model that comes with the package');
  }
  if (model instanceof Blob) return {url: '', blob: model};
  if (Array.isArray(model) && model.length > 0 && model.every((file) => file instanceof Blob)) return {url: '', blob: model};
  if (typeof model?.name === 'string' && Array.isArray(model.files)) return modelOf(model.name, what); // of Quire.models
  if (typeof model !== 'string' && !(model instanceof URL)) {
    throw badRequest(`${what} must be a URL, a File or a Blob${what === 'model' ? ', or a list of the Files of one model' : ''}, not ${kind(model)}`);
  }
  if (typeof model === 'string' && (isName(model) || isFile(model))) return {url: model, blob: null};
  try {
    return {url: new URL(model, globalThis.document?.baseURI ?? globalThis.location?.href).href, blob: null};
  } catch {
    throw badRequest(`${what} is ${JSON.stringify(model)}, which is not a URL`);
  }
}

// urlOf is modelOf for what has to have an address.
export function urlOf(model, what) {
  const {url} = modelOf(model, what);
  if (!url) throw badRequest(`${what} must be a URL or a name, not a File or Blob`);
  return url;
}

// fetchable is urlOf for what can be kept.
export function fetchable(model) {
  const url = urlOf(model, 'model');
  if (!isName(url) && !isKeepable(url)) throw badRequest(`model is ${JSON.stringify(url.slice(0, 40))}, and what is kept comes from http or https`);
  return url;
}

// keeping takes apart what says how a model is kept, and the rest.
export function keeping({keep, connections, hub, hubToken, ...rest}) {
  if (keep !== undefined && typeof keep !== 'boolean') throw badRequest(`keep must be true or false, not ${kind(keep)}`);
  if (connections !== undefined && ![1, 2, 3, 4, 5, 6].includes(connections)) throw badRequest('connections must be a whole number from 1 to 6');
  if (hub !== undefined && !/^https?:\/\/[^/]/i.test(hub)) throw badRequest(`hub must be an address such as ${HUB}, not ${JSON.stringify(hub)}`);
  if (hubToken !== undefined && typeof hubToken !== 'string') throw badRequest(`hubToken must be a string, not ${kind(hubToken)}`);
  if (!['high-performance', 'low-power', '', undefined].includes(rest.power)) throw badRequest(`power must be "high-performance" or "low-power", not ${JSON.stringify(rest.power)}`);
  return {store: {keep, connections, hub: hub && String(hub), hubToken}, rest};
}

// sharingOf gives the name of the engine that tabs share: the same version, model and options. Its way is "worker" or "lock" where the
// other will not do.
export function sharingOf(shared = false, url, options) {
  if (![true, false, 'worker', 'lock'].includes(shared)) throw badRequest(`shared must be true, false, "worker" or "lock", not ${typeof shared === 'string' ? JSON.stringify(shared) : kind(shared)}`);
  if (!shared) return null;
  if (!url) throw badRequest('tabs share models that have an address: a File or Blob is one tab\'s own');
  let way = shared;
  if (!navigator.locks || way !== 'lock' && !globalThis.SharedWorker) { // a page that came insecurely has no locks
    if (way === 'worker') throw badRequest('shared is "worker", and this browser has no workers that tabs share');
    if (way === 'lock') throw badRequest('shared is "lock", and this page has no locks: it must come securely, by https or from localhost');
    if (!navigator.locks) return null;
    way = 'lock';
  }
  const sorted = Object.entries(options).filter(([, value]) => value !== undefined).sort(([a], [b]) => (a < b ? -1 : 1));
  return {way, name: `quire ${VERSION} ${JSON.stringify([url, sorted])}`};
}

// EXACT are what a request has that may hold nothing among others, and integers of any size.
const EXACT = ['messages', 'schema'];

// written gives a value as JSON. What JSON would leave out or turn into nothing is refused. Messages and schemas keep the order of
// their keys.
export function written(value) {
  try {
    const exactly = EXACT.filter((name) => value?.[name] && typeof value[name] === 'object');
    if (exactly.length === 0) return JSON.stringify(value, plain);
    const rest = {...value};
    for (const name of exactly) delete rest[name];
    const parts = exactly.map((name) => `"${name}":${JSON.stringify(value[name], exact)}`);
    return `{${[...parts, JSON.stringify(rest, plain).slice(1, -1)].filter(Boolean).join()}}`;
  } catch (e) {
    throw e instanceof QuireError ? e : badRequest(`the request cannot be written as JSON: ${said(e)}`);
  }
}

// writtenExactly gives a call of the API as JSON: nothing may be among others there, and integers of any size.
export function writtenExactly(value) {
  try {
    return JSON.stringify(value, exact);
  } catch (e) {
    throw e instanceof QuireError ? e : badRequest(`the request cannot be written as JSON: ${said(e)}`);
  }
}

function plain(key, value) {
  const name = Array.isArray(this) ? `element ${key} of a list` : key;
  switch (typeof value) {
    case 'number':
      if (!Number.isFinite(value)) throw badRequest(`${name} is ${value}`);
      break;
    case 'bigint': case 'function': case 'symbol':
      throw badRequest(`${name} is ${kind(value)}`);
  }
  if (Array.isArray(this) && (value === undefined || value === null)) throw badRequest(`${name} is ${value}`);
  return value;
}

// exact writes messages and calls of the API, where templates and schemas may want nothing among others.
function exact(key, value) {
  if (value === undefined || value === null) return value;
  if (typeof value === 'bigint' && JSON.rawJSON) return JSON.rawJSON(String(value));
  return plain.call(this, key, value);
}

// kind says what a value is.
export function kind(value) {
  if (value === undefined || value === null) return String(value);
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return `an object (${value.constructor?.name ?? 'of no class'})`;
  return `a ${typeof value}`;
}
