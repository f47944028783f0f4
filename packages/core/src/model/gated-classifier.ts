import * as tf from "@tensorflow/tfjs-core";
import { ConfigError, ShapeError } from "../errors.ts";
import { type GateOptions, HardConcreteGate } from "../gate/gate-layer.ts";
import type { Predictions } from "../metrics/predictions.ts";
import { Random } from "../random.ts";
import type { Dataset, EncodeContext, Encoder, NamedVariable, Parameter } from "./encoder.ts";
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
    return tf.tidy(() => {
      const h = this.encoder.encode(batch, context);
      if (this.gate === undefined) return this.head.apply(h);
      const z = this.gate.values(context.gateNoise, h.shape[0]);
      if (z.shape[0] !== 1) return this.head.apply(tf.mul(h, z));
      // One gate vector for all rows: scaling the head's rows is the same and touches d x classes numbers instead of rows x d.
      return tf.add(tf.matMul(h, tf.mul(tf.transpose(z), this.head.kernel)), this.head.bias);
    });
  }

  /** Frees all variables. */
  dispose(): void {
    this.encoder.dispose();
    this.gate?.dispose();
    this.head.dispose();
  }
}

/** Options of {@link predict}. */
export interface PredictOptions {
  /** Rows a step; changes memory and speed, not the result. @defaultValue 1024 */
  readonly batchSize?: number;
}

/**
 * Applies a model to all rows of a dataset, in their stored order, with deterministic gates.
 *
 * @returns logits `[rows, classes]` and labels, in host memory
 * @throws ShapeError when the dataset has another number of classes than the model
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
  data: Dataset<Batch>,
  { batchSize = 1024 }: PredictOptions = {},
): Promise<Predictions> {
  const { classes } = model;
  if (data.classes !== classes) {
    throw new ShapeError({
      where: "predict",
      expected: `data of ${classes} classes, as the model`,
      received: data.classes,
    });
  }
  const logits = new Float32Array(data.rows * classes);
  const labels = new Int32Array(data.rows);
  const wrongRows = (received: unknown): ShapeError =>
    new ShapeError({ where: "predict", expected: `${data.rows} rows, as the dataset declares`, received });
  let row = 0;
  for await (const batch of data.batches(batchSize)) {
    const end = row + batch.labels.length;
    if (end > data.rows) throw wrongRows("more");
    const output = model.logits(batch.inputs);
    try {
      if (output.shape[0] !== batch.labels.length) {
        throw new ShapeError({
          where: "predict",
          expected: `${output.shape[0]} labels, one for each row of the batch`,
          received: batch.labels.length,
        });
      }
      logits.set(await output.data<"float32">(), row * classes);
    } finally {
      output.dispose();
    }
    labels.set(batch.labels, row);
    row = end;
  }
  if (row !== data.rows) throw wrongRows(row);
  return { logits, labels, classes };
}
