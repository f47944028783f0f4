/**
 * The threads that share the kernels' work: workers of Node, or Web Workers where a browser lets memory be shared. Everything they do
 * after they have started is in assembly/index.ts.
 */

import type { Memory, Module } from "./web-assembly.ts";

/** Threads that serve one control block. */
export interface Helpers {
  readonly count: number;
  end(): Promise<void>;
}

/** What a helper is told before it starts. */
interface Duty {
  readonly module: Module;
  readonly memory: Memory;
  readonly control: number;
  readonly scratch: number;
  readonly thread: number;
}

/** A helper that has said that it serves. */
interface Helper {
  terminate(): unknown;
}

/** Text rather than a file, so that it runs from sources, from the built package and from a bundle alike. */
const SERVE = `
function serve({ module, memory, control, scratch, thread }, tell) {
  const kernels = new WebAssembly.Instance(module, { env: { memory } }).exports;
  kernels.configure(control, scratch, thread);
  tell("ready");
  kernels.serve();
}
`;

const NODE_SCRIPT = `${SERVE}
const { parentPort, workerData } = require("node:worker_threads");
serve(workerData, (word) => parentPort.postMessage(word));
`;

const WEB_SCRIPT = `${SERVE}
onmessage = ({ data }) => serve(data, (word) => postMessage(word));
`;

/** A worker that a page's rules forbid may never say so. */
const PATIENCE_MS = 10_000;

/** The part of a Web Worker that we use: TypeScript declares it for browsers only. */
interface WebWorker extends Helper {
  onmessage: (() => void) | null;
  onerror: ((event: { readonly message?: string; preventDefault?(): void }) => void) | null;
  postMessage(message: unknown): void;
}

type WebWorkerConstructor = new (address: string, options: { readonly name: string }) => WebWorker;

function isNode(): boolean {
  return globalThis.process?.versions?.node !== undefined;
}

/** Why this engine can not start helpers; nothing where it can. */
export function whyNoHelpers(): string | undefined {
  if (typeof SharedArrayBuffer !== "function" || Reflect.get(globalThis, "crossOriginIsolated") === false) {
    return isNode()
      ? "this engine has no SharedArrayBuffer"
      : "the page is not cross-origin isolated (see the README: it needs two headers)";
  }
  if (!isNode() && typeof Reflect.get(globalThis, "Worker") !== "function") return "there are no Web Workers here";
  return undefined;
}

/** Whether this thread may wait asleep; a browser's main thread may not. */
export function maySleep(): boolean {
  try {
    // Returns at once, the value being another one.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 1);
    return true;
  } catch {
    return false;
  }
}

/**
 * More than this is never taken without being asked for: two have been measured to help every training step, alone on two cores, and to
 * cost nothing much where another process has the second core; more than two have not been measured.
 */
const MOST_BY_DEFAULT = 2;

/** The number of threads where the caller names none: one inside a worker, which others may stand beside. */
export function defaultThreads(): number {
  if (whyNoHelpers() !== undefined || isWorker()) return 1;
  return Math.min(MOST_BY_DEFAULT, cores());
}

function isWorker(): boolean {
  if (isNode()) return !globalThis.process.getBuiltinModule("node:worker_threads").isMainThread;
  return typeof Reflect.get(globalThis, "WorkerGlobalScope") === "function";
}

function cores(): number {
  if (isNode()) return globalThis.process.getBuiltinModule("node:os").availableParallelism();
  return Number(Reflect.get(Object(Reflect.get(globalThis, "navigator")), "hardwareConcurrency") ?? 1);
}

async function startNodeHelper(duty: Duty): Promise<Helper> {
  const { Worker } = globalThis.process.getBuiltinModule("node:worker_threads");
  // Not our process's flags: a test runner's loaders, or an inspector, have no business here.
  const worker = new Worker(NODE_SCRIPT, { eval: true, workerData: duty, execArgv: [] });
  await new Promise((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
    worker.once("exit", () => reject(new Error("a worker ended at its start")));
  });
  worker.removeAllListeners();
  worker.unref();
  return worker;
}

async function startWebHelper(duty: Duty): Promise<Helper> {
  const Worker = Reflect.get(globalThis, "Worker") as WebWorkerConstructor;
  const address = URL.createObjectURL(new Blob([WEB_SCRIPT], { type: "text/javascript" }));
  let worker: WebWorker | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    const started = new Worker(address, { name: "l0gm-helper" });
    worker = started;
    await new Promise<void>((resolve, reject) => {
      started.onmessage = () => resolve();
      started.onerror = (event) => {
        event.preventDefault?.();
        // Blocked by the page's content policy, it tells nothing but that.
        reject(
          new Error(event.message || "the page's content policy may forbid workers from a blob: worker-src blob:"),
        );
      };
      timer = setTimeout(() => reject(new Error(`no answer within ${PATIENCE_MS / 1000} s`)), PATIENCE_MS);
      started.postMessage(duty);
    });
    return started;
  } catch (error) {
    worker?.terminate();
    throw error;
  } finally {
    clearTimeout(timer);
    URL.revokeObjectURL(address);
  }
}

/**
 * Starts one helper for each scratch memory, and waits until all of them serve. They keep a process from ending no longer than without
 * them, and end with the page, or the worker, that started them.
 */
export async function startHelpers(
  module: Module,
  memory: Memory,
  control: number,
  scratch: readonly number[],
): Promise<Helpers> {
  const start = isNode() ? startNodeHelper : startWebHelper;
  const helpers: Helper[] = [];
  const end = async (): Promise<void> => {
    await Promise.all(helpers.map((helper) => helper.terminate()));
  };
  try {
    for (const [i, own] of scratch.entries()) {
      helpers.push(await start({ module, memory, control, scratch: own, thread: i + 1 }));
    }
  } catch (error) {
    await end();
    throw error;
  }
  return { count: helpers.length, end };
}
