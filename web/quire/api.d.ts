// The API's requests and answers, as the OpenAI API has them, and what llama-server, vLLM and Quire have beside.

import type {Lora, Options} from '../quire.js';

/** Beside a request. */
export interface CallOptions {
  /** Ends the request: its promise and its stream reject with the signal's reason. */
  signal?: AbortSignal;
  headers?: Record<string, string>;
}

/** Requests may have fields that are not known here: they are passed over. */
type Open<T> = Options<T> & {readonly [field: string]: unknown};

/** What comes of a request with stream: true. Leaving a for await loop over it early ends the request. */
export interface EventStream<Event> extends AsyncIterable<Event> {
  readonly controller: AbortController;
  /** Ends the request, and the loop, without an error. */
  abort(): void;
}

/** A stream, once the request is found right; a for await loop need not wait for that. */
export type StreamPromise<Event> = Promise<EventStream<Event>> & EventStream<Event>;

/** How tokens are drawn. What is left out is as the model's file says, or the reference API. */
export interface SamplingFields {
  /** 0 takes the best token. */
  temperature?: number;
  top_p?: number;
  /** Draw among so many best tokens; 0: all. */
  top_k?: number;
  /** Draw among tokens at least so many times as probable as the best. */
  min_p?: number;
  /** From -2 to 2: off the logits of tokens that the answer has. */
  presence_penalty?: number;
  /** From -2 to 2: off the logits of tokens as often as the answer has them. */
  frequency_penalty?: number;
  /** Above 1: tokens of prompt and answer are less probable; 1: none. */
  repetition_penalty?: number;
  /** DRY: against repeating what was said, by how much; 0: not at all. */
  dry_multiplier?: number;
  dry_base?: number;
  /** Repeats up to so many tokens cost nothing. */
  dry_allowed_length?: number;
  /** So many last tokens are looked at. */
  dry_penalty_last_n?: number;
  dry_sequence_breakers?: readonly string[];
  /** By token id, what is added to its logit, from -100 to 100. */
  logit_bias?: {readonly [token: string]: number};
  /** The same seed gives the same text. */
  seed?: number | bigint;
  /** Before so many tokens the answer does not end. */
  min_tokens?: number;
  /** Go on past end tokens. */
  ignore_eos?: boolean;
  /** false shows special tokens in the text. */
  skip_special_tokens?: boolean;
  /** Searches instead of drawing, with so many beams. */
  beams?: number;
  length_penalty?: number;
  early_stopping?: boolean | 'never';
}

/** A JSON Schema, draft 2020-12. */
export type JSONSchema = boolean | {readonly [keyword: string]: unknown};

/** A JSON Schema that an answer follows, strict or not: what of it is not supported is refused by name. */
export interface NamedSchema {
  name: string;
  description?: string;
  schema?: JSONSchema;
  strict?: boolean | null;
}

export type ResponseFormat = {type: 'text'} | {type: 'json_object'; schema?: JSONSchema | string} | {type: 'json_schema'; json_schema: NamedSchema} | {type: 'grammar'; grammar: string};

/** What a text must be, of which a request has one at most; vLLM's and llama.cpp's names are taken too. */
export interface FormFields {
  /** As llama.cpp writes grammars (GBNF). */
  grammar?: string;
  /** The whole text matches it. */
  regex?: string;
  json_schema?: JSONSchema;
}

/** What Quire has beside the reference. */
export interface QuireFields extends FormFields {
  /** The lower, the sooner. */
  priority?: number;
  /** Only requests of the same salt share cached blocks. */
  cache_salt?: string;
  /** Seconds, after which the request ends with an error. */
  deadline?: number;
  /** Adapters that loadLora has loaded: they, or their names. */
  lora?: LoraField | readonly LoraField[];
}

export type LoraField = Lora | string | {name: string; scale?: number};

export interface ChatTool {
  type: 'function';
  function: {name: string; description?: string; /** A JSON schema. */ parameters?: {readonly [key: string]: unknown}; strict?: boolean | null};
}

export interface ToolCall {
  id: string;
  type: 'function';
  /** Arguments are JSON. */
  function: {name: string; arguments: string};
}

export interface ChatMessage {
  role: 'system' | 'developer' | 'user' | 'assistant' | 'tool' | (string & {});
  content?: string | null | readonly {type: 'text'; text: string}[];
  tool_calls?: readonly ToolCall[];
  tool_call_id?: string;
  readonly [field: string]: unknown;
}

export interface ChatRequest extends SamplingFields, QuireFields {
  model?: string;
  messages: readonly ChatMessage[];
  stream?: boolean;
  stream_options?: {include_usage?: boolean};
  max_completion_tokens?: number;
  max_tokens?: number;
  n?: number;
  /** So many draws, of which the n likeliest are given. */
  best_of?: number;
  stop?: string | readonly string[];
  logprobs?: boolean;
  top_logprobs?: number;
  tools?: readonly ChatTool[];
  /** With required, or a function, there is a call, whose arguments follow the function's schema. */
  tool_choice?: 'none' | 'auto' | 'required' | {type: 'function'; function: {name: string}} |
    {type: 'allowed_tools'; allowed_tools: {mode: 'auto' | 'required'; tools: readonly {type: 'function'; function: {name: string}}[]}};
  parallel_tool_calls?: boolean;
  /** How the model writes calls; default: as its chat template tells. */
  tool_format?: string;
  /** "none" leaves thoughts in the answer. */
  reasoning_format?: 'none' | 'auto' | 'deepseek';
  reasoning_effort?: 'none' | 'minimal' | 'low' | 'medium' | 'high' | (string & {});
  /** Go on with the last message, an assistant's. */
  continue_final_message?: boolean;
  /** false does not begin the assistant's turn. */
  add_generation_prompt?: boolean;
  /** What the answer must be, behind what the model thinks. */
  response_format?: ResponseFormat;
  /** "auto" leaves out the oldest turns of a conversation that is longer than the context. */
  truncation?: 'auto' | 'disabled';
  /** What the model's chat template takes, such as {enable_thinking: false}. */
  chat_template_kwargs?: {readonly [name: string]: unknown};
  /** Turns are shared out among users. */
  user?: string;
}

export interface Usage {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
  prompt_tokens_details?: {cached_tokens?: number};
}

export interface TokenLogprob {
  token: string;
  logprob: number;
  bytes: number[] | null;
}

export interface ChatLogprobs {
  content: (TokenLogprob & {top_logprobs: TokenLogprob[]})[] | null;
}

export type FinishReason = 'stop' | 'length' | 'tool_calls';

export interface ChatCompletion {
  id: string;
  object: 'chat.completion';
  created: number;
  model: string;
  choices: {
    index: number;
    message: {
      role: 'assistant';
      content: string | null;
      /** What the model thought before it answered. */
      reasoning_content?: string | null;
      tool_calls?: ToolCall[];
    };
    logprobs?: ChatLogprobs | null;
    finish_reason: FinishReason;
  }[];
  usage: Usage;
  /** Messages that truncation: "auto" left out. */
  dropped?: number;
  /** What was passed over. */
  warnings?: string[];
}

export interface ChatCompletionChunk {
  id: string;
  object: 'chat.completion.chunk';
  created: number;
  model: string;
  choices: {
    index: number;
    delta: {
      role?: 'assistant';
      content?: string | null;
      reasoning_content?: string | null;
      tool_calls?: {index: number; id?: string; type?: 'function'; function?: {name?: string; arguments?: string}}[];
    };
    logprobs?: ChatLogprobs | null;
    finish_reason: FinishReason | null;
  }[];
  usage?: Usage | null;
  /** In the last chunk: messages that truncation: "auto" left out. */
  dropped?: number;
}

export interface CompletionRequest extends SamplingFields, QuireFields {
  model?: string;
  /** A text, token ids, or a list of either. */
  prompt: string | readonly string[] | readonly number[] | readonly (readonly number[])[];
  stream?: boolean;
  stream_options?: {include_usage?: boolean};
  max_tokens?: number;
  n?: number;
  best_of?: number;
  echo?: boolean;
  stop?: string | readonly string[];
  logprobs?: number;
  user?: string;
}

export interface Completion {
  id: string;
  object: 'text_completion';
  created: number;
  model: string;
  choices: {
    index: number;
    text: string;
    logprobs?: {tokens: string[]; token_logprobs: (number | null)[]; top_logprobs: ({[token: string]: number} | null)[] | null; text_offset: number[]} | null;
    finish_reason: 'stop' | 'length' | null;
  }[];
  usage?: Usage | null;
}

export interface EmbeddingsRequest {
  model?: string;
  input: string | readonly string[] | readonly number[] | readonly (readonly number[])[];
  encoding_format?: 'float' | 'base64';
  /** The model's: vectors are not cut. */
  dimensions?: number;
  /** Default: as the model's file says. */
  pooling?: 'mean' | 'cls' | 'last';
  /** false leaves vectors as they are, not divided by their length. */
  normalize?: boolean;
  priority?: number;
  user?: string;
}

export interface Embeddings {
  object: 'list';
  model: string;
  /** Numbers, or a text in base64. */
  data: {object: 'embedding'; index: number; embedding: number[]}[];
  usage: {prompt_tokens: number; total_tokens: number};
}

export interface ResponsesRequest extends SamplingFields, QuireFields {
  model?: string;
  /** Nothing is kept: an input is the whole conversation. */
  input: string | readonly {readonly [field: string]: unknown}[];
  instructions?: string;
  stream?: boolean;
  max_output_tokens?: number;
  /** "auto" leaves out the oldest turns of a conversation that is longer than the context. */
  truncation?: 'auto' | 'disabled';
  reasoning?: {effort?: 'none' | 'minimal' | 'low' | 'medium' | 'high' | (string & {}) | null} | null;
  top_logprobs?: number;
  parallel_tool_calls?: boolean;
  chat_template_kwargs?: {readonly [name: string]: unknown};
  metadata?: {readonly [name: string]: string};
  user?: string;
  tools?: readonly {type: 'function'; name: string; description?: string; parameters?: {readonly [key: string]: unknown} | null; strict?: boolean | null}[];
  tool_choice?: 'none' | 'auto' | 'required' | {type: 'function'; name: string} |
    {type: 'allowed_tools'; mode: 'auto' | 'required'; tools: readonly {type: 'function'; name: string}[]};
  /** What the answer must be, behind what the model thinks. */
  text?: {format?: {type: 'text'} | {type: 'json_object'} | ({type: 'json_schema'} & NamedSchema) | {type: 'grammar'; grammar: string}};
  store?: false;
}

export interface ModelResponse {
  id: string;
  object: 'response';
  created_at: number;
  model: string;
  status: 'completed' | 'incomplete' | 'failed' | 'in_progress';
  incomplete_details: {reason: string} | null;
  output: ({type: 'message' | 'function_call' | 'reasoning' | (string & {}); readonly [field: string]: unknown})[];
  usage: {input_tokens: number; output_tokens: number; total_tokens: number} | null;
  readonly [field: string]: unknown;
}

export interface ResponseEvent {
  type: string;
  sequence_number: number;
  readonly [field: string]: unknown;
}

export interface RerankRequest {
  model?: string;
  query: string;
  documents: readonly (string | {text: string})[];
  top_n?: number;
  return_documents?: boolean;
  /** Scores as the model gives them, not between 0 and 1. */
  raw_scores?: boolean;
  priority?: number;
  user?: string;
}

export interface Reranked {
  model: string;
  /** The most relevant first. */
  results: {index: number; relevance_score: number; document?: {text: string}}[];
  usage: {total_tokens: number; [field: string]: unknown};
}

export interface ModelEntry {
  id: string;
  object: 'model';
  created: number;
  owned_by: string;
  /** Of a server's LoRA adapter: its model. */
  parent?: string;
  /** The context, in tokens. */
  max_model_len?: number;
  loaded: boolean;
}

/** A call that streams or not. */
interface Create<Request, Answer, Event> {
  create(request: Open<Request> & {stream: true}, options?: Options<CallOptions> | null): StreamPromise<Event>;
  create(request: Open<Request> & {stream?: false | null}, options?: Options<CallOptions> | null): Promise<Answer>;
  create(request: Open<Request>, options?: Options<CallOptions> | null): Promise<Answer | EventStream<Event>>;
}

/** The API's calls, named as the openai client names them. */
export interface Calls {
  readonly chat: {readonly completions: Create<ChatRequest, ChatCompletion, ChatCompletionChunk>};
  readonly completions: Create<CompletionRequest, Completion, Completion>;
  readonly responses: Create<ResponsesRequest, ModelResponse, ResponseEvent>;
  readonly embeddings: {create(request: Open<EmbeddingsRequest>, options?: Options<CallOptions> | null): Promise<Embeddings>};
  readonly models: {
    list(options?: Options<CallOptions> | null): Promise<{object: 'list'; data: ModelEntry[]}>;
    retrieve(model: string, options?: Options<CallOptions> | null): Promise<ModelEntry>;
  };
  rerank(request: Open<RerankRequest>, options?: Options<CallOptions> | null): Promise<Reranked>;
  /** As llama-server has it. */
  tokenize(request: Open<{content: string; add_special?: boolean; parse_special?: boolean; with_pieces?: boolean}>, options?: Options<CallOptions> | null):
    Promise<{tokens: number[] | {id: number; piece: string | number[]}[]}>;
  detokenize(request: Open<{tokens: readonly number[]}>, options?: Options<CallOptions> | null): Promise<{content: string}>;
}
