// Tiles of attention, measured on this adapter.

export interface TuneOptions {
  /** An index in Quire.adapters() or part of a name; default: the best. */
  adapter?: string;
  /** Measure less, for a first impression. */
  quick?: boolean;
  /** Told of the engine's download, as stage 'engine' with done and total in bytes (total 0 where it is not known), and then of each
   * measurement as it begins. */
  onProgress?: (progress: { stage: string; done: number; total: number }) => void;
  /** Gives up measuring. */
  signal?: AbortSignal;
}

/** What Quire.tune measured. */
export interface Tuned {
  adapter: string;
  tried: {
    kind: 'forward' | 'decode';
    headDim: number;
    tile: string;
    /** Keys that decode gives a workgroup, where that was tried. */
    span?: number;
    /** Of one launch. */
    seconds: number;
    /** 10¹² operations. */
    tflopPerSecond?: number;
    /** 10⁹ bytes. */
    gbPerSecond?: number;
    best: boolean;
    /** Why it was not measured. */
    skipped?: string;
  }[];
  /** By head dim: the tiles that are used from now on. */
  best: { headDim: number; prefill: string; matrix?: string; decode: string; units?: number }[];
}
