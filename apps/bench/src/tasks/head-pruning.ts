import { ConfigError, type GatedClassifier, Random } from "@l0gm/core";
import {
  attentionHeads,
  headImportance,
  type LabelledTokens,
  leastImportantHeads,
  pruneHeads,
  type TextBatch,
  textDataset,
} from "@l0gm/text";
import type { Pruning } from "./task.ts";
import { selectTokens } from "./text-samples.ts";

/** Training texts on which importance is measured. */
const TEXTS = 512;

/** Texts a step of it: importance does not depend on it, but a run that shares its folder has to answer in between. */
const BATCH = 4;

/** What {@link headPruning} takes besides model, level and texts. */
export interface HeadPruningOptions {
  /** The last blocks, whose heads may go; those of frozen blocks stay. @defaultValue all */
  readonly trainableLayers?: number | undefined;
  /** As of the training batches. @defaultValue 1 */
  readonly padToMultipleOf?: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * How many heads a share leaves.
 *
 * @param heads - of the trained layers together
 * @throws ConfigError when the share is one of fewer heads than layers, or of all
 */
export function headsKept(share: number, heads: number, layers: number): number {
  const left = Math.round(share * heads);
  if (left >= layers && left < heads) return left;
  throw new ConfigError({
    where: `heads-${share}`,
    expected: `a share of the ${heads} heads that leaves each of the ${layers} trained layers one, but not all`,
    received: `${left} heads`,
  });
}

/**
 * Pruning of the attention heads that a model depends on least (Michel, Levy and Neubig 2019), as measured on training texts that are
 * drawn at random.
 *
 * @param kept - share of the trained blocks' heads that stay
 * @param train - token ids of the training texts
 * @throws ConfigError when the encoder has no attention heads, or the share is one of no head or of fewer heads than blocks
 */
export function headPruning(
  model: GatedClassifier<TextBatch>,
  kept: number,
  train: LabelledTokens,
  { trainableLayers, padToMultipleOf = 1, signal }: HeadPruningOptions = {},
): Pruning<TextBatch> {
  const where = `heads-${kept}`;
  const layers = attentionHeads(model.encoder, where);
  const frozen = trainableLayers === undefined ? 0 : layers.length - trainableLayers;
  const heads = layers.slice(frozen).reduce((sum, layer) => sum + layer.length, 0);
  const left = headsKept(kept, heads, layers.length - frozen);
  return async (seed) => {
    const drawn = Random.from(seed, "heads").permutation(train.sequences.length).subarray(0, TEXTS);
    const texts = textDataset(selectTokens(train, drawn), { padToMultipleOf });
    const importance = await headImportance(model, texts, { batchSize: BATCH, signal });
    const trained = importance.filter(({ layer }) => layer >= frozen);
    return pruneHeads(model.encoder, leastImportantHeads(trained, heads - left));
  };
}
