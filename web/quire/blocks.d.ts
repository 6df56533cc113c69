// The engine's counts, and its KV cache block by block.

import type {Generation} from '../quire.js';

export interface Stats {
  /** A block is active, in a sequence's table, or free; cached ones, active or free, can serve later prompts. */
  blocks: {total: number; active: number; cached: number; free: number};
  waiting: number;
  running: number;
  steps: number;
  /** Generated since the model was opened. */
  tokens: number;
  /** Drafts that were verified, tokens of them, and those among these that were right. */
  drafts: number;
  draftedTokens: number;
  acceptedTokens: number;
  /** Of requests that gave way to others, in all and by swap to host memory. */
  preemptions: number;
  swaps: number;
  /** Of blocks, before a sequence writes what others still read. */
  copies: number;
  /** Of blocks from the prefix cache. */
  evictions: number;
  /** Of blocks, to host memory and back. */
  swapOuts: number;
  swapIns: number;
  /** Snapshots of states in the prefix cache, sequences that went on from one, and those that gave way to others. */
  snapshots: number;
  snapshotHits: number;
  snapshotsEvicted: number;
  /** Blocks of host memory, to swap to, and those among them that are free. */
  hostBlocks: number;
  hostFree: number;
  /** Places for tokens in active blocks: all, those that hold one, and the rest. */
  slotsTaken: number;
  slotsUsed: number;
  slotsWasted: number;
  /** Tokens of prompts, and those among them that the prefix cache had in whole blocks. */
  askedTokens: number;
  hitTokens: number;
  /** Tokens copied from blocks that share only their first ones. */
  partialTokens: number;
  /** The share of asked tokens that were found, over the last 1,000 requests. */
  hitRate: number;
  /** Computed tokens, of prompts and generated, again after a preemption too. */
  computed: number;
  /** Steps that have not landed. */
  inFlight: number;
  /** Tokens and sequences of the last step. */
  batchTokens: number;
  batchSequences: number;
  /** Conversations whose blocks are held, and how often one gave way. */
  pinned: number;
  pinsYielded: number;
  /** Events that nobody read in time. */
  eventsDropped: number;
  /** How often a lost GPU was set up again. */
  recoveries: number;
  /** Kernels made while the model runs that compute wrongly, by name: others do their work. */
  struckOut: string;
  /** In the last step. */
  dispatches: number;
  gpuBuffers: number;
  gpuBytes: number;
}

/** The KV cache at one moment. Arrays have one element a block. */
export interface Cache {
  /** The first in sequences that holds the block; -1: none. */
  owners: Int32Array;
  /** Sequences that hold it: 0 is free, 2 and more share it. */
  references: Uint16Array;
  /** 1 where later prompts can find the block, free or not. */
  cached: Uint8Array;
  sequences: {
    /** null: its request is one of the API's, or another tab's. */
    generation: Generation | null;
    /** Its request, by a number that counts all of the engine. */
    request: number;
    index: number;
    /** Blocks it holds: none while it waits, also after it was preempted. */
    blocks: number;
  }[];
  /** Blocks that are held more than once. */
  shared: number;
  /** What has happened since the last time. Blocks count from 1. */
  events: CacheEvent[];
  stats: Stats;
}

export interface CacheEvent {
  kind: 'removed' | 'cleared' | 'forked' | 'copied' | 'swapped out' | 'swapped in' | 'preempted';
  block?: number;
  /** Where copied and swapped blocks go. */
  to?: number;
  /** The sequence's number, and the KV group of the block, where they are not 0. */
  sequence?: number;
  group?: number;
  /** Why a request gave way by swap or by computing again: what either was thought to cost, in one unit. */
  preemption?: {sequences: number; tokens: number; blocks: number; recomputeCost: number; swapCost: number; swapped: boolean};
  generation: Generation | null;
}

/** Milliseconds of `steps` steps in all. */
export interface HostTimes {
  steps: number;
  /** Deciding what runs. */
  schedule: number;
  /** Laying steps out, and writing what the GPU has to do. */
  build: number;
  /** From Go to JavaScript and back. */
  bridge: number;
  /** Giving steps to the GPU. */
  encode: number;
  /** Saying which tokens grammars allow. */
  mask: number;
  /** For the GPU. */
  wait: number;
  /** Handing tokens to their requests. */
  give: number;
}
