// The models that the browser keeps.

import type {Options, Progress} from '../quire.js';

/** Whether the browser keeps the model that is open. */
export interface Kept {
  kept: boolean;
  /** Where its weights came from. */
  from: 'network' | 'kept' | 'file';
  /** What Quire.models calls it. */
  name?: string;
  /** A sentence: why it is not kept, though it should be. */
  problem?: string;
}

/** A model that the browser keeps, whole or in part. */
export interface KeptModel {
  /** What it is called: Quire.open takes it. */
  name: string;
  /** All names and addresses that led to it. */
  names: string[];
  /** Bytes of all its files that are known, and those of them that are here. */
  size: number;
  bytes: number;
  /** All of it is here: it opens without the network. */
  whole: boolean;
  added: Date;
  used: Date;
  files: { url: string; size: number; bytes: number; whole: boolean; sha256?: string }[];
}

export interface PullOptions {
  onProgress?: (progress: Progress) => void;
  /** Stops; what has come stays, and the next pull goes on from there. */
  signal?: AbortSignal;
  /** As of Quire.open. */
  connections?: number;
  hub?: string;
  hubToken?: string;
}

/** Room for this origin, in bytes. */
export interface StorageRoom {
  quota: number;
  usage: number;
  free: number;
  /** Of usage: models, and conversations that were kept (Quire.sessions). */
  models: number;
  sessions: number;
  /** The browser does not remove them by itself. */
  persisted: boolean;
}

/** The models that the browser keeps for this origin, in its private files (OPFS). */
export interface Models {
  /** Those that are here, whole or in part, the last used first. */
  list(): Promise<KeptModel[]>;
  /** Fetches a model, or what is missing of it, without opening it; one that is here is compared with the server's. */
  pull(model: string | URL, options?: Options<PullOptions> | null): Promise<KeptModel>;
  /** Removes a model, and gives the bytes that it took. One that is open anywhere is not removed (ErrInUse). */
  remove(model: string | URL | KeptModel): Promise<number>;
  /** Says how much room there is. */
  storage(): Promise<StorageRoom>;
  /** Asks that the browser does not remove models by itself; some ask the visitor. Quire.open asks where nobody is asked. */
  persist(): Promise<boolean>;
}
