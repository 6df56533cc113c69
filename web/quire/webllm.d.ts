import type {ChatCompletion, ChatCompletionChunk, ChatRequest, Completion, CompletionRequest, Embeddings, EmbeddingsRequest, OpenOptions, Options} from '../quire.js';

export interface InitProgressReport {
  /** From 0 to 1. */
  progress: number;
  /** Seconds. */
  timeElapsed: number;
  text: string;
}

/** Beside these, what Quire.open takes. */
export interface MLCEngineConfig extends Options<Omit<OpenOptions, 'model' | 'onProgress'>> {
  initProgressCallback?: (report: InitProgressReport) => void;
  /** Models by id: model is the address of a GGUF file. */
  appConfig?: AppConfig;
  logLevel?: string;
}

export interface AppConfig {
  model_list: readonly {model_id: string; model: string; overrides?: ChatOptions; [field: string]: unknown}[];
  [field: string]: unknown;
}

export interface ChatOptions {
  context_window_size?: number;
  temperature?: number;
  top_p?: number;
  repetition_penalty?: number;
  frequency_penalty?: number;
  presence_penalty?: number;
}

type Extra = {extra_body?: {enable_thinking?: boolean | null}};
type Chat = ChatRequest & Extra;
type Model = OpenOptions['model'] | readonly string[];

interface Create<Request, Answer, Event> {
  (request: Request & {stream: true}): Promise<AsyncIterable<Event>>;
  (request: Request & {stream?: false | null}): Promise<Answer>;
}

export declare function CreateMLCEngine(model: Model, config?: MLCEngineConfig, chatOptions?: ChatOptions | readonly ChatOptions[]): Promise<MLCEngine>;
export declare function CreateWebWorkerMLCEngine(worker: unknown, model: Model, config?: MLCEngineConfig, chatOptions?: ChatOptions | readonly ChatOptions[]): Promise<MLCEngine>;

/** What the worker's script makes: it has nothing to do. */
export declare class WebWorkerMLCEngineHandler {
  onmessage(event: unknown): void;
}

/** Has no models: WebLLM's own are no GGUF files. */
export declare const prebuiltAppConfig: AppConfig;
export declare function hasModelInCache(model: string, appConfig?: AppConfig): Promise<boolean>;
export declare function deleteModelInCache(model: string, appConfig?: AppConfig): Promise<void>;
export declare function deleteModelAllInfoInCache(model: string, appConfig?: AppConfig): Promise<void>;

export declare class MLCEngine {
  constructor(config?: MLCEngineConfig);
  readonly chat: {readonly completions: {readonly create: Create<Chat, ChatCompletion, ChatCompletionChunk>}};
  readonly completions: {readonly create: Create<CompletionRequest, Completion, Completion>};
  readonly embeddings: {create(request: EmbeddingsRequest): Promise<Embeddings>};
  readonly chatCompletion: Create<Chat, ChatCompletion, ChatCompletionChunk>;
  readonly completion: Create<CompletionRequest, Completion, Completion>;
  embedding(request: EmbeddingsRequest): Promise<Embeddings>;
  setInitProgressCallback(callback: (report: InitProgressReport) => void): void;
  getInitProgressCallback(): ((report: InitProgressReport) => void) | undefined;
  setAppConfig(appConfig: AppConfig): void;
  setLogLevel(level: string): void;
  reload(model: Model, chatOptions?: ChatOptions | readonly ChatOptions[]): Promise<void>;
  unload(): Promise<void>;
  /** Streams end; an answer that is asked for as a whole is rejected with an AbortError. */
  interruptGenerate(): void;
  resetChat(): Promise<void>;
  /** The last answer's text. */
  getMessage(): Promise<string>;
  getGPUVendor(): Promise<string>;
  getMaxStorageBufferBindingSize(): Promise<number>;
}
