import type {Calls, JSONSchema} from './quire/api.js';
import type {Cache, HostTimes, Stats} from './quire/blocks.js';
import type {Look, LookRequest} from './quire/look.js';
import type {Kept, KeptModel, Models} from './quire/models.js';
import type {TuneOptions, Tuned} from './quire/tuning.js';

export * from './quire/api.js';
export * from './quire/blocks.js';
export * from './quire/look.js';
export * from './quire/models.js';
export * from './quire/tuning.js';

/** Options, of which null is as good as absent. */
export type Options<T> = {[Name in keyof T]: {} extends Pick<T, Name> ? T[Name] | null | undefined : T[Name]};

/** How far loading has come: the engine's bytes, the model's as they are fetched, those that went to the GPU, compiled kernels. */
export interface Progress {
  stage: 'engine' | 'download' | 'weights' | 'kernels' | 'waiting';
  done: number;
  /** 0 where it is not known; of waiting, seconds. */
  total: number;
  /** Of downloads and weights: where they come from. "kept": what the browser kept; "tab": another tab fetches the model, and this one
   * takes it from there. */
  from?: 'network' | 'kept' | 'file' | 'tab';
  /** Of downloads: bytes a second. */
  rate?: number;
  /** What is waited for: a server that is busy, or cannot be reached, is asked again. */
  reason?: string;
}

/** How keys and values are stored. */
export type KVType = 'f16' | 'bf16' | 'q8' | 'f32';

export interface OpenOptions {
  /**
   * The URL of a GGUF file, or a File or Blob of one, or all Files of a model in several (-00001-of-00003.gguf and so on; of their
   * URLs one is enough), or a name on Hugging Face's hub, such as hf:owner/repo, hf:owner/repo:Q4_K_M or hf:owner/repo/file.gguf, or what
   * Quire.models calls a model that is kept. `import tales from 'quire-llm/tales'` gives the URL of the small model
   * that comes with the package.
   */
  model: string | URL | Blob | readonly Blob[] | KeptModel;
  onProgress?: (progress: Progress) => void;
  /**
   * Whether the browser keeps the model for later opens, which then ask nothing of the network, and for when the GPU is lost. Default:
   * true for what comes from the network; true keeps a File too, as file:NAME. Where there is no room, models that were not used for
   * longest go; where that is not enough, the model runs without being kept, and kept says why.
   */
  keep?: boolean;
  /** The most connections that a download takes, where the server has ranges: 1 to 6, default 4. */
  connections?: number;
  /** The hub that names are of, such as a mirror; default https://huggingface.co. */
  hub?: string;
  /** A token for models that the hub does not give to everyone; it goes to the hub alone. */
  hubToken?: string;
  /**
   * Whether all tabs of the origin that open the same model with the same options, by the same version of the package, have one engine:
   * its memory, its cache of prompts and its queue. It runs in a worker that they share, and ends with the last tab. Where a browser lets no
   * such worker use the GPU, one tab leads: the engine runs in its worker, and when it is closed, or hidden for long, another tab opens
   * the model and goes on with what runs. "worker" and "lock" ask for one of the two ways. Default false: what an engine holds, and who waits for whom, is then the tab's alone.
   */
  shared?: boolean | 'worker' | 'lock';
  /** Told while a lost GPU is set up again; what runs goes on afterwards. */
  onRecovering?: (progress: Progress) => void;
  /** Gives up loading. */
  signal?: AbortSignal;

  /** The most tokens of one sequence, prompt included; default: what the model was trained for, as far as memory goes. */
  context?: number;
  /** What keys and values are stored as; default f16. q8 (8-bit integers with a scale a row) needs about half. */
  kvType?: KVType;
  /** Bytes for the KV cache; default: what eight sequences of the whole context fill (maxSeqs of them, where that is set), at most
   * 2 GiB on a card of its own and 512 MiB elsewhere. info.kvBytes tells. */
  kvMemory?: number;
  /** Bytes for the states of layers without K and V (LFM2's convolutions), of running sequences and of snapshots in the prefix
   * cache; default: half of what the KV cache may have. info.stateBytes tells. */
  stateMemory?: number;
  /** Tokens between snapshots of such states, to whose places prompts can go back; default 512. */
  snapshotInterval?: number;
  /** One order of summation: tokens do not depend on what else runs. Slower. */
  deterministic?: boolean;
  /** The model's kernels compute once as it loads, on numbers whose results are known, on software adapters too; without it on GPUs
   * only. Kernels that compute wrongly give way to their baseline. */
  selfTest?: boolean;
  /** No self-test on any adapter. */
  noSelfTest?: boolean;
  /** An index in Quire.adapters() or part of a name; default: the best. */
  adapter?: string;
  power?: 'high-performance' | 'low-power';
  /** A shader variant; "baseline" keeps to WebGPU's guaranteed limits, "f32" multiplies weights in f32. */
  variant?: string;
  /** Tokens a block of the KV cache; default 16. */
  blockSize?: number;
  /** Tokens a step; default 512, and up to 2,048 on a discrete GPU while nobody decodes. */
  tokenBudget?: number;
  /** The most tokens a step of one long prompt while others wait or run; default 256, below 0: no cap. */
  longPrompt?: number;
  /** Sequences running at once; default 64. */
  maxSeqs?: number;
  /** Steps in flight; default 4, on a large GPU up to 8 where they are short, and 1 with deterministic. */
  depth?: number;
  /** Where a cached block shares only its first tokens with a prompt, copy those instead of computing them; default false. */
  partialHits?: boolean;
  /** How a request makes room for others when the KV memory is full; default auto: what is thought cheaper. */
  preemption?: 'auto' | 'recompute' | 'swap';
  /** Bytes of host memory to swap to, taken as needed; default: as many as the KV cache has, at most 256 MiB. */
  swapMemory?: number;
  /** Requests that may wait, beyond which one fails as ErrQueueFull; default: any number. */
  queueLimit?: number;
  /** How tokens are drafted, so that a step verifies several of them; default none. ngram: what followed the last time the last tokens
   * came, in the prompt or the answer. The text is the same, and comes sooner where it repeats what was said. Drafts stop where they
   * are wrong too often, and where many sequences run. mtp: what a block of the model for multi-token prediction guesses, in files of Qwen3.5 and
   * Qwen3-Next, a token at a time. draft: what draftModel says, which is the default where it is given. */
  speculation?: 'none' | 'ngram' | 'mtp' | 'draft';
  /** A smaller model with the same vocabulary, which drafts: the URL of a GGUF file, or a name as of model. */
  draftModel?: string | URL;
  /** The most tokens of a draft; default 15. */
  draftMax?: number;
  /** Ranks of all LoRA adapters that loadLora may load at once; default 0: none. An adapter's rank is the rows of its lora_a. */
  loraRank?: number;
}

export interface Adapter {
  index: number;
  name: string;
  vendor: string;
  /** "cpu" is a software GPU: correct and slow. */
  type: string;
  features: string[];
}

export interface Info {
  name: string;
  architecture: string;
  parameters: number;
  /** On the GPU. */
  weightBytes: number;
  kvBytes: number;
  /** That a token takes of them. */
  kvTokenBytes: number;
  /** The longest context of one sequence for which the KV memory is enough, by KV type; at most what the model was trained for. */
  largestContext: Record<KVType, number>;
  /** For the states of layers without K and V, and how many sequences and snapshots have room there; 0: the model has none. */
  stateBytes: number;
  stateSlots: number;
  /** The model that drafts, '' where there is none, and what it takes on the GPU, its KV cache included. */
  draftModel: string;
  draftBytes: number;
  vocabulary: number;
  /** Tokens. */
  context: number;
  /** Tokens a step. */
  tokenBudget: number;
  blocks: number;
  blockSize: number;
  kvType: KVType;
  variant: string;
  deterministic: boolean;
  /** Whether the model has a chat template, which messages need. */
  chat: boolean;
  /** How embed() pools unless it is told: as the model says, or "mean". */
  pooling: 'mean' | 'cls' | 'last' | 'rank';
  /** The model gives embeddings or scores only. */
  noText: boolean;
  /** With its backend, driver and WebGPU's limits. */
  adapter: Adapter & {backend: string; driver: string; limits: {[name: string]: number}};
  /** The kernels that computed rightly as the model loaded, none where there was no test; those that did not, and whose baseline runs
   * in their place; and how much longer the load took for it, in milliseconds. */
  selfTest: {kernels: string[]; replaced: string[]; time: number};
  /** Compiled for this engine; compiled before, for one that was closed on this page; and the milliseconds in which at least one was
   * being compiled. */
  kernels: {compiled: number; reused: number; time: number};
  /** Milliseconds. */
  loadTime: number;
  /** Sentences about keys of the file that this version does not know and runs without, about a context beyond the model's, and about
   * kernels that failed the self-test. */
  warnings: string[];
}

/** A part of a message's content. Parts of other types, such as pictures, are refused. */
export interface TextPart {
  type: 'text';
  text: string;
}

export interface Message {
  role: 'system' | 'user' | 'assistant' | (string & {});
  /** A text, or a list of text parts: a line each, unless the model's template reads such lists itself. */
  content?: string | null | readonly TextPart[];
  /**
   * What else the chat template asks for, such as tool_calls. Keys keep their order. Integers may be BigInts, where the browser has
   * JSON.rawJSON.
   */
  [field: string]: unknown;
}

export interface Sampling {
  /** 0 takes the best token. */
  temperature: number;
  /** Draw among so many best tokens; 0: all. */
  topK: number;
  /** Draw among the best tokens that together have this probability. */
  topP: number;
  /** Draw among tokens at least so many times as probable as the best; 0: all. */
  minP: number;
}

/** What to generate from: exactly one of prompt, messages and ids. */
export interface Request extends Partial<Sampling> {
  /** Text that is continued as it is; special tokens in it are parsed. */
  prompt?: string;
  /** A conversation, written with the model's chat template. */
  messages?: readonly Message[];
  /**
   * Of a conversation that is longer than the context has room for: auto leaves its oldest turns out, but no system message, and the
   * generation's dropped says how many messages. Default: disabled, which fails then.
   */
  truncation?: 'auto' | 'disabled';
  /** Token ids. */
  ids?: readonly number[];
  /** Default: until the model ends or the context is full. */
  maxTokens?: number;
  /** Before so many tokens no end token is drawn and no stop text ends the answer; default 0. */
  minTokens?: number;
  /** The same seed gives the same text; up to 64 bits. Default: random. */
  seed?: number | bigint;
  /** A text, or several, that end generation; they are not part of the output. They may be or hold names of control tokens. */
  stop?: string | readonly string[];
  /** Cancels the request; reading it then throws the signal's reason. */
  signal?: AbortSignal;
  /** Log-probabilities of each token and of so many best ones, at most 20. */
  logprobs?: number;
  /** The most tokens of a draft (speculation of Quire.open); below 0: none. With logitBias, penalties, dry and beams there is none. */
  draftMax?: number;
  /** Go on past end tokens. */
  ignoreEnd?: boolean;
  /** Show special tokens in the text. */
  special?: boolean;
  /** A JSON Schema that the text follows. What of it is not supported fails by name. Of schema, grammar and regex one at most. */
  schema?: JSONSchema;
  /** A grammar that the text follows, as llama.cpp writes them (GBNF). */
  grammar?: string;
  /** A regular expression that the whole text matches. */
  regex?: string;
  /** The lower, the sooner. */
  priority?: number;
  /** Turns are shared out among tenants. */
  tenant?: string;
  /** Cached blocks are shared only among requests with an equal one. */
  salt?: string;
  /** Adapters that change the model for this request; several add up. Requests with others, or none, run beside it. */
  lora?: LoraUse | readonly LoraUse[];
  /** Answers to give, computed from one prompt whose blocks they share; default 1. Answer i is drawn with seed + i. */
  n?: number;
  /** Answers to draw, of which the n with the best mean log-probability are given; default n. */
  bestOf?: number;
  /** Searches instead of drawing: so many beams, or how. Does not go with a temperature above 0, bestOf, stop and what follows here. */
  beams?: number | Options<Beams>;

  /** Added to tokens' logits, by their ids: -100 to 100. It comes before penalties, and these in this order before the temperature. */
  logitBias?: {readonly [id: number]: number};
  /** Logits of tokens that the prompt or the answer has are divided by it where they are positive, and multiplied where not; default 1: none. */
  repetitionPenalty?: number;
  /** Taken off a token's logit as often as the answer has it: -2 to 2; default 0. */
  frequencyPenalty?: number;
  /** Taken off the logit of a token that the answer has: -2 to 2; default 0. */
  presencePenalty?: number;
  /** Penalises tokens that would go on repeating a sequence: a multiplier, such as 0.8, or how; default 0: off. */
  dry?: number | Options<Dry>;
}

/** DRY ("don't repeat yourself"): where the last n tokens came before, multiplier · base^(n - allowedLength) is taken off the logit of
 * the token that followed there. */
export interface Dry {
  /** 0: off. */
  multiplier: number;
  /** Default 1.75. */
  base?: number;
  /** Tokens that may be repeated; default 2. */
  allowedLength?: number;
  /** Tokens from the end that are looked at; default 0: all, the prompt too. */
  range?: number;
  /** Texts at which sequences end; default: line break, colon, quote and asterisk. */
  breakers?: readonly string[];
}

/** A LoRA adapter that is loaded. */
export interface Lora {
  /** What the API's requests call it. */
  readonly name: string;
  /** Takes it away from requests to come. Its room is free once those that run with it have ended. */
  drop(): Promise<void>;
}

/** An adapter, times a scale (default 1). */
export type LoraUse = Lora | {adapter: Lora; scale?: number};

export interface Beams {
  /** Texts that go on at each step. */
  width: number;
  /** Texts are ranked by their log-probability over their length to this power; default 0: by the sum. */
  lengthPenalty?: number;
  /** When a search with width ended texts stops: none that goes on is better (the default), at once, or none can ever be better. */
  earlyStopping?: 'heuristic' | 'width' | 'never';
}

export interface Candidate {
  id: number;
  /** Before temperature. */
  logit: number;
  logprob: number;
}

export interface Token extends Candidate {
  /** The best tokens, best first. */
  top: Candidate[] | null;
}

/** What is new of an answer: whole characters of text, which may be none, and the tokens that came. */
export interface Chunk {
  /** Of the answer; 0 unless more than one is asked for. */
  index: number;
  text: string;
  ids: number[];
  logprobs?: Token[];
}

/** One of prompt, messages and ids, and how it is embedded. */
export interface EmbedRequest {
  /** A text as it is; special tokens in it are parsed, and the first and last tokens that the vocabulary asks for are added. */
  prompt?: string;
  /** A conversation, written with the model's chat template. */
  messages?: readonly Message[];
  /** Token ids. */
  ids?: readonly number[];
  /** Which tokens make the vector: all, the first or the last; or a score, of models that rank. Default: info.pooling. */
  pooling?: 'mean' | 'cls' | 'last' | 'rank';
  /** Whether the vector is divided by its length; default true. */
  normalize?: boolean;
  /** The lower, the sooner; default 0. */
  priority?: number;
  /** Turns are shared out among tenants. */
  tenant?: string;
  /** Cached blocks are shared only among requests with an equal one. */
  salt?: string;
  /** Adapters that change the model for this request; several add up. */
  lora?: LoraUse | readonly LoraUse[];
  /** Ends the request; the promise rejects. */
  signal?: AbortSignal;
}

export interface Embedding {
  /** Not with the pooling "rank". */
  embedding?: Float32Array;
  /** With the pooling "rank": one a label of the model; the first is a reranker's. */
  scores?: number[];
  promptIds: number[];
  figures: RequestFigures;
}

export interface RequestFigures {
  promptTokens: number;
  cachedTokens: number;
  generatedTokens: number;
  /** Of drafts that were verified, and those among them that were right. */
  draftedTokens: number;
  acceptedTokens: number;
  /** Milliseconds from the request to its first token. */
  timeToFirst: number;
  promptPerSecond: number;
  decodePerSecond: number;
  /** The most blocks held. */
  blocks: number;
}

export interface Choice {
  /** From 0; with beams, and with bestOf over n, the best is first. */
  index: number;
  reason: 'stop' | 'length' | 'cancelled';
  /** With the reason "length": maxTokens, or the end of the context. */
  limit?: 'maxTokens' | 'context';
  text: string;
  ids: number[];
  logprobs?: Token[];
  /** The sum of the tokens' log-probabilities; 0 where nothing asks for them. */
  logprob: number;
  /** What answers are ranked by. */
  score: number;
}

/** The end of a request. What it says of text and tokens is the first answer's. */
export interface Result {
  /** An end token or stop text, a limit, or cancel(). */
  reason: 'stop' | 'length' | 'cancelled';
  /** With the reason "length": maxTokens, or the end of the context. */
  limit?: 'maxTokens' | 'context';
  text: string;
  ids: number[];
  promptIds: number[];
  seed: number | bigint;
  logprobs?: Token[];
  choices: Choice[];
  figures: RequestFigures;
}

/** One request's output. Leaving a for await loop over it early cancels it. */
export interface Generation extends AsyncIterable<Chunk> {
  /** Resolves at the end; rejects when the request fails or its signal aborts. */
  readonly result: Promise<Result>;
  /** The prompt's token ids, once the engine has taken the request. */
  readonly promptIds: number[];
  /** With truncation "auto", how many messages were left out, once the engine has taken the request. */
  readonly dropped: number;
  /** Ends the request; what has come stays, and the result's reason is "cancelled". */
  cancel(): void;
}

/** A conversation that can be saved, and loaded at another time or place. */
export interface Session {
  /** The token ids so far: of prompts and, of each, the first answer. */
  readonly ids: number[];
  /**
   * Starts generating, one request at a time, from what was said so far and the request: a prompt or ids are more of the text, and
   * messages, once the session has begun, are one, the user's next.
   */
  generate(request: Options<Request>): Generation;
  /**
   * Gives a file of the conversation, and of what the KV cache has of it; other requests wait meanwhile. The model it was saved with
   * goes on from it with the same text, wherever it is loaded.
   */
  save(): Promise<Blob>;
  /** Has the browser keep by now what was said, of a session that quire.keptSession gave. */
  keep(): Promise<void>;
}

/** A conversation that the browser keeps. */
export interface KeptSession {
  name: string;
  bytes: number;
  saved: Date;
}

/** The conversations that the browser keeps for this origin, in its private files (OPFS). */
export interface Sessions {
  /** The last saved first. */
  list(): Promise<KeptSession[]>;
  /** Waits where it is being saved, and has that go, too. */
  remove(name: string): Promise<void>;
}

export class QuireError extends Error {
  /** Of a call of the API: the status and the fields that a server would answer. */
  readonly status?: number;
  readonly type?: string | null;
  /** The field that is wrong. */
  readonly param?: string | null;
  readonly code?: string | null;
  readonly name:
    | 'ErrNoAdapter' | 'ErrDeviceLost' | 'ErrOutOfMemory' | 'ErrUnsupportedModel' | 'ErrUnsupportedAdapter' | 'ErrUnsupportedTokenizer'
    | 'FormatError' | 'KindError' | 'MetadataError' | 'ShaderError' | 'ErrContextTooLong' | 'ErrQueueFull' | 'ErrTemplate'
    | 'ErrNotNumbers' | 'ErrBadRequest' | 'ErrClosed' | 'ErrCrashed' | 'SelfTestError'
    /** Of a session that is loaded: it is no session, the file is cut short or altered, or it was saved with another model, kvType or
     * blockSize. */
    | 'ErrSessionFormat' | 'ErrSessionDamaged' | 'ErrSessionModel'
    /** Of the network; the message says what to do. */
    | 'ErrNotFound' | 'ErrForbidden' | 'ErrCORS' | 'ErrUnreachable' | 'ErrCut' | 'ErrSilent' | 'ErrBusy' | 'ErrServer'
    | 'ErrWebPage' | 'ErrEncoded' | 'ErrChanged' | 'ErrBadAddress'
    /** Of what is fetched or kept: other bytes than the hub names; no room; the browser keeps nothing; the model is open. */
    | 'ErrDamaged' | 'ErrNoRoom' | 'ErrNoStorage' | 'ErrInUse'
    | 'Error';
}

/** A model in a worker of its own, which runs many requests at once. Errors are QuireErrors. */
export interface Quire extends Calls {}

export class Quire {
  private constructor();
  /**
   * Starts a worker, loads a model and compiles what one request at a time needs. What makes several faster is compiled meanwhile, for as
   * many as there are, once the first of them has a token: the first seconds of them are slower. A page that will have eight at once may
   * ask for eight answers of one token before anybody waits for them.
   */
  static open(options: Options<OpenOptions>): Promise<Quire>;
  /** Lists the adapters that WebGPU offers, the best first. */
  static adapters(): Promise<Adapter[]>;
  /** Measures attention's tiles on an adapter and remembers the fastest in localStorage; every later open uses them. */
  static tune(options?: Options<TuneOptions> | null): Promise<Tuned>;
  /** Forgets what tune has remembered. */
  static forgetTuning(): void;
  /** The models that the browser keeps for this origin. */
  static readonly models: Models;
  /** The conversations that the browser keeps for this origin. */
  static readonly sessions: Sessions;
  readonly info: Readonly<Info>;
  /** Resolves when the browser keeps all of the model, or it is known that it does not. */
  readonly kept: Promise<Readonly<Kept>>;
  /** Sampling parameters that requests leave out. */
  readonly defaults: Readonly<Sampling>;
  /** Starts generating. Read the chunks with for await, or only await its result. It never throws: what is wrong with a request, both tell. */
  generate(request: Options<Request>): Generation;
  /**
   * A fetch whose server is this engine, whatever the host is called: clients of the OpenAI API take it, for example
   * new OpenAI({baseURL: 'http://quire/v1', apiKey: 'none', dangerouslyAllowBrowser: true, fetch: quire.fetch}).
   */
  readonly fetch: typeof globalThis.fetch;
  /** Gives the embedding of a text, or its score where the model ranks; of a list, those of all, computed together. */
  embed(request: string | Options<EmbedRequest>): Promise<Embedding>;
  embed(requests: readonly (string | Options<EmbedRequest>)[]): Promise<Embedding[]>;
  /** Looks at what attention of one layer makes of a prompt's last token: for lessons, and for those who want to see inside. */
  look(request: Options<LookRequest>): Promise<Look>;
  /**
   * Loads a LoRA adapter in GGUF (its URL, or a File or Blob of it) for requests to name, while others run. There must be room:
   * loraRank of open(). The API's requests know it by the name; default: the file's, without .gguf.
   */
  loadLora(adapter: string | URL | Blob, options?: Options<{name?: string}> | null): Promise<Lora>;
  /** Starts a conversation that can be saved. */
  session(): Session;
  /** Goes on with a conversation that was saved: what was computed for it comes back into the KV cache, as far as there is room. */
  loadSession(file: Blob): Promise<Session>;
  /**
   * Goes on with the conversation that the browser keeps under a name, without computing it again, or begins it. It is kept soon after
   * each answer, when the page is hidden or left, and by close(). Where it was saved with another model, kvType or blockSize this is
   * ErrSessionModel, and Quire.sessions.remove makes room for a new one.
   */
  keptSession(name: string): Promise<Session>;
  /**
   * Has the browser keep a conversation by its token ids, and what the KV cache has of them, in place of what it kept under the name:
   * for hosts that generate without a session. quire.keptSession goes on from it, and so does any request whose prompt begins like it,
   * once that has resolved.
   */
  keepSession(name: string, ids: Iterable<number>): Promise<void>;
  /** Gives a text's token ids. No BOS or EOS is added. */
  encode(text: string, options?: Options<{special?: boolean}> | null): Promise<number[]>;
  /** Gives the text of token ids. */
  decode(ids: Iterable<number>, options?: Options<{special?: boolean}> | null): Promise<string>;
  /** Says what the engine does right now. */
  stats(): Promise<Stats>;
  /** Says where the time of steps has gone since this was first asked for, or since the GPU was last lost. What one step costs is the
   * difference of two answers over that of their steps. */
  hostTimes(): Promise<HostTimes>;
  /** Shows the KV cache's blocks: now, and whenever they have changed, at most ten times a second. Returns what ends it. */
  watch(watcher: (cache: Cache) => void): () => void;
  /** Ends all generations and gives the GPU's memory back. For ten seconds the worker waits for another open, which needs to compile
   * none of the same kernels. */
  close(): Promise<void>;
}
