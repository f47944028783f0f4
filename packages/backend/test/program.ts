/** A program that uses the backend, for a process or a worker of its own. Tells what came of it in one line of JSON, or one message. */

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { parentPort, workerData } from "node:worker_threads";
import * as tf from "@tensorflow/tfjs-core";
import { useBackend } from "../src/select.ts";
import { bitsOf, everyOperation } from "./every-operation.ts";
import { smallModel } from "./small-model.ts";

/** What the program is to do, as the JSON of its first argument or as the data of a worker. */
export interface Assignment {
  /** Left out, as many as there are by default. */
  readonly threads?: number;
  /** Training steps after those that warm up; left out, every operation runs once instead. */
  readonly steps?: number;
}

export interface Operations {
  readonly threads: number;
  readonly bits: Readonly<Record<string, string>>;
}

/** What is in use. */
export interface Memory {
  readonly tensors: number;
  readonly buffers: number;
  /** Bytes that tfjs counts, the size of WebAssembly's memory, and what the system has given to the process. */
  readonly bytes: number;
  readonly heap: number;
  readonly resident: number;
}

export interface Training {
  readonly threads: number;
  /** After each round of steps. */
  readonly rounds: readonly Memory[];
}

function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
}

function memory(): Memory {
  collectGarbage();
  const { numTensors, numDataBuffers, numBytes } = tf.memory();
  const { wasm } = tf.backend() as unknown as { wasm: { HEAPU8: Uint8Array } };
  const { rss } = process.memoryUsage();
  return { tensors: numTensors, buffers: numDataBuffers, bytes: numBytes, heap: wasm.HEAPU8.length, resident: rss };
}

/** Enough for the engine to have compiled what it will compile, and for its own memory to have found its size. */
const WARM_UP = 1000;

const ROUNDS = 8;

async function run({ threads: asked, steps }: Assignment): Promise<Operations | Training> {
  const { threads } = (await useBackend("wasm", asked === undefined ? {} : { threads: asked })).kernels;
  if (steps === undefined) return { threads, bits: await bitsOf(await everyOperation()) };
  const model = smallModel();
  for (let step = 0; step < WARM_UP; step++) model.step(step);
  const rounds = Array.from({ length: ROUNDS }, (_, round) => {
    const first = WARM_UP + round * steps;
    for (let step = first; step < first + steps; step++) model.step(step);
    return memory();
  });
  model.dispose();
  return { threads, rounds };
}

if (parentPort === null) console.log(JSON.stringify(await run(JSON.parse(process.argv[2] ?? "{}") as Assignment)));
else parentPort.postMessage(await run(workerData as Assignment));
