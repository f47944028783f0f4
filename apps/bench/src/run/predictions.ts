import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { DataError, decodeSafetensors, FormatError, L0gmError, type Predictions, type SafeTensor } from "@l0gm/core";
import { type MissingRows, type TestRows, testRows } from "../report/bootstrap.ts";
import type { Protocol } from "../report/measures.ts";
import type { RunResult } from "../result.ts";

const FILE = "predictions.safetensors";

/**
 * The test predictions that a run kept beside its result.
 *
 * @param folder - of one result, so one fraction of a path run
 * @throws DataError when there is no such file, FormatError when it is damaged or lacks a tensor
 */
export async function loadPredictions(folder: string): Promise<Record<Protocol, Predictions>> {
  const path = join(folder, FILE);
  const bytes = await readFile(path).catch((cause: unknown) => {
    const received = cause instanceof Error ? cause.message : String(cause);
    throw new DataError({ where: path, expected: "a run's predictions", received }, { cause });
  });
  const { tensors } = decodeSafetensors(bytes, path);
  const read = (protocol: Protocol): Predictions => {
    const logits = tensors.get(`${protocol}/test/logits`);
    const labels = tensors.get(`${protocol}/test/labels`);
    const [rows, classes = 0] = logits?.shape ?? [];
    if (
      logits?.dtype !== "F32" ||
      labels?.dtype !== "I32" ||
      labels.data.length !== rows ||
      logits.shape.length !== 2
    ) {
      throw new FormatError({
        where: `${path}: ${protocol}/test`,
        expected: "float32 logits [rows, classes] and int32 labels [rows]",
        received: `${described(logits)} and ${described(labels)}`,
      });
    }
    return { logits: logits.data, labels: labels.data, classes };
  };
  return { equalBudget: read("equalBudget"), bestValidation: read("bestValidation") };
}

function described(tensor: SafeTensor | undefined): string {
  return tensor === undefined ? "none" : `${tensor.dtype} [${tensor.shape}]`;
}

/** The test rows of every run for `bootstrapRuns`, each reduced as soon as it is read, or why a run has none. */
export async function loadTestRows(
  found: readonly { readonly folder: string; readonly result: RunResult }[],
): Promise<Map<RunResult, TestRows | MissingRows>> {
  const rows = new Map<RunResult, TestRows | MissingRows>();
  for (const { folder, result } of found) rows.set(result, await loadRun(folder, result));
  return rows;
}

async function loadRun(folder: string, result: RunResult): Promise<TestRows | MissingRows> {
  try {
    return testRows(result, await loadPredictions(folder));
  } catch (error) {
    if (!(error instanceof L0gmError)) throw error;
    const absent = error.cause instanceof Error && "code" in error.cause && error.cause.code === "ENOENT";
    return { missing: `has ${absent ? "no" : "a damaged"} ${FILE}` };
  }
}
