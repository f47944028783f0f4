import { ascendingOrder, forEachTie } from "./order.ts";
import { checkPredictions, type Predictions, topLabels } from "./predictions.ts";

/** `brier = miscalibration - discrimination + uncertainty`. */
export interface BrierDecomposition {
  /** Mean squared difference between confidence and being right, in [0, 1]. */
  readonly brier: number;
  /** What recalibration by isotonic regression would gain, at least 0. */
  readonly miscalibration: number;
  /** What the recalibrated confidences gain on a constant one, at least 0. */
  readonly discrimination: number;
  /** Brier score of the constant confidence: accuracy times (1 - accuracy). */
  readonly uncertainty: number;
}

interface Block {
  rows: number;
  correct: number;
}

/** Isotonic regression of 0/1 outcomes on confidence by pool-adjacent-violators: the blocks of equal fitted value. */
function isotonicBlocks(confidence: Float64Array, correct: Uint8Array): Block[] {
  const order = ascendingOrder(confidence);
  const blocks: Block[] = [];
  // Rows of equal confidence must get equal values, so each run of ties enters as one block.
  forEachTie(confidence, order, (from, to) => {
    const block: Block = { rows: to - from, correct: 0 };
    for (let i = from; i < to; i++) block.correct += correct[order[i] as number] as number;
    for (let last = blocks.at(-1); last !== undefined; last = blocks.at(-1)) {
      if (last.correct * block.rows < block.correct * last.rows) break;
      block.rows += last.rows;
      block.correct += last.correct;
      blocks.pop();
    }
    blocks.push(block);
  });
  return blocks;
}

/**
 * CORP decomposition of the top-label Brier score (Dimitriadis, Gneiting and Jordan 2021): recalibration is isotonic
 * regression, so it needs no bins.
 *
 * @throws ShapeError or DataError when the predictions are malformed
 *
 * @example
 * ```ts
 * const p = { logits: Float64Array.of(0, 2, 0, 2, 0, 2), labels: Int32Array.of(1, 1, 0), classes: 2 };
 * brierDecomposition(p); // { brier: 0.268, miscalibration: 0.046, discrimination: 0, uncertainty: 0.222 }
 * ```
 */
export function brierDecomposition(p: Predictions): BrierDecomposition {
  const rows = checkPredictions(p, "brierDecomposition");
  const { confidence, correct } = topLabels(p);
  let squares = 0;
  let right = 0;
  for (let row = 0; row < rows; row++) {
    squares += ((confidence[row] as number) - (correct[row] as number)) ** 2;
    right += correct[row] as number;
  }
  const brier = squares / rows;
  const uncertainty = (right / rows) * (1 - right / rows);
  const recalibrated =
    isotonicBlocks(confidence, correct).reduce(
      (sum, block) => sum + block.correct * (1 - block.correct / block.rows),
      0,
    ) / rows;
  return { brier, miscalibration: brier - recalibrated, discrimination: uncertainty - recalibrated, uncertainty };
}
