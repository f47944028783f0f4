import {
  type CompactModel,
  compact,
  compareLatency,
  type Dataset,
  type Encoder,
  GatedClassifier,
  type Predictions,
  predict,
} from "@l0gm/core";
import type { RunResult } from "../result.ts";
import type { TaskData } from "../tasks/task.ts";

/** Rows of the batch whose forward pass is timed. */
const LATENCY_ROWS = 256;

/** Enough for a median in passing; `pnpm bench:compaction` measures with more. */
const LATENCY = { rounds: 15 };

/** Float32 rounding of sums over some hundred terms, relative to the logits' size. */
const AGREEMENT = 1e-4;

/** Rows whose logits are compared, those whose batches are timed, and what a row takes. */
type TimedData<Batch> = Pick<TaskData<Batch>, "validation" | "timed" | "macs">;

/**
 * Compacts a model, checks that the logits stay, and counts and times what it saves.
 *
 * @param expected - the model's own predictions on the validation rows
 * @returns the cost, and a warning where the compacted logits differ
 * @throws ConfigError when every gate is closed
 */
export async function measureCost<Batch>(
  model: GatedClassifier<Batch>,
  { validation, timed = validation, macs }: TimedData<Batch>,
  expected: Predictions,
  signal?: AbortSignal,
): Promise<{ cost: RunResult["cost"]; warnings: string[] }> {
  // WebGPU can read nothing at once in Node, as compact would.
  await model.gate?.state();
  const small = compact(model);
  try {
    const difference = largestDifference(await predict(small, validation, { signal }), expected);
    const agrees = difference <= AGREEMENT;
    return {
      cost: {
        ...small.savings,
        ...(macs === undefined ? {} : { macs: { dense: withHead(model, macs), compacted: withHead(small, macs) } }),
        latencyMs: await latency(model, small, timed, signal),
      },
      warnings: agrees
        ? []
        : [`the compacted model's logits differ from the gated model's by ${difference} (relative)`],
    };
  } finally {
    small.dispose();
  }
}

function withHead<Batch>(
  { encoder, width, classes }: GatedClassifier<Batch>,
  macs: (encoder: Encoder<Batch>) => number,
): number {
  return macs(encoder) + width * classes;
}

/** Median times of one batch. A dense model has no gate and nothing to remove, so its own time stands for all three. */
async function latency<Batch>(
  model: GatedClassifier<Batch>,
  small: CompactModel<Batch>,
  data: Dataset<Batch>,
  signal: AbortSignal | undefined,
): Promise<RunResult["cost"]["latencyMs"]> {
  const options = { ...LATENCY, signal };
  for await (const { inputs, labels } of data.batches(Math.min(LATENCY_ROWS, data.rows))) {
    const rows = labels.length;
    if (model.gate === undefined) {
      const { dense } = await compareLatency({ dense: model }, inputs, options);
      return { rows, dense: dense.median, gated: dense.median, compacted: dense.median };
    }
    // The same encoder and head, both still the gated model's own.
    const ungated = new GatedClassifier({ encoder: model.encoder, head: model.head, classes: model.classes });
    const { dense, gated, compacted } = await compareLatency(
      { dense: ungated, gated: model, compacted: small },
      inputs,
      options,
    );
    return { rows, dense: dense.median, gated: gated.median, compacted: compacted.median };
  }
  throw new Error("a dataset without a batch");
}

function largestDifference(a: Predictions, b: Predictions): number {
  let largest = 0;
  a.logits.forEach((value: number, i: number) => {
    const other = b.logits[i] ?? Number.NaN;
    largest = Math.max(largest, Math.abs(value - other) / (1 + Math.abs(other)));
  });
  return largest;
}
