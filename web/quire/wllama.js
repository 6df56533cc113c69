// wllama's shape, for code that was written for it.

import {Quire} from '../quire.js';
import {badRequest} from './error.js';
import {lacks} from './lacks.js';

// Its names of what the API has under others.
const FIELDS = {temp: 'temperature', penalty_repeat: 'repetition_penalty', penalty_freq: 'frequency_penalty', penalty_present: 'presence_penalty'};
const SETTINGS = {n_ctx: 'context', n_batch: 'tokenBudget', n_parallel: 'maxSeqs'};
// What there is nothing to say of here: threads, layers left on the CPU, and what is so always.
const NOTHING = ['n_threads', 'n_gpu_layers', 'n_ubatch', 'offload_kqv', 'flash_attn', 'embeddings', 'warmup', 'cont_batching', 'kv_unified', 'jinja', 'log_level', 'swa_full'];
const KV_TYPES = {f32: 'f32', f16: 'f16', q8_0: 'q8'};

export class Wllama {
  #quire = null;
  #defaults = {};
  #connections;

  /** There are no paths to give: the program is found beside the package. */
  constructor(paths, config) {
    const {cacheManager, modelManager, parallelDownloads: connections} = config ?? {};
    if (cacheManager || modelManager) throw badRequest(`${cacheManager ? 'cacheManager' : 'modelManager'} is not supported: Quire.models lists and removes what is kept`);
    this.#connections = connections && {connections: Math.min(6, connections)}; // as many as browsers open
  }

  /** There is one way for all browsers. */
  setCompat() {}

  isSupportWebGPU() {
    return Boolean(globalThis.navigator?.gpu);
  }

  isMultithread() {
    return false;
  }

  getNumThreads() {
    return 1;
  }

  supportInputModality() {
    return false;
  }

  async loadModelFromUrl(source, params) {
    if (source?.mmprojUrl) throw badRequest('mmprojUrl is not supported: models take text only');
    await this.loadModel(source?.url ?? source, params);
  }

  async loadModelFromHF(source, params) {
    if (typeof source?.repo !== 'string') throw badRequest('loadModelFromHF takes {repo, file} or {repo, quant}');
    const {repo, file, quant, hfToken, ...rest} = source;
    const [unknown] = Object.keys(rest).filter((name) => rest[name]);
    if (unknown) throw badRequest(`${unknown} is not supported: models take text only`);
    await this.loadModel(`hf:${repo}${file ? `/${file}` : quant ? `:${quant}` : ''}`, {...params, hfToken});
  }

  /** The model is what Quire.open takes. */
  async loadModel(model, params) {
    const {settings, defaults} = read(params ?? {});
    await this.exit();
    this.#quire = await Quire.open({...this.#connections, ...settings, model: Array.isArray(model) && model.length === 1 ? model[0] : model});
    this.#defaults = defaults;
  }

  isModelLoaded() {
    return this.#quire !== null;
  }

  getModelMetadata() {
    const {name, architecture, vocabulary, context} = this.#opened.info;
    return {hparams: {nVocab: vocabulary, nCtxTrain: context}, meta: {'general.name': name, 'general.architecture': architecture}};
  }

  getLoadedContextInfo() {
    const {vocabulary, context, tokenBudget, chat} = this.#opened.info;
    return {n_vocab: vocabulary, n_ctx: context, n_batch: tokenBudget, has_chat: chat, has_image_input: false, has_audio_input: false, has_audio_output: false};
  }

  async createChatCompletion(options) {
    return this.#answer(this.#opened.chat.completions, options);
  }

  async createCompletion(options) {
    return this.#answer(this.#opened.completions, options);
  }

  async createEmbedding({embd_normalize: norm = 2, ...options}) {
    if (norm !== 2 && norm !== -1) throw badRequest('embd_normalize may be 2 (by length) or -1 (as they are)');
    const {pooling} = this.#defaults;
    return this.#opened.embeddings.create({...options, ...(pooling && {pooling}), normalize: norm === 2});
  }

  async createRerank(options) {
    return this.#opened.rerank(options);
  }

  async exit() {
    await this.#quire?.close();
    this.#quire = null;
  }

  get #opened() {
    if (!this.#quire) throw badRequest('no model is loaded: call loadModelFromUrl(url)');
    return this.#quire;
  }

  async #answer(calls, given) {
    if (typeof given !== 'object') throw badRequest('completions take one object, with the prompt or the messages in it');
    const {abortSignal: signal, onData, model: _, ...options} = given;
    const {seed, chat_template_kwargs} = this.#defaults;
    const request = {...(seed !== undefined && {seed}), ...('messages' in options && chat_template_kwargs && {chat_template_kwargs})};
    for (const [name, value] of Object.entries(options)) request[FIELDS[name] ?? name] = value;
    if (Array.isArray(request.logit_bias)) request.logit_bias = Object.fromEntries(request.logit_bias.map(({token, bias}) => [token, bias]));
    const answer = await calls.create(request, {signal});
    if (!onData || !options.stream) return answer;
    for await (const chunk of answer) onData(chunk);
  }
}

const TOKENS = 'the model\'s file has the ids of its tokens, and none is needed';
lacks(Wllama, {getBOS: TOKENS, getEOS: TOKENS, getEOT: TOKENS, isTokenEOG: TOKENS, mustAddBosToken: TOKENS, mustAddEosToken: TOKENS,
  getDecoderStartToken: 'models with an encoder do not run', isEncoderDecoderArchitecture: 'models with an encoder do not run',
  getChatTemplate: 'messages are written by the model\'s own', getWorkerResources: 'there are none'}, {now: true});
const MEDIA = 'models take and give text only';
lacks(Wllama, {createSpeech: MEDIA, createTranscription: MEDIA, createRealtimeSession: MEDIA, createSystemOne: 'completions and tools answer questions',
  testBackendOps: 'Quire.open with selfTest: true tests the kernels'});

// read gives what of a model's parameters is Quire.open's, and what belongs to requests.
function read({cache_type_k: k, cache_type_v: v, progressCallback, signal, useCache, hfToken, seed, default_template_kwargs, pooling_type, ...params}) {
  const settings = {...(signal && {signal}), ...(useCache === false && {keep: false}), ...(hfToken && {hubToken: hfToken})}, defaults = {...(seed >= 0 && {seed}), chat_template_kwargs: default_template_kwargs};
  if (k ?? v) {
    if ((k ?? v) !== (v ?? k) || !KV_TYPES[k ?? v]) throw badRequest('cache_type_k and cache_type_v may be f32, f16 or q8_0, and must be the same');
    settings.kvType = KV_TYPES[k ?? v];
  }
  if (pooling_type) defaults.pooling = pooling_type.replace('LLAMA_POOLING_TYPE_', '').toLowerCase();
  if (!['mean', 'cls', 'last', undefined].includes(defaults.pooling)) delete defaults.pooling;
  if (progressCallback) {
    settings.onProgress = ({stage, done, total}) => {
      if (stage === 'weights') progressCallback({loaded: done, total});
    };
  }
  for (const [name, value] of Object.entries(params)) {
    if (SETTINGS[name]) settings[SETTINGS[name]] = value;
    else if (!NOTHING.includes(name)) throw badRequest(`${name} is not supported`);
  }
  return {settings, defaults};
}
