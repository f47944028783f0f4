/** The models and the batches of the bench, ours. */

import { type Dataset, GatedClassifier } from "@l0gm/core";
import * as tf from "@tensorflow/tfjs-core";
import { pad } from "../src/dataset.ts";
import { bertEncoder, bertPrefix, type LabelledTokens, type TextBatch, transformerEncoder } from "../src/index.ts";
import type { Task } from "./cases.ts";

/** Layers of MiniLM-L6. */
export const LAYERS = 6;

/** Words of MiniLM-L6. */
const VOCABULARY = 30_522;

/** Texts of one length, with ids that are no special tokens; torch_peer.py makes the same. */
export function tokensOf(rows: number, tokens: number): LabelledTokens {
  const sequences = Array.from({ length: rows }, (_, row) => ({
    ids: Int32Array.from({ length: tokens }, (_, i) => 1000 + (((row * tokens + i) * 7919) % 20_000)),
    types: new Uint8Array(tokens),
  }));
  return { sequences, labels: Int32Array.from(sequences, (_, row) => row % 2), classes: 2, paddingId: 0 };
}

/** Without a gate, which PyTorch's model has not either. */
export async function makeClassifier({
  case: { model, trainableLayers },
  model: folder,
}: Pick<Task, "case" | "model">): Promise<GatedClassifier<TextBatch>> {
  const encoder =
    model === "scratch"
      ? transformerEncoder({ vocabularySize: VOCABULARY })
      : await bertEncoder(folder, trainableLayers === undefined ? {} : { trainableLayers });
  return new GatedClassifier<TextBatch>({ encoder, classes: 2, gate: false });
}

/** What a step reads: token ids, or what the frozen layers have made of them. */
export async function makeBatch({ case: { trainableLayers }, model, rows, tokens }: Task): Promise<TextBatch> {
  const { sequences, paddingId } = tokensOf(rows, tokens);
  const batch = pad(sequences, paddingId, false);
  if (trainableLayers === undefined) return batch;
  const prefix = await bertPrefix(model, LAYERS - trainableLayers);
  const hidden = prefix.apply(batch);
  prefix.dispose();
  batch.ids.dispose();
  return { hidden, mask: batch.mask, layers: LAYERS - trainableLayers };
}

/** The same batch for a number of steps, which says when each begins and when the last one has ended. */
export function repeated(
  inputs: TextBatch,
  rows: number,
  steps: number,
  onStep: () => Promise<void>,
): Dataset<TextBatch> {
  const labels = tokensOf(rows, 1).labels;
  return {
    rows: rows * steps,
    classes: 2,
    async *batches() {
      for (let step = 0; step < steps; step++) {
        await onStep();
        yield { inputs, labels };
      }
      await onStep();
    },
  };
}

/** A row of a batch, so that what follows an epoch takes no time. */
export function firstRow(inputs: TextBatch): TextBatch {
  const row = <T extends tf.Tensor>(x: T): T => tf.slice(x, 0, 1);
  return "hidden" in inputs
    ? { ...inputs, hidden: row(inputs.hidden), mask: row(inputs.mask) }
    : { ids: row(inputs.ids), mask: row(inputs.mask) };
}
