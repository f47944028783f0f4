import type * as tf from "@tensorflow/tfjs-core";
import { ConfigError } from "../errors.ts";
import type { Encoder } from "../model/encoder.ts";
import { GatedClassifier } from "../model/gated-classifier.ts";
import type { Projection } from "../model/projection.ts";
import { gateValue } from "./hard-concrete.ts";

/** One quantity before and after compaction. */
export interface Saving {
  readonly dense: number;
  readonly compacted: number;
}

/** What compaction saves. */
export interface Savings {
  /** Numbers that encoder and head hold, trained or not; the gate's own are not counted on either side. */
  readonly parameters: Saving;
  /** Bytes of one row's representation in float32. */
  readonly embeddingBytes: Saving;
  /** Multiply-accumulates a row, encoder and head. */
  readonly macs: Saving;
}

/** A {@link GatedClassifier} without its closed dimensions: no gate is left, the open gates' values are in the head. */
export class CompactModel<Batch> extends GatedClassifier<Batch> {
  /** Dimensions of the gated model's representation that are left, in rising order. */
  readonly active: readonly number[];
  readonly savings: Savings;

  constructor(parts: {
    encoder: Encoder<Batch>;
    head: Projection;
    classes: number;
    active: readonly number[];
    savings: Savings;
  }) {
    super({ encoder: parts.encoder, head: parts.head, classes: parts.classes });
    this.active = parts.active;
    this.savings = parts.savings;
  }
}

/**
 * Removes the closed dimensions of a gated model: the columns of the encoder's last projection that make them, the rows of the head
 * that read them, and the gate itself, whose values are folded into the head. Logits agree with the gated model's at evaluation to
 * float32 tolerance (1e-5). The gated model stays as it was.
 *
 * On WebGPU in Node, where no tensor can be read at once, `await model.gate?.state()` first: what has been read stays in memory.
 *
 * @returns a model with weights of its own, the caller's to dispose
 * @throws ConfigError when the encoder cannot be narrowed, every gate is closed, or the gates cannot be read
 *
 * @example
 * ```ts
 * import { layers, sequential } from "@tensorflow/tfjs-layers";
 * await useBackend("cpu");
 * const encoder = layersEncoder(sequential({ layers: [layers.dense({ units: 8, inputShape: [3] })] }));
 * const model = new GatedClassifier({ encoder, classes: 2 });
 * await model.gate?.freeze([1, 5]);
 * const small = compact(model);
 * console.log(small.active, small.savings.embeddingBytes); // [1, 5], 32 to 8
 * ```
 */
export function compact<Batch>(model: GatedClassifier<Batch>): CompactModel<Batch> {
  const { encoder, head, classes } = model;
  if (encoder.narrow === undefined) {
    throw new ConfigError({
      where: "compact",
      expected: "an encoder whose representation comes from a linear projection",
      received: "one without narrow()",
      hint: "end the encoder with a linear layer (Projection, or dense without activation)",
    });
  }
  const values = gateValues(model);
  const active = [...values.keys()].filter((j) => values[j] !== 0);
  if (active.length === 0) {
    throw new ConfigError({
      where: "compact",
      expected: "at least one open gate",
      received: `${values.length} closed gates`,
      hint: "lower the penalty, or train with targetFraction, which keeps the strongest",
    });
  }
  const narrowed = encoder.narrow(active);
  const folded = head.selectInputs(active, values);
  const headSize = (width: number): number => width * classes + classes;
  const width = active.length;
  return new CompactModel({
    encoder: narrowed,
    head: folded,
    classes,
    active,
    savings: {
      parameters: {
        dense: encoder.cost.parameters + headSize(values.length),
        compacted: narrowed.cost.parameters + headSize(width),
      },
      embeddingBytes: { dense: 4 * values.length, compacted: 4 * width },
      macs: {
        dense: encoder.cost.macs + values.length * classes,
        compacted: narrowed.cost.macs + width * classes,
      },
    },
  });
}

/** Deterministic values of the gates, `[d]`. */
function gateValues<Batch>({ gate, encoder }: GatedClassifier<Batch>): Float32Array {
  if (gate === undefined) return new Float32Array(encoder.width).fill(1);
  const { params, rule } = gate;
  const [logAlpha, fixed] = [readNow(gate.logAlpha), readNow(gate.fixed)];
  return gate.spread(fixed.map((value, g) => (value < 0 ? gateValue(logAlpha[g] ?? 0, params, rule) : value)));
}

function readNow(variable: tf.Variable): Float32Array {
  try {
    return variable.dataSync<"float32">();
  } catch (error) {
    const received = error instanceof Error ? error.message : String(error);
    const hint = "On WebGPU in Node, await model.gate?.state() first: what has been read stays in memory.";
    throw new ConfigError({ where: "compact", expected: "gates that can be read", received, hint }, { cause: error });
  }
}
