/** Runs in a page, and in a Web Worker that the page starts. The application of browser.test.ts. */

import * as tf from "@tensorflow/tfjs-core";
import { type BackendChoice, type BackendReport, type DoctorReport, doctor, useBackend } from "../../src/index.ts";
import { bitsOf, everyOperation, largestDifference } from "../every-operation.ts";

export interface CheckOptions {
  readonly choice: BackendChoice;
  readonly threads?: number;
}

export interface CheckResult {
  readonly report: BackendReport;
  readonly doctor: DoctorReport;
  /** Against plain JavaScript. */
  readonly difference: { readonly name: string; readonly difference: number };
  readonly bits: Record<string, string>;
  /** The same on one thread. */
  readonly bitsOfOne: Record<string, string>;
  /** Helpers that were started and that were ended again, by the end. */
  readonly started: number;
  readonly ended: number;
}

/** Counts the helpers, where nobody outside could. */
function countWorkers(): { started: number; ended: number } {
  const counts = { started: 0, ended: 0 };
  const Original = Reflect.get(globalThis, "Worker") as (new (...args: unknown[]) => { terminate(): void }) | undefined;
  if (Original === undefined) return counts;
  class Counted extends Original {
    constructor(...args: unknown[]) {
      super(...args);
      counts.started++;
    }

    override terminate(): void {
      counts.ended++;
      super.terminate();
    }
  }
  Reflect.set(globalThis, "Worker", Counted);
  return counts;
}

const counts = countWorkers();

const wasmFolder = new URL("wasm/", String(Reflect.get(Object(Reflect.get(globalThis, "location")), "href"))).href;

export interface StockResult {
  readonly report: BackendReport;
  readonly product: readonly number[];
}

/** Somebody else has started TensorFlow.js's backend, which takes its threaded build where it can. */
async function checkAfterStock(): Promise<StockResult> {
  const { setWasmPaths } = await import("@tensorflow/tfjs-backend-wasm");
  setWasmPaths(wasmFolder);
  await tf.setBackend("wasm");
  const report = await useBackend("wasm", { threads: 2 });
  const product = await tf.matMul(tf.ones([1, 3]), tf.tensor2d([1, 2, 3, 4, 5, 6], [3, 2])).data();
  tf.removeBackend("wasm");
  return { report, product: [...product] };
}

async function check({ choice, threads }: CheckOptions): Promise<CheckResult> {
  await useBackend("cpu");
  const expected = await everyOperation();
  const report = await useBackend(choice, { wasmFolder, ...(threads === undefined ? {} : { threads }) });
  const diagnosis = await doctor();
  const results = await everyOperation();
  const bits = await bitsOf(results);
  const again = { wasmFolder, ...(threads === undefined ? {} : { threads }) };
  await useBackend(choice, { ...again, threads: 1 });
  // WebGPU has no threads of ours, and on a CPU it takes its time.
  const bitsOfOne = report.backend === "wasm" ? await bitsOf(await everyOperation()) : bits;
  // The asked number again, so that the end of the backend has something to end.
  await useBackend(choice, again);
  tf.removeBackend(report.backend);
  // What is ended is ended in its own time.
  await new Promise((resolve) => setTimeout(resolve, 50));
  const difference = largestDifference(results, expected);
  return { report, doctor: diagnosis, difference, bits, bitsOfOne, ...counts };
}

/** Without a document this is a Web Worker. */
const inWorker = !Reflect.has(globalThis, "document");

function checkInWorker(options: CheckOptions): Promise<CheckResult> {
  type Worker = { postMessage(options: CheckOptions): void; onmessage: unknown; onerror: unknown; terminate(): void };
  const Worker = Reflect.get(globalThis, "Worker") as new (address: string, options: object) => Worker;
  const worker = new Worker("checks.js", { type: "module" });
  return new Promise<CheckResult>((resolve, reject) => {
    worker.onmessage = ({ data }: { data: CheckResult | { failure: string } }) =>
      "failure" in data ? reject(new Error(data.failure)) : resolve(data);
    worker.onerror = ({ message }: { message?: string }) => reject(new Error(message ?? "the worker did not start"));
    worker.postMessage(options);
  }).finally(() => worker.terminate());
}

if (inWorker) {
  const post = Reflect.get(globalThis, "postMessage") as (message: unknown) => void;
  Reflect.set(globalThis, "onmessage", ({ data }: { data: CheckOptions }) => {
    check(data).then(post, (error: unknown) => post({ failure: error instanceof Error ? error.stack : String(error) }));
  });
} else {
  Reflect.set(globalThis, "check", check);
  Reflect.set(globalThis, "checkAfterStock", checkAfterStock);
  Reflect.set(globalThis, "checkInWorker", checkInWorker);
}
