import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { load, useBackend } from "@l0gm/core";
import { directory } from "@l0gm/core/node";
import { attentionHeads, type TextBatch } from "@l0gm/text";
import { expect, test } from "vitest";
import type { RunResult } from "../src/result.ts";
import { findResults } from "../src/run/store.ts";
import { start, temporaryFolder, writeInto } from "./command-line.ts";
import { loggedEpochs, numbers, unlock } from "./killed-run.ts";
import { writeSmallBert } from "./small-bert.ts";

const EPOCHS = 60;
const BEFORE_PRUNING = 36;

const rows = Array.from({ length: 60 }, (_, i) => ({
  body: `${i % 2 === 0 ? "cats purr" : "dogs bark"} ${"and again ".repeat(i % 5)}${i}`,
  topic: i % 2 === 0 ? "cat" : "dog",
}));

test("heads of a pretrained model are pruned in the middle of training; killed after it, a run resumes, and what it made predicts", {
  timeout: 240_000,
}, async () => {
  const folder = temporaryFolder();
  const file = writeInto(folder, "pets.jsonl", rows.map((row) => JSON.stringify(row)).join("\n"));
  writeSmallBert(
    join(folder, "small"),
    rows.map(({ body }) => body),
  );
  const tokens = { maximumLength: 32 };
  const shared = { width: 8, epochs: EPOCHS, batchSize: 8, weights: { learningRate: 3e-3 }, tokens };
  const config = writeInto(folder, "config.json", shared);
  const environment = { L0GM_MODEL_DIR: folder, XDG_CACHE_HOME: folder };
  const sweep = (out: string, methods: string): string[] => [
    ...["sweep", "text", "--data", file, "--text", "body", "--label", "topic", "--seeds", "1", "--model", "small"],
    ...["--config", config, "--methods", methods, "--workers", "1", "--out", out],
  ];
  const [whole, cut] = [join(folder, "whole"), join(folder, "cut")];
  const logged = (): number => loggedEpochs(cut, "text");
  const child = start(sweep(cut, "heads-0.5"), environment);
  await expect.poll(logged, { timeout: 60_000, interval: 10 }).toBeGreaterThan(BEFORE_PRUNING + 1);
  child.process.kill("SIGKILL");
  await child.ended;
  unlock(cut, "text");
  expect(logged()).toBeLessThan(EPOCHS);
  const resumed = await start(sweep(cut, "heads-0.5"), environment).ended;
  expect(resumed.code, resumed.stderr).toBe(0);
  const compared = await start(sweep(whole, "dense,heads-0.5,heads-0.75"), environment).ended;
  expect(compared.code, compared.stderr).toBe(0);

  const [found] = await findResults(cut);
  const [dense, half, most] = (await findResults(whole)).map(({ result }) => result);
  if (found === undefined || dense === undefined || half === undefined || most === undefined) {
    throw new Error("a run is missing");
  }
  expect([dense.method, half.method, most.method]).toEqual(["dense", "heads-0.5", "heads-0.75"]);
  expect(numbers(found.result)).toEqual(numbers(half));
  expect(logged()).toBeLessThanOrEqual(EPOCHS + 1);
  expect(readdirSync(found.folder).sort()).toEqual(
    ["config.json", "log.jsonl", "model", "predictions.safetensors", "result.json", "tokenizer.json"].sort(),
  );

  // The budget is dense's, and the epochs are counted through.
  expect(half.trace.map(({ epoch }) => epoch)).toEqual(dense.trace.map(({ epoch }) => epoch));
  expect(half.metrics.test.accuracy).toBeGreaterThan(0.9);
  // Of 8 heads of 2 numbers, 4 are gone: queries, keys, values and merging of 8 x 2 each, and 3 biases.
  expect(dense.cost.parameters.dense - half.cost.parameters.compacted).toBe(4 * (4 * 16 + 3 * 2));
  const saved = ({ cost }: RunResult): number => dense.cost.macs.dense - cost.macs.compacted;
  const shortest = 3;
  expect(saved(half)).toBeGreaterThan(shortest * 4 * 4 * 16);
  expect(Math.abs(saved(half) - 2 * saved(most))).toBeLessThanOrEqual(2);
  await useBackend("cpu");
  const model = await load<TextBatch>(directory(join(found.folder, "model")));
  expect(attentionHeads(model.encoder).flat()).toHaveLength(4);

  const predicted = await start(["predict", found.folder, "--data", file], environment).ended;
  expect(predicted.code, predicted.stderr).toBe(0);
  expect(predicted.stdout).toContain("cat");
  expect(readFileSync(join(whole, "report.html"), "utf8")).toMatch(/of dense.*heads-0\.5/s);
});
