/**
 * Times training steps on Adult by way of `fit`, with the bench's default settings, and shows where their time goes, kernel by kernel.
 *
 * usage: node --conditions=@l0gm/source --import tsx packages/tabular/bench/training-step.ts [mlp|transformer] [THREADS] [time|profile]
 *
 * Prints the least, the lower quartile and the median of a step's milliseconds, by the clock and of processor time; the latter suffers
 * less from what else the machine is doing.
 */

import { fileURLToPath } from "node:url";
import { type Dataset, fit, GatedClassifier, type LabelledBatch, targetFraction, useBackend } from "@l0gm/core";
import * as tf from "@tensorflow/tfjs-core";
import {
  encoderOptionsFrom,
  featureTransformerEncoder,
  loadAdult,
  mlpEncoder,
  type TableBatch,
  TablePreprocessor,
  tableDataset,
} from "../src/index.ts";

const [kind = "mlp", threads = "1", mode = "time"] = process.argv.slice(2);
/** Steps of an epoch: fewer than the rows give, so that no batch is shorter than the others. */
const STEPS = 50;
const EPOCHS = 4;
/** Steps until everything is compiled. */
const WARM_UP = 10;

const { kernels } = await useBackend("wasm", { threads: Number(threads) });
const { schema, train, validation } = await loadAdult(
  fileURLToPath(new URL("../../../apps/bench/data/adult", import.meta.url)),
);
const preprocessor = TablePreprocessor.fit(train, schema, { numeric: "quantile", bins: 96 });
const rows = tableDataset(preprocessor.transform(train));
const common = { ...encoderOptionsFrom(preprocessor), width: 128, seed: 1 };
const encoder =
  kind === "mlp"
    ? mlpEncoder({ ...common, hidden: [256], dropout: 0.2 })
    : featureTransformerEncoder({ ...common, tokenWidth: 32, blocks: 2, heads: 4, hidden: 43, dropout: 0.1 });
const model = new GatedClassifier({ encoder, classes: rows.classes });

const firstSteps: Dataset<TableBatch> = {
  ...rows,
  async *batches(batchSize, shuffle): AsyncGenerator<LabelledBatch<TableBatch>> {
    let step = 0;
    for await (const batch of rows.batches(batchSize, shuffle)) {
      if (step++ === STEPS) return;
      yield batch;
    }
  },
};

interface Tally {
  calls: number;
  milliseconds: number;
}

/** Counts calls and time of every kernel; a kernel that calls another one is not charged for it. */
function watchKernels(): Map<string, Tally> {
  const tallies = new Map<string, Tally>();
  let inner = 0;
  for (const config of tf.getKernelsForBackend("wasm")) {
    const { kernelName, kernelFunc } = config;
    const tally = { calls: 0, milliseconds: 0 };
    tallies.set(kernelName, tally);
    const watched: typeof kernelFunc = (args) => {
      const [begin, before] = [performance.now(), inner];
      const result = kernelFunc(args);
      const took = performance.now() - begin;
      tally.calls++;
      tally.milliseconds += took - (inner - before);
      inner = before + took;
      return result;
    };
    Object.assign(config, { kernelFunc: watched });
  }
  return tallies;
}

const tallies = mode === "profile" ? watchKernels() : new Map<string, Tally>();
const clock: number[] = [];
const processor: number[] = [];
let steps = 0;
let [time, usage] = [performance.now(), process.cpuUsage()];
let loss = Number.NaN;
await fit(
  model,
  { train: firstSteps, validation: tableDataset(preprocessor.transform(validation)) },
  {
    epochs: EPOCHS,
    batchSize: 512,
    weights: { learningRate: 2e-3, decay: 1e-2 },
    controller: targetFraction({ fraction: 1 / 4 }),
    callbacks: [
      {
        onStepEnd(progress) {
          const { user, system } = process.cpuUsage(usage);
          // The first step of an epoch comes after the validation pass.
          if (++steps > WARM_UP && progress.step > 1) {
            clock.push(performance.now() - time);
            processor.push((user + system) / 1000);
          }
          loss = progress.loss;
          [time, usage] = [performance.now(), process.cpuUsage()];
        },
      },
    ],
  },
);

function summary(values: number[]): string {
  values.sort((a, b) => a - b);
  return [0, 0.25, 0.5].map((share) => (values[Math.floor(share * values.length)] ?? Number.NaN).toFixed(2)).join(" ");
}

console.log(`${kind}, 512 rows a step, ${kernels.reason}; last loss ${loss}`);
console.log(`milliseconds a step (least, quartile, median): clock ${summary(clock)}, processor ${summary(processor)}`);
const used = [...tallies].filter(([, { calls }]) => calls > 0).sort(([, a], [, b]) => b.milliseconds - a.milliseconds);
for (const [name, { calls, milliseconds }] of used) {
  const [often, long] = [calls / steps, milliseconds / steps];
  console.log(`${name.padEnd(30)} ${often.toFixed(1).padStart(7)} calls ${long.toFixed(3).padStart(9)} ms a step`);
}
