import { ConfigError, DataError, type LabelledBatch, Random, useBackend } from "@l0gm/core";
import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import { type TableBatch, tableDataset } from "./dataset.ts";
import type { TableData } from "./preprocess.ts";

const data: TableData = {
  rows: 7,
  numeric: Float32Array.from({ length: 14 }, (_, i) => i),
  numericColumns: 2,
  categorical: Int32Array.from({ length: 7 }, (_, i) => 10 * i),
  categoricalColumns: 1,
  labels: Int32Array.of(0, 1, 2, 0, 1, 2, 0),
  classes: 3,
};

await useBackend("cpu");

async function collect(batches: Iterable<LabelledBatch<TableBatch>> | AsyncIterable<LabelledBatch<TableBatch>>) {
  const out: { numeric: number[]; categorical: number[]; labels: number[] }[] = [];
  for await (const { inputs, labels } of batches) {
    expect(inputs.numeric.dtype).toBe("float32");
    expect(inputs.categorical.dtype).toBe("int32");
    expect(inputs.numeric.shape).toEqual([labels.length, 2]);
    out.push({
      numeric: [...inputs.numeric.dataSync()],
      categorical: [...inputs.categorical.dataSync()],
      labels: [...labels],
    });
  }
  return out;
}

describe("tableDataset", () => {
  test("gives all rows in their order, the last batch short", async () => {
    const dataset = tableDataset(data);
    const batches = await collect(dataset.batches(3));
    expect(dataset).toMatchObject({ rows: 7, classes: 3 });
    expect(batches.map(({ labels }) => labels.length)).toEqual([3, 3, 1]);
    expect(batches.flatMap(({ numeric }) => numeric)).toEqual([...data.numeric]);
    expect(batches.flatMap(({ categorical }) => categorical)).toEqual([...data.categorical]);
    expect(batches.flatMap(({ labels }) => labels)).toEqual([...(data.labels ?? [])]);
  });

  test("shuffles whole rows, alike for the same numbers", async () => {
    const pass = () => collect(tableDataset(data).batches(4, Random.from(0, "shuffle", 1)));
    const [first, second] = [await pass(), await pass()];
    expect(first).toEqual(second);
    const rows = first.flatMap(({ categorical }) => categorical.map((code) => code / 10));
    expect(rows).not.toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect([...rows].sort()).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(first.flatMap(({ labels }) => labels)).toEqual(rows.map((row) => data.labels?.[row]));
    expect(first.flatMap(({ numeric }) => numeric)).toEqual(rows.flatMap((row) => [2 * row, 2 * row + 1]));
  });

  test("disposes every batch, also when the loop is left early", async () => {
    const before = tf.memory().numTensors;
    await collect(tableDataset(data).batches(2));
    for await (const { inputs } of tableDataset(data).batches(2)) {
      expect(tf.memory().numTensors).toBe(before + 2);
      if (inputs.numeric.shape[0] === 2) break;
    }
    expect(tf.memory().numTensors).toBe(before);
  });

  test("wants labels unless it is told that there are none", async () => {
    const { labels: _, ...unlabelled } = data;
    expect(() => tableDataset(unlabelled)).toThrow(DataError);
    const [batch] = await collect(tableDataset(unlabelled, { unlabelled: true }).batches(7));
    expect(batch?.labels).toEqual([0, 0, 0, 0, 0, 0, 0]);
  });

  test("refuses a batch size below 1", () => {
    expect(() => [...(tableDataset(data).batches(0) as Iterable<unknown>)]).toThrow(ConfigError);
  });
});
