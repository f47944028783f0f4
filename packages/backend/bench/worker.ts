/**
 * A peer that measures TensorFlow.js.
 *
 * usage: node --conditions=@l0gm/source --import tsx worker.ts stock|filled|ours|plain|tensorflow THREADS
 *
 * `stock` is the WebAssembly backend as it comes, `filled` the same with the one kernel that our models miss, written in JavaScript, `ours`
 * and `plain` are this package with its fused operations and with those of TensorFlow.js, `tensorflow` is the native package.
 */

import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-layers";
import { useBackend } from "../src/index.ts";
import { loadNative } from "../src/native/load.ts";
import type { ModelName } from "./model-names.ts";
import { CHECKS, type Prepared, type Product, REQUEST, type Ready, type Request, type Workload } from "./protocol.ts";
import { makeWorkload, noise } from "./workloads.ts";

const [implementation = "", threads = "1"] = process.argv.slice(2);

/** One step; a model's gives its loss. */
type Step = () => number;

interface Workbench {
  readonly step: Step;
  readonly checks: number[];
}

/** UnsortedSegmentSum as a plain loop over the tensors' memory: what a user of the stock backend could write. */
function fillSegmentSum(): void {
  const backend = tf.backend() as tf.KernelBackend & {
    write(values: tf.backend_util.BackendValues, shape: number[], dtype: tf.DataType): object;
  };
  tf.registerKernel({
    kernelName: "UnsortedSegmentSum",
    backendName: "wasm",
    kernelFunc({ inputs, attrs }) {
      const { x, segmentIds } = inputs;
      const segments = Number(attrs?.["numSegments"]);
      if (x === undefined || segmentIds === undefined) throw new Error("UnsortedSegmentSum needs x and segmentIds");
      const ids = backend.readSync(segmentIds.dataId) as Int32Array;
      const values = backend.readSync(x.dataId) as Float32Array;
      const width = tf.util.sizeFromShape(x.shape) / ids.length;
      const sums = new Float32Array(segments * width);
      for (let row = 0; row < ids.length; row++) {
        const [from, to] = [row * width, (ids[row] ?? 0) * width];
        for (let j = 0; j < width; j++) sums[to + j] = (sums[to + j] ?? 0) + (values[from + j] ?? 0);
      }
      const shape = [segments, ...x.shape.slice(segmentIds.shape.length)];
      return { dataId: backend.write(sums, shape, "float32"), shape, dtype: "float32" };
    },
  });
}

async function start(): Promise<Ready> {
  const { version } = createRequire(import.meta.url)("../package.json") as { version: string };
  const versions = { node: process.versions.node, "@tensorflow/tfjs-core": tf.version_core };
  switch (implementation) {
    case "stock":
    case "filled":
      await import("@tensorflow/tfjs-backend-wasm");
      if (!(await tf.setBackend("wasm"))) throw new Error("the WebAssembly backend does not start");
      if (implementation === "stock") return { runs: "stock kernels on 1 thread", versions };
      fillSegmentSum();
      return { runs: "stock kernels on 1 thread, and UnsortedSegmentSum in JavaScript", versions };
    case "ours":
    case "plain": {
      const { kernels } = await useBackend("wasm", { threads: Number(threads) });
      if (kernels.ours.length === 0) throw new Error(`our kernels are not in force: ${kernels.reason}`);
      if (kernels.threads !== Number(threads)) throw new Error(`runs on ${kernels.threads} threads`);
      return { runs: kernels.reason, versions: { "@l0gm/backend": version, ...versions } };
    }
    case "tensorflow": {
      const { package: name, version: native = "", reason } = await loadNative();
      if (name === undefined) throw new Error(reason);
      await useBackend("tensorflow");
      return { runs: reason, versions: { [name]: native, ...versions } };
    }
    default:
      throw new Error(`no implementation "${implementation}"`);
  }
}

/** The steps whose losses are checked are made, but for the last. */
function training(name: ModelName): Workbench {
  const { loss, optimizer } = makeWorkload(name, implementation === "ours");
  const step = (): number => {
    const value = optimizer.minimize(loss, true);
    const [number = Number.NaN] = value?.dataSync() ?? [];
    value?.dispose();
    return number;
  };
  return { step, checks: Array.from({ length: CHECKS - 1 }, step) };
}

function product({ a, b, transposeA, transposeB }: Product): Workbench {
  const [x, y] = [noise(a, 1), noise(b, 2)];
  const inner = a.at(transposeA ? -2 : -1) ?? 1;
  const check = tf.tidy(() => Number(tf.mean(tf.square(tf.matMul(x, y, transposeA, transposeB))).dataSync()[0]));
  return {
    step() {
      tf.matMul(x, y, transposeA, transposeB).dispose();
      return 0;
    },
    checks: [check / inner],
  };
}

/** A step's value and its milliseconds. */
function timed(step: Step): readonly [value: number, ms: number] {
  const begin = performance.now();
  const value = step();
  return [value, performance.now() - begin];
}

let current: Step | undefined;

let release = (): void => {};

function prepare(workload: Workload): Prepared {
  // Holds every tensor of a workload until it is released; variables are not part of a scope.
  tf.engine().startScope();
  release = () => {
    tf.engine().endScope();
    tf.disposeVariables();
    current = undefined;
    release = () => {};
  };
  const { step, checks } = "model" in workload ? training(workload.model) : product(workload);
  const [first, ms] = timed(step);
  const values = [...checks, ...("model" in workload ? [first] : [])];
  const wrong = values.find((value) => !Number.isFinite(value));
  if (wrong !== undefined) throw new Error(`the result is ${wrong}`);
  current = step;
  return { checks: values, ms };
}

function answer(request: Request): object {
  switch (request.command) {
    case "prepare":
      return prepare(request.workload);
    case "measure": {
      const step = current;
      if (step === undefined) throw new Error("nothing is prepared");
      for (let i = 0; i < request.untimed; i++) step();
      const times: number[] = [];
      const end = performance.now() + request.limit;
      do times.push(timed(step)[1]);
      while (times.length < request.repetitions && performance.now() < end);
      return { times };
    }
    case "release":
      release();
      return { released: true };
  }
}

function write(value: object): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

function failure(error: unknown): object {
  const [first = ""] = String(error instanceof Error ? error.message : error).split("\n", 1);
  return { fails: first };
}

let ready: Ready | undefined;
try {
  ready = await start();
  write(ready);
} catch (error) {
  write(failure(error));
}
if (ready !== undefined) {
  for await (const line of createInterface({ input: process.stdin })) {
    try {
      write(answer(REQUEST.parse(JSON.parse(line))));
    } catch (error) {
      // Also what is half prepared is given back; the next workload may run.
      release();
      write(failure(error));
    }
  }
}
process.exit();
