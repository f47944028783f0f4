import type { Predictions } from "../../src/metrics/predictions.ts";
import binary from "./metrics-binary.json" with { type: "json" };
import multiclass from "./metrics-multiclass.json" with { type: "json" };

function predictionsOf({
  logits,
  labels,
  classes,
}: {
  logits: number[][];
  labels: number[];
  classes: number;
}): Predictions {
  return { logits: Float64Array.from(logits.flat()), labels: Int32Array.from(labels), classes };
}

type Golden = typeof binary | typeof multiclass;

/** Name, predictions, and what independent software says of them. */
export const golden: readonly (readonly [string, Predictions, Golden])[] = [
  ["binary", predictionsOf(binary), binary],
  ["multiclass", predictionsOf(multiclass), multiclass],
];
