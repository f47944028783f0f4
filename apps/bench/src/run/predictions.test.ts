import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DataError, encodeSafetensors, FormatError, negativeLogLikelihood, type SafeTensor } from "@l0gm/core";
import { afterEach, beforeEach, expect, it } from "vitest";
import { syntheticRuns } from "../report/synthetic-runs.ts";
import type { RunResult } from "../result.ts";
import { loadPredictions, loadTestRows } from "./predictions.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "l0gm-predictions-"));
});
afterEach(() => rm(folder, { recursive: true }));

const LABELS = Int32Array.of(0, 1, 1);
const LOGITS = { equalBudget: Float32Array.of(2, 0, 0, 1, 1, 0), bestValidation: Float32Array.of(1, 0, 0, 2, 0, 3) };

function tensors(): Map<string, SafeTensor> {
  return new Map(
    Object.entries(LOGITS).flatMap(([protocol, data]): [string, SafeTensor][] => [
      [`${protocol}/test/logits`, { dtype: "F32", shape: [3, 2], data }],
      [`${protocol}/test/labels`, { dtype: "I32", shape: [3], data: LABELS }],
    ]),
  );
}

const write = (content: Map<string, SafeTensor>): Promise<void> =>
  writeFile(join(folder, "predictions.safetensors"), encodeSafetensors(content));

/** A run whose recorded test NLL is that of the predictions above. */
function result(): RunResult {
  const [run] = syntheticRuns({ methods: ["dense"], seeds: 1 });
  if (run === undefined) throw new Error("no run");
  const { equalBudget, bestValidation } = run.protocols;
  const nll = (logits: Float32Array): number => negativeLogLikelihood({ logits, labels: LABELS, classes: 2 });
  return {
    ...run,
    protocols: {
      equalBudget: { ...equalBudget, test: { ...equalBudget.test, nll: nll(LOGITS.equalBudget) } },
      bestValidation: { ...bestValidation, test: { ...bestValidation.test, nll: nll(LOGITS.bestValidation) } },
    },
  };
}

it("reads both protocols’ test predictions", async () => {
  await write(tensors());
  expect(await loadPredictions(folder)).toEqual({
    equalBudget: { logits: LOGITS.equalBudget, labels: LABELS, classes: 2 },
    bestValidation: { logits: LOGITS.bestValidation, labels: LABELS, classes: 2 },
  });
});

it("refuses a missing, a truncated and an incomplete file", async () => {
  await expect(loadPredictions(folder)).rejects.toThrow(DataError);
  await writeFile(join(folder, "predictions.safetensors"), encodeSafetensors(tensors()).subarray(0, -4));
  await expect(loadPredictions(folder)).rejects.toThrow(FormatError);
  await write(new Map([...tensors()].filter(([name]) => name !== "bestValidation/test/labels")));
  await expect(loadPredictions(folder)).rejects.toThrow(/bestValidation\/test.*received F32 \[3,2\] and none/s);
});

it("gives the rows of each run, or why there are none", async () => {
  const run = result();
  const rowsOf = async (): Promise<unknown> => (await loadTestRows([{ folder, result: run }])).get(run);
  expect(await rowsOf()).toEqual({ missing: "has no predictions.safetensors" });
  await write(tensors());
  expect(await rowsOf()).toMatchObject({ labels: LABELS });
  await write(new Map([...tensors()].map(([name, tensor]) => [name, withNaN(tensor)])));
  expect(await rowsOf()).toEqual({ missing: "has a damaged predictions.safetensors" });
});

function withNaN(tensor: SafeTensor): SafeTensor {
  return tensor.dtype === "F32" ? { ...tensor, data: tensor.data.map(() => Number.NaN) } : tensor;
}
