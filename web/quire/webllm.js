// WebLLM's shape, for code that was written for it.

import {Quire} from '../quire.js';
import {find} from '../store/models.js';
import {badRequest} from './error.js';
import {lacks} from './lacks.js';
import {nameOf} from './models.js';

/** Opens a model as WebLLM does; it is what Quire.open takes, or the id of a record of appConfig.model_list. */
export async function CreateMLCEngine(model, config, chatOptions) {
  const engine = new MLCEngine(config);
  await engine.reload(model, chatOptions);
  return engine;
}

/** The same: the engine is in a worker of its own, always, and the one that is given has nothing to do. */
export const CreateWebWorkerMLCEngine = (worker, ...all) => CreateMLCEngine(...all);

/** What that worker's script makes. */
export class WebWorkerMLCEngineHandler {
  onmessage() {}
}

const inService = (name) => async () => {
  throw badRequest(`${name} is not supported: the engine is in a worker of the page; shared: true gives all tabs one`);
};
export const CreateServiceWorkerMLCEngine = inService('CreateServiceWorkerMLCEngine');
export const CreateExtensionServiceWorkerMLCEngine = inService('CreateExtensionServiceWorkerMLCEngine');

/** WebLLM's own models are no GGUF files: none of them is here. */
export const prebuiltAppConfig = {model_list: []};

const recordOf = (model, appConfig) => appConfig?.model_list?.find((r) => r.model_id === model);
const addressOf = (model, appConfig) => recordOf(model, appConfig)?.model ?? model;

/** Whether the browser keeps all of a model. */
export async function hasModelInCache(model, appConfig) {
  return Boolean((await find(nameOf(addressOf(model, appConfig))))?.whole);
}

/** Removes what the browser keeps of a model. */
export async function deleteModelInCache(model, appConfig) {
  await Quire.models.remove(addressOf(model, appConfig)).catch((e) => {
    if (e.name !== 'ErrNotFound') throw e;
  });
}
export {deleteModelInCache as deleteModelAllInfoInCache};

// What WebLLM's chat options may say of requests; of the model they may say context_window_size.
const DEFAULTS = ['temperature', 'top_p', 'repetition_penalty', 'frequency_penalty', 'presence_penalty'];

export class MLCEngine {
  chat = {completions: {create: (request) => this.chatCompletion(request)}};
  completions = {create: (request) => this.completion(request)};
  embeddings = {create: (request) => this.embedding(request)};

  #config;
  #quire = null;
  #defaults = {};
  #running = new Set();
  #message = '';

  constructor(config) {
    this.#config = config ?? {};
    if (this.#config.logitProcessorRegistry) throw badRequest('logitProcessorRegistry is not supported: there are logit_bias and penalties');
  }

  setInitProgressCallback(callback) {
    this.#config = {...this.#config, initProgressCallback: callback};
  }

  getInitProgressCallback() {
    return this.#config.initProgressCallback;
  }

  setAppConfig(appConfig) {
    this.#config = {...this.#config, appConfig};
  }

  async reload(model, chatOptions) {
    if (Array.isArray(model) && typeof model[0] === 'string') {
      if (model.length > 1) throw badRequest('one engine runs one model: create several');
      [model] = model;
    }
    const record = recordOf(model, this.#config.appConfig);
    for (const name of ['integrity', 'model_manifest']) {
      if (record?.[name]) throw badRequest(`${name} of a model's record is not supported: its address is that of a GGUF file`);
    }
    const {context_window_size: context, ...rest} = {...record?.overrides, ...(Array.isArray(chatOptions) ? chatOptions[0] : chatOptions)};
    const unknown = Object.keys(rest).filter((name) => !DEFAULTS.includes(name));
    if (unknown.length > 0) throw badRequest(`the chat option ${unknown[0]} is not supported: it is as the model's file says`);
    await this.unload();
    this.#defaults = rest;
    const {initProgressCallback, appConfig: _, logLevel: __, logitProcessorRegistry: ___, ...settings} = this.#config;
    const start = performance.now();
    const onProgress = initProgressCallback && ((p) => p.stage !== 'waiting' && initProgressCallback(reported(p, start)));
    this.#quire = await Quire.open({...settings, model: record?.model ?? model, ...(context > 0 && {context}), ...(onProgress && {onProgress})});
    initProgressCallback?.({progress: 1, timeElapsed: (performance.now() - start) / 1000, text: 'ready'});
  }

  async unload() {
    this.interruptGenerate();
    await this.#quire?.close();
    this.#quire = null;
  }

  async chatCompletion(request) {
    return this.#answer(this.#opened.chat.completions, request, ({delta, message}) => delta?.content ?? message?.content ?? '');
  }

  async completion(request) {
    return this.#answer(this.#opened.completions, request, ({text}) => text);
  }

  async embedding({model: _, ...request}) {
    return this.#opened.embeddings.create(request);
  }

  /** There is no log. */
  setLogLevel() {}

  setLogitProcessorRegistry(registry) {
    if (registry?.size > 0) throw badRequest('logitProcessorRegistry is not supported: there are logit_bias and penalties');
  }

  /** Streams end; an answer that is asked for as a whole is rejected with an AbortError. */
  interruptGenerate() {
    for (const controller of this.#running) controller.abort();
  }

  /** Nothing to reset: what a conversation computed is found by its text. */
  async resetChat() {}

  async getMessage() {
    return this.#message;
  }

  async getGPUVendor() {
    return this.#opened.info.adapter.vendor;
  }

  async getMaxStorageBufferBindingSize() {
    return this.#opened.info.adapter.limits.maxStorageBufferBindingSize;
  }

  get #opened() {
    if (!this.#quire) throw badRequest('no model is loaded: call reload(model)');
    return this.#quire;
  }

  async #answer(calls, {model: _, extra_body: extra, ...request}, textOf) {
    const controller = new AbortController();
    this.#running.add(controller);
    const done = () => this.#running.delete(controller);
    try {
      const answer = await calls.create({...this.#defaults, ...request, ...kwargs(extra)}, {signal: controller.signal});
      if (request.stream) return this.#told(answer, controller, textOf, done);
      this.#message = textOf(answer.choices[0]);
      return answer;
    } finally {
      if (!request.stream) done();
    }
  }

  async *#told(stream, controller, textOf, done) {
    let message = '';
    try {
      for await (const chunk of stream) {
        message += chunk.choices[0] ? textOf(chunk.choices[0]) : '';
        yield chunk;
      }
    } catch (e) {
      if (!controller.signal.aborted) throw e;
    } finally {
      done();
      this.#message = message;
    }
  }
}

lacks(MLCEngine, {
  runtimeStatsText: 'usage of answers counts tokens',
  forwardTokensAndSample: 'completions take token ids as a prompt',
  listResumableSessions: 'Quire.sessions.list() lists kept conversations',
  resumeChatCompletion: 'quire.keptSession(name) goes on with a kept conversation',
  deleteResumableSession: 'Quire.sessions.remove(name) removes a kept conversation',
});

// kwargs gives what extra_body says to the chat template.
function kwargs(extra) {
  const {enable_thinking: thinking, ...rest} = extra ?? {};
  const unknown = Object.keys(rest).filter((name) => rest[name]);
  if (unknown.length > 0) throw badRequest(`extra_body.${unknown[0]} is not supported`);
  return thinking === undefined || thinking === null ? {} : {chat_template_kwargs: {enable_thinking: thinking}};
}

// reported is how far loading has come, as WebLLM tells it: the weights are most of the way.
function reported({stage, done, total}, start) {
  const part = total > 0 ? Math.min(done / total, 1) : 0;
  const progress = {engine: 0.1 * part, download: 0.1 + 0.3 * part, weights: 0.1 + 0.6 * part, kernels: 0.7 + 0.3 * part}[stage];
  return {progress, timeElapsed: (performance.now() - start) / 1000, text: total > 0 ? `${stage}: ${Math.round(100 * part)} %` : stage};
}
