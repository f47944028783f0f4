/** What is measured. Batches have the same number of rows and of tokens a row, without padding. */

export const ROWS = 32;
export const TOKENS = 256;

export type CaseName = "bert" | "bert-top" | "bert-inference" | "scratch" | "scratch-inference";

export interface Case {
  readonly title: string;
  readonly model: "bert" | "scratch";
  /** Whether a step trains, or only computes logits. */
  readonly training: boolean;
  /** Layers that are trained, on what the ones below have computed before; absent, all are, from token ids on. */
  readonly trainableLayers?: number;
}

export const CASES: Readonly<Record<CaseName, Case>> = {
  bert: { title: "MiniLM-L6, step, all layers", model: "bert", training: true },
  "bert-top": {
    title: "MiniLM-L6, step, top 2 of 6 on the cached prefix",
    model: "bert",
    training: true,
    trainableLayers: 2,
  },
  "bert-inference": { title: "MiniLM-L6, inference", model: "bert", training: false },
  scratch: { title: "from scratch, step", model: "scratch", training: true },
  "scratch-inference": { title: "from scratch, inference", model: "scratch", training: false },
};

/** Where ours computes: on the processor, beside PyTorch on as many threads, or on the GPU, beside PyTorch with CUDA. */
export const BACKENDS = ["wasm", "webgpu"] as const;

/** What a peer is started with, as JSON. */
export interface Task {
  readonly name: CaseName;
  readonly backend: (typeof BACKENDS)[number];
  readonly case: Case;
  readonly threads: number;
  readonly rows: number;
  readonly tokens: number;
  /** Folder of MiniLM-L6. */
  readonly model: string;
  /** Where ours writes, and PyTorch reads, the weights that are not in the model's file. */
  readonly weights: string;
}

/** Its first line. */
export interface Ready {
  /** The loss of the batch before training, without dropout, on which all have to agree. */
  readonly loss: number;
  readonly versions: Readonly<Record<string, string>>;
}

/** Its answer to a number of steps. */
export interface Measured {
  /** Of each step, in milliseconds. */
  readonly times: readonly number[];
  /** Largest resident memory of the process so far. */
  readonly peakBytes: number;
  /** That all its threads have computed since it started. */
  readonly processorSeconds: number;
}
