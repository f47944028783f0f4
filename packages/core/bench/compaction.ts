/**
 * What compaction saves in time: forward passes of the same model dense, gated, and compacted to 1/8 of its dimensions, taking turns
 * on one batch. Run with `pnpm bench:compaction`.
 */

import * as tf from "@tensorflow/tfjs-core";
import { layers, sequential } from "@tensorflow/tfjs-layers";
import { compact, compareLatency, GatedClassifier, layersEncoder, Random, useBackend } from "../src/index.ts";

const ROWS = 256;
const FRACTION = 1 / 8;

const { backend } = await useBackend();
console.log(`backend ${backend}, ${ROWS} rows a batch, milliseconds, median [quartiles] of 50 passes`);
console.log(
  "inputs  hidden  width  classes   dense              gated              compacted          dense / compacted",
);
for (const [inputs, hidden, width, classes] of [
  [100, 256, 128, 2],
  [100, 256, 1024, 2],
  [768, 768, 768, 1000],
  [256, 256, 4096, 1000],
] as const) {
  const encoder = layersEncoder(
    sequential({
      layers: [
        layers.dense({ units: hidden, activation: "relu", inputShape: [inputs] }),
        layers.dense({ units: width }),
      ],
    }),
  );
  const gated = new GatedClassifier({ encoder, classes });
  const open = Random.from(1, "open")
    .permutation(width)
    .subarray(0, width * FRACTION);
  await gated.gate?.freeze([...open]);
  const dense = new GatedClassifier({ encoder, head: gated.head, classes });
  const compacted = compact(gated);
  const batch = tf.tensor2d(Random.from(1, "batch").normals(ROWS * inputs), [ROWS, inputs]);
  const latency = await compareLatency({ dense, gated, compacted }, batch, { rounds: 50 });
  const cell = ({ median, lowerQuartile, upperQuartile }: (typeof latency)["dense"]): string =>
    `${median.toFixed(2)} [${lowerQuartile.toFixed(2)}, ${upperQuartile.toFixed(2)}]`.padEnd(18);
  const sizes = [inputs, hidden, width, classes].map((size) => String(size).padStart(6)).join("  ");
  const ratio = (latency.dense.median / latency.compacted.median).toFixed(2);
  console.log(`${sizes}   ${cell(latency.dense)} ${cell(latency.gated)} ${cell(latency.compacted)} ${ratio}`);
  compacted.dispose();
  gated.dispose();
  batch.dispose();
}
