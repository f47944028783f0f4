import { dense } from "@l0gm/backend";
import * as tf from "@tensorflow/tfjs-core";
import { ConfigError, ShapeError } from "../errors.ts";
import { yieldToEvents } from "../event-loop.ts";
import { type GateOptions, HardConcreteGate } from "../gate/gate-layer.ts";
import type { Predictions } from "../metrics/predictions.ts";
import { Random } from "../random.ts";
import type { Dataset, EncodeContext, Encoder, LabelledBatch, NamedVariable, Parameter } from "./encoder.ts";
import { Projection } from "./projection.ts";

/** How a batch passes through a gated model. */
export interface ForwardContext extends EncodeContext {
  /** Gate noise is drawn from it; the gates have their deterministic values without it. */
  readonly gateNoise?: Random;
}

/** Options of {@link GatedClassifier}. */
export interface GatedClassifierOptions<Batch> {
  /** Taken over: disposing the model disposes it. */
  readonly encoder: Encoder<Batch>;
  /** At least 2. */
  readonly classes: number;
  /** Options of the gate, a gate layer, or `false` for a dense model. @defaultValue {} */
  readonly gate?: GateOptions | HardConcreteGate | false;
  /** Seed of the head's and the gate's initial values. @defaultValue 0 */
  readonly seed?: number;
}

/** The context of evaluation: no dropout, no noise. */
export const EVALUATION: ForwardContext = { training: false, random: Random.from(0) };

/**
 * encoder -> gate -> linear head. `fit` trains it, `predict` applies it, `compact` removes its closed dimensions.
 *
 * @typeParam Batch - what the encoder reads
 *
 * @example
 * ```ts
 * import { layers, sequential } from "@tensorflow/tfjs-layers";
 * await useBackend("cpu");
 * const encoder = layersEncoder(sequential({ layers: [layers.dense({ units: 8, inputShape: [3] })] }));
 * const model = new GatedClassifier({ encoder, classes: 2, gate: { initialOpen: 0.95 } });
 * console.log(model.width); // 8
 * ```
 */
export class GatedClassifier<Batch> {
  readonly encoder: Encoder<Batch>;
  /** Absent in a dense model. */
  readonly gate: HardConcreteGate | undefined;
  /** Reads the gated representation: kernel `[d, classes]`. */
  readonly head: Projection;
  readonly classes: number;

  /** @throws ConfigError when there are fewer than 2 classes or an option of the gate is out of range */
  constructor(
    options: GatedClassifierOptions<Batch> | (Omit<GatedClassifierOptions<Batch>, "gate"> & { head: Projection }),
  ) {
    const { encoder, classes, seed = 0 } = options;
    if (!Number.isInteger(classes) || classes < 2) {
      throw new ConfigError({
        where: "GatedClassifier",
        expected: "an integer of at least 2 classes",
        received: classes,
      });
    }
    this.encoder = encoder;
    this.classes = classes;
    if ("head" in options) {
      this.head = options.head;
      return;
    }
    // The gate comes first: where it refuses its options, no variables of a head are left behind.
    if (options.gate !== false) {
      this.gate =
        options.gate instanceof HardConcreteGate ? options.gate : new HardConcreteGate({ seed, ...options.gate });
      if (!this.gate.built) this.gate.build([null, encoder.width]);
      if (this.gate.width !== encoder.width) {
        throw new ShapeError({
          where: "GatedClassifier.gate",
          expected: `[batch, ${encoder.width}]`,
          received: this.gate.width,
        });
      }
    }
    const random = Random.from(seed, "head");
    this.head = Projection.create({ inputs: encoder.width, outputs: classes, random, name: "head" });
  }

  /** Columns of the representation, d. */
  get width(): number {
    return this.encoder.width;
  }

  /** Trainable weights of encoder and head; the gate's log alpha is not among them. */
  get parameters(): readonly Parameter[] {
    return [...this.encoder.parameters.map((p) => ({ ...p, name: `encoder/${p.name}` })), ...this.head.parameters];
  }

  /** Every variable that is saved with the model: parameters, the encoder's buffers, and the gate's log alpha and fixed values. */
  get variables(): readonly NamedVariable[] {
    const { gate, encoder } = this;
    return [
      ...this.parameters,
      ...(encoder.buffers ?? []).map(({ name, variable }) => ({ name: `encoder/${name}`, variable })),
      ...(gate === undefined
        ? []
        : [
            { name: "gate/log_alpha", variable: gate.logAlpha },
            { name: "gate/fixed", variable: gate.fixed },
          ]),
    ];
  }

  /**
   * The representation that the head reads: encoder output times gate values.
   *
   * @returns `[rows, width]`, the caller's to dispose
   */
  embed(batch: Batch, context: ForwardContext = EVALUATION): tf.Tensor2D {
    return tf.tidy(() => {
      const h = this.encoder.encode(batch, context);
      return this.gate === undefined ? h : tf.mul(h, this.gate.values(context.gateNoise, h.shape[0]));
    });
  }

  /**
   * @returns `[rows, classes]`, the caller's to dispose
   */
  logits(batch: Batch, context: ForwardContext = EVALUATION): tf.Tensor2D {
    return tf.tidy(() => this.forward(batch, context).logits);
  }

  /**
   * One pass, for training: the logits and, where gates are sampled, what the penalty is put on.
   *
   * @returns `[rows, classes]` and, with gate noise, the expected active fraction; both the caller's to dispose
   */
  forward(batch: Batch, context: ForwardContext): { readonly logits: tf.Tensor2D; readonly expected?: tf.Scalar } {
    const { gate, head } = this;
    const [logits, expected] = tf.tidy((): [tf.Tensor2D, tf.Scalar?] => {
      const h = this.encoder.encode(batch, context);
      if (gate === undefined) return [head.apply(h)];
      if (context.gateNoise === undefined) {
        // One gate vector for all rows: scaling the head's rows is the same and touches d x classes numbers instead of rows x d.
        const z = tf.reshape(gate.values(), [-1, 1]);
        return [dense(h, tf.mul(z, head.kernel), head.bias) as tf.Tensor2D];
      }
      const { gated, expected } = gate.sample(h, context.gateNoise);
      return [head.apply(gated), expected];
    });
    return { logits, ...(expected === undefined ? {} : { expected }) };
  }

  /** Frees all variables. */
  dispose(): void {
    this.encoder.dispose();
    this.gate?.dispose();
    this.head.dispose();
  }
}

/** Batches that are there already, or come one by one; whoever makes them disposes their tensors. */
export type Batches<Batch> = Iterable<LabelledBatch<Batch>> | AsyncIterable<LabelledBatch<Batch>>;

/** Options of {@link predict}. */
export interface PredictOptions {
  /** Rows a step of a dataset; changes memory and speed, not the result. @defaultValue the dataset's `evaluationBatchSize`, or 1024 */
  readonly batchSize?: number;
  /** Stops after the next batch with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Applies a model, with deterministic gates, to all rows of a dataset in their stored order, or to batches as they come. Timers and
 * signals are let through between batches, some ten times a second.
 *
 * @returns logits `[rows, classes]` and labels, in host memory
 * @throws ShapeError when the dataset has another number of classes than the model, or batches and labels disagree
 *
 * @example
 * ```ts
 * declare const model: GatedClassifier<{ x: number }>;
 * declare const test: Dataset<{ x: number }>;
 * const predictions = await predict(model, test);
 * console.log(accuracy(predictions));
 * ```
 */
export async function predict<Batch>(
  model: GatedClassifier<Batch>,
  data: Dataset<Batch> | Batches<Batch>,
  { batchSize, signal }: PredictOptions = {},
): Promise<Predictions> {
  const where = "predict";
  const { classes } = model;
  const dataset = "batches" in data ? data : undefined;
  const size = batchSize ?? dataset?.evaluationBatchSize ?? 1024;
  if (dataset !== undefined && dataset.classes !== classes) {
    throw new ShapeError({ where, expected: `data of ${classes} classes, as the model`, received: dataset.classes });
  }
  const logits: Float32Array[] = [];
  const labels: Int32Array[] = [];
  let rows = 0;
  for await (const batch of "batches" in data ? data.batches(size) : data) {
    const output = model.logits(batch.inputs);
    try {
      const received = batch.labels.length;
      if (output.shape[0] !== received) {
        throw new ShapeError({ where, expected: `${output.shape[0]} labels, one for each row of the batch`, received });
      }
      logits.push(Float32Array.from(await output.data<"float32">()));
    } finally {
      output.dispose();
    }
    labels.push(batch.labels);
    rows += batch.labels.length;
    await yieldToEvents();
    signal?.throwIfAborted();
    if (dataset !== undefined && rows > dataset.rows) throw wrongRows(dataset, "more");
  }
  if (dataset !== undefined && rows < dataset.rows) throw wrongRows(dataset, rows);
  return {
    logits: join(logits, new Float32Array(rows * classes)),
    labels: join(labels, new Int32Array(rows)),
    classes,
  };
}

function wrongRows({ rows }: Pick<Dataset<unknown>, "rows">, received: unknown): ShapeError {
  return new ShapeError({ where: "predict", expected: `${rows} rows, as the dataset declares`, received });
}

/** Copies the parts one after the other into `whole`. */
function join<Values extends Float32Array | Int32Array>(parts: readonly Values[], whole: Values): Values {
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
