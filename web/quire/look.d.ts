// What attention computes of a prompt.

import type {Message} from '../quire.js';

/** One of prompt, messages and ids, and where to look. */
export interface LookRequest {
  /** A text as it is; special tokens in it are parsed. */
  prompt?: string;
  /** A conversation, written with the model's chat template. */
  messages?: readonly Message[];
  /** Token ids; at most 4,096. */
  ids?: readonly number[];
  /** Which layer's attention; default: the middle one of those that have any. */
  layer?: number;
  /** How many answers of two tokens begin, to see what blocks they share; default 1. */
  answers?: number;
}

/** What attention of one layer makes of a prompt's last token, with what it reads. Matrices lie row after row. */
export interface Look {
  layer: number;
  /** The model's layers that have attention. */
  layers: number[];
  /** The token's place in the prompt, and the first that it sees. */
  position: number;
  from: number;
  heads: number;
  kvHeads: number;
  headDim: number;
  /** A score is scale · (q·k), and where softcap is not 0 softcap · tanh(score / softcap). */
  scale: number;
  softcap: number;
  blockSize: number;
  /** The blocks of each answer; 0 stands for what a window has left behind. */
  tables: number[][];
  promptIds: number[];
  /** The answers' token ids. */
  answers: number[][];
  /** [heads][headDim]: the token's query, and what attention gave. */
  query: Float32Array;
  out: Float32Array;
  /** [tokens][kvHeads][headDim], as the KV cache has them. */
  keys: Float32Array;
  values: Float32Array;
  /** A logit a head that joins the softmax and has no value; empty where there is none. */
  sinks: Float32Array;
}
