/**
 * Trains a gated model on sampled neighbourhoods of a small simulated graph, and says after every epoch what memory is in use: the live tensors
 * and, garbage collected, the resident bytes. Runs in a process of its own: `node --expose-gc train-epochs.ts EPOCHS WORKERS`.
 */

import { constant, fit, GatedClassifier, penalty, useBackend } from "@l0gm/core";
import * as tf from "@tensorflow/tfjs-core";
import { type GraphBatch, sageEncoder, sampledDataset, simulateProducts } from "../src/index.ts";

/** What is in use after an epoch. */
export interface MemoryUse {
  readonly tensors: number;
  readonly tensorBytes: number;
  readonly residentBytes: number;
}

const [epochs, workers] = process.argv.slice(2).map(Number);
const { gc } = globalThis;
if (epochs === undefined || workers === undefined || gc === undefined) {
  throw new Error("usage: node --expose-gc train-epochs.ts EPOCHS WORKERS");
}
await useBackend("wasm");
const { graph, split } = await simulateProducts({ scale: 1 / 512, shared: workers > 0 });
const fanOut = [10, 5];
const encoder = sageEncoder({ features: graph.columns, hidden: 32, layers: fanOut.length, width: 16 });
const used: MemoryUse[] = [];
await fit<GraphBatch>(
  new GatedClassifier({ encoder, classes: graph.classes.length }),
  {
    train: sampledDataset(graph, split.train, { fanOut, workers }),
    validation: sampledDataset(graph, split.validation, { fanOut }),
  },
  {
    epochs,
    batchSize: 32,
    controller: penalty(constant(0.1)),
    callbacks: [
      {
        onEpochEnd() {
          gc();
          const { numTensors, numBytes } = tf.memory();
          used.push({ tensors: numTensors, tensorBytes: numBytes, residentBytes: process.memoryUsage.rss() });
        },
      },
    ],
  },
);
process.stdout.write(JSON.stringify(used));
