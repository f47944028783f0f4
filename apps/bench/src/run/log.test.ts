import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EpochRecord } from "@l0gm/core";
import { expect, onTestFinished, test } from "vitest";
import { EpochLog } from "./log.ts";

const record = (epoch: number): EpochRecord => ({
  epoch,
  segment: 0,
  phase: "dense",
  trainLoss: 1,
  validationNll: 1,
  multiplier: 0,
  expected: 1,
  separation: 1,
  learningRate: 1,
  openProbabilities: [],
});

test("times outlive the process, a line that was cut off is skipped, an epoch counts once", async () => {
  const folder = mkdtempSync(join(tmpdir(), "l0gm-test-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const first = await EpochLog.open(folder);
  await first.add(record(0));
  appendFileSync(join(folder, "log.jsonl"), '{"epoch":1,"seconds":1000}\n{"epoch":2,"sec');
  const second = await EpochLog.open(folder);
  expect(second.seconds([record(0), record(1), record(2)])).toBeCloseTo(1000 + first.seconds([record(0)]));
  await second.add(record(1));
  const third = await EpochLog.open(folder);
  expect(third.seconds([record(1)])).toBeLessThan(100);
});
