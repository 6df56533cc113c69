import type {ChatCompletion, ChatCompletionChunk, ChatRequest, Completion, CompletionRequest, Embeddings, EmbeddingsRequest, OpenOptions, Reranked, RerankRequest} from '../quire.js';

export interface LoadModelParams {
  n_ctx?: number;
  n_batch?: number;
  n_parallel?: number;
  seed?: number;
  cache_type_k?: 'f32' | 'f16' | 'q8_0';
  cache_type_v?: 'f32' | 'f16' | 'q8_0';
  pooling_type?: string;
  default_template_kwargs?: {readonly [name: string]: unknown};
  progressCallback?: (progress: {loaded: number; total: number}) => void;
  signal?: AbortSignal;
  /** false keeps nothing in the browser. */
  useCache?: boolean;
  /** Threads, layers on the GPU and their likes, of which nothing comes. */
  [name: string]: unknown;
}

interface Names {
  temp?: number;
  penalty_repeat?: number;
  penalty_freq?: number;
  penalty_present?: number;
  abortSignal?: AbortSignal;
}

type Of<Request> = Omit<Request, 'logit_bias'> & Names & {logit_bias?: {readonly [id: string]: number} | readonly {token: number; bias: number}[]};

interface Create<Request, Answer, Event> {
  (options: Of<Request> & {stream: true; onData: (data: Event) => void}): Promise<void>;
  (options: Of<Request> & {stream: true}): Promise<AsyncIterable<Event>>;
  (options: Of<Request> & {stream?: false}): Promise<Answer>;
}

export declare class Wllama {
  /** There are no paths to give: the program is found beside the package. */
  constructor(paths?: unknown, config?: {parallelDownloads?: number; [name: string]: unknown});
  /** There is one way for all browsers. */
  setCompat(compat: unknown, mode?: string): void;
  isSupportWebGPU(): boolean;
  isMultithread(): boolean;
  getNumThreads(): number;
  supportInputModality(modality: 'image' | 'audio'): boolean;
  loadModelFromUrl(source: string | {url: string}, params?: LoadModelParams): Promise<void>;
  loadModelFromHF(source: {repo: string; file?: string; quant?: string; hfToken?: string}, params?: LoadModelParams): Promise<void>;
  loadModel(model: OpenOptions['model'], params?: LoadModelParams): Promise<void>;
  isModelLoaded(): boolean;
  getModelMetadata(): {hparams: {nVocab: number; nCtxTrain: number}; meta: {[name: string]: string}};
  getLoadedContextInfo(): {
    n_vocab: number; n_ctx: number; n_batch: number; has_chat: boolean; has_image_input: boolean; has_audio_input: boolean; has_audio_output: boolean;
  };
  readonly createChatCompletion: Create<ChatRequest, ChatCompletion, ChatCompletionChunk>;
  readonly createCompletion: Create<CompletionRequest, Completion, Completion>;
  createEmbedding(options: EmbeddingsRequest & {embd_normalize?: number}): Promise<Embeddings>;
  createRerank(options: RerankRequest): Promise<Reranked>;
  exit(): Promise<void>;
}
