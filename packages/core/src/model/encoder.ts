import type { Tensor2D, Variable } from "@tensorflow/tfjs-core";
import type { Random } from "../random.ts";

/** What an encoder may know of the step it serves. */
export interface EncodeContext {
  /** True while training: dropout is active. */
  readonly training: boolean;
  /** Numbers for dropout, fresh at every step; the same address always gives the same numbers. */
  readonly random: Random;
}

/** A float32 variable under a name that is stable across processes (tfjs's own names are not). */
export interface NamedVariable {
  /** Path-like, unique within its owner: `block0/kernel`. */
  readonly name: string;
  readonly variable: Variable;
}

/** A variable that training changes through its gradient. */
export interface Parameter extends NamedVariable {
  /** Whether decoupled weight decay applies; false for biases, normalisations and embeddings. */
  readonly decay: boolean;
  /** Factor on the learning rate, smaller for layers that are to stay near what they were loaded with. @defaultValue 1 */
  readonly rate?: number;
}

/** What one row costs to encode. */
export interface EncoderCost {
  /** Numbers that it holds, trained or not. */
  readonly parameters: number;
  /** Multiply-accumulates a row. */
  readonly macs: number;
}

/** How an encoder is written into a manifest, and what {@link registerEncoder} reads back. */
export interface EncoderDescription {
  /** Package and name, for example `tabular/mlp`. */
  readonly kind: string;
  /** Plain JSON from which the factory rebuilds the encoder, weights aside. */
  readonly config: unknown;
}

/**
 * Maps a batch of one modality to the classifier-facing representation `[rows, width]`. All that core knows of a modality.
 *
 * @typeParam Batch - what the encoder reads: a tensor, or an object of tensors
 */
export interface Encoder<Batch> {
  /** Columns of the representation, d. */
  readonly width: number;
  readonly parameters: readonly Parameter[];
  /**
   * Variables without a gradient that are saved with the parameters: running statistics of a batch normalisation, frozen weights.
   * Their names differ from the parameters'.
   */
  readonly buffers?: readonly NamedVariable[];
  readonly cost: EncoderCost;
  /**
   * @returns the representation `[rows, width]`, the caller's to dispose
   */
  encode(batch: Batch, context: EncodeContext): Tensor2D;
  /**
   * A new encoder with weights of its own that makes only the dimensions `keep`, in that order. Absent when the dimensions
   * cannot be removed.
   *
   * @param keep - indices into the representation, at least one
   */
  narrow?(keep: readonly number[]): Encoder<Batch>;
  /** Absent when the encoder cannot be saved. */
  describe?(): EncoderDescription;
  /** Frees the encoder's variables. */
  dispose(): void;
}

/** Rows with their class indices. Tensors in `inputs` belong to the {@link Dataset} that yields the batch. */
export interface LabelledBatch<Batch> {
  readonly inputs: Batch;
  /** `[rows]`, each in [0, classes). */
  readonly labels: Int32Array;
}

/**
 * Rows that can be passed over again and again.
 */
export interface Dataset<Batch> {
  readonly rows: number;
  readonly classes: number;
  /** Rows of a batch that are evaluated at once unless {@link predict} is told otherwise; 1024 when omitted. */
  readonly evaluationBatchSize?: number;
  /**
   * One pass over all rows. A batch's tensors live until the next batch is asked for or the loop is left; the dataset disposes
   * them.
   *
   * @param shuffle - random order drawn from it; the stored order without it
   */
  batches(batchSize: number, shuffle?: Random): Iterable<LabelledBatch<Batch>> | AsyncIterable<LabelledBatch<Batch>>;
}

/** A linear layer's weights: `kernel` is `[inputs, outputs]`, `bias` is `[outputs]`. */
export interface Linear {
  readonly kernel: Variable;
  readonly bias: Variable;
}
