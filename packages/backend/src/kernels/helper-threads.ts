/** The threads that share the kernels' work, as workers of Node. Everything they do after they have started is in assembly/index.ts. */

import type { Worker } from "node:worker_threads";
import type { Memory, Module } from "./web-assembly.ts";

/** Threads that serve one control block. */
export interface Helpers {
  readonly count: number;
  end(): Promise<void>;
}

/** Text rather than a file, so that it runs from sources, from the built package and from a bundle alike. */
const SCRIPT = `
const { parentPort, workerData } = require("node:worker_threads");
const { module, memory, control, scratch, thread } = workerData;
const kernels = new WebAssembly.Instance(module, { env: { memory } }).exports;
kernels.configure(control, scratch, thread);
parentPort.postMessage("ready");
kernels.serve();
`;

/** Whether this engine can start helpers. */
export function canStartHelpers(): boolean {
  return globalThis.process?.versions?.node !== undefined && typeof SharedArrayBuffer === "function";
}

/**
 * Starts one helper for each scratch memory, and waits until all of them serve. They keep the process from ending no longer than
 * without them.
 */
export async function startHelpers(
  module: Module,
  memory: Memory,
  control: number,
  scratch: readonly number[],
): Promise<Helpers> {
  const { Worker } = globalThis.process.getBuiltinModule("node:worker_threads");
  const workers: Worker[] = [];
  try {
    for (const [i, own] of scratch.entries()) {
      const workerData = { module, memory, control, scratch: own, thread: i + 1 };
      // Not our process's flags: a test runner's loaders, or an inspector, have no business here.
      const worker = new Worker(SCRIPT, { eval: true, workerData, execArgv: [] });
      workers.push(worker);
      await new Promise((resolve, reject) => {
        worker.once("message", resolve);
        worker.once("error", reject);
      });
      worker.removeAllListeners();
      worker.unref();
    }
  } catch (error) {
    await Promise.all(workers.map((worker) => worker.terminate()));
    throw error;
  }
  return {
    count: workers.length,
    async end() {
      await Promise.all(workers.map((worker) => worker.terminate()));
    },
  };
}
