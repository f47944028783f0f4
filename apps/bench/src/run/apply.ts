import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { applyTemperature, compact, DataError, load, type Predictions, predict, useBackend } from "@l0gm/core";
import { directory } from "@l0gm/core/node";
import { parseConfig, readJson } from "../tasks/config.ts";
import { taskNamed } from "../tasks/registry.ts";
import { findResults, readResult } from "./store.ts";

/** New rows as a finished run sees them. */
export interface Applied {
  /** Logits are divided by the run's temperature; labels mean nothing. */
  readonly predictions: Predictions;
  readonly classes: readonly string[];
}

/**
 * Applies a finished run to a file of new rows: its compacted model, its preprocessing, and its temperature, which was fitted on the
 * validation rows.
 *
 * @param folder - of one result, so one fraction of a path run
 * @throws DataError when the folder or the rows are not what they should be
 */
export async function applyRun(folder: string, file: string): Promise<Applied> {
  const result = await readResult(await resultFile(folder));
  if (!existsSync(join(folder, "model"))) {
    throw new DataError({
      where: folder,
      expected: "a run that kept its model",
      received: `${result.method}, without one`,
      hint: "Some comparators are no models, so that nothing can be applied to new rows.",
    });
  }
  const task = taskNamed(result.benchmark);
  const config = parseConfig(task.config, result.config, join(folder, "result.json"));
  // This machine may have no GPU; results agree to rounding.
  await useBackend(config.backend === "webgpu" ? "auto" : config.backend);
  const { rows, classes } = await task.newRows(file, config, (name) => artefact(folder, name));
  const model = await load<unknown>(directory(join(folder, "model")));
  await model.gate?.state();
  const small = compact(model);
  try {
    const { temperature } = result.metrics.validation;
    return { predictions: applyTemperature(await predict(small, rows), temperature), classes };
  } finally {
    small.dispose();
    model.dispose();
  }
}

async function resultFile(folder: string): Promise<string> {
  const found = await findResults(folder);
  if (found.some((each) => resolve(each.folder) === resolve(folder))) return join(folder, "result.json");
  throw new DataError({
    where: folder,
    expected: "the folder of one finished run",
    received: found.length === 0 ? "no run" : `${found.length} runs`,
    ...(found.length === 0 ? {} : { hint: `Name one of them, for example ${found[0]?.folder}` }),
  });
}

/** The fractions of a path run share what lies in the folder above them. */
async function artefact(folder: string, name: string): Promise<unknown> {
  const own = join(folder, name);
  const there = await readFile(own).then(
    () => true,
    () => false,
  );
  return readJson(there ? own : join(dirname(folder), name));
}
