/** Worker threads that answer jobs ahead of whoever consumes the answers, in the order of the jobs. */

import type { Worker } from "node:worker_threads";
import { ConfigError, DataError } from "@l0gm/core";
import type { Answer, Job, Task } from "./job.ts";
import { WORKER_SCRIPT } from "./worker-script.ts";

/** An answer to come. */
interface Pending {
  readonly answer: Promise<Answer>;
  resolve(answer: Answer): void;
  reject(error: unknown): void;
}

function pending(): Pending {
  let settle: Pick<Pending, "resolve" | "reject"> | undefined;
  const answer = new Promise<Answer>((resolve, reject) => {
    settle = { resolve, reject };
  });
  // Whoever waits hears of a failure; a job that nobody waits for any more fails in silence.
  answer.catch(() => {});
  return { answer, resolve: (value) => settle?.resolve(value), reject: (error) => settle?.reject(error) };
}

function failed(error: unknown): Pending {
  const failure = pending();
  failure.reject(error);
  return failure;
}

/** Of Node; a browser has none that we use. */
function workerClass(): typeof Worker {
  const threads = globalThis.process?.getBuiltinModule?.("node:worker_threads");
  if (threads === undefined) {
    throw new ConfigError({
      where: "NeighborSampler",
      expected: "workers to be 0 where there are no worker threads of Node",
      received: "more",
      hint: "In a browser the page's own thread samples.",
    });
  }
  return threads.Worker;
}

/**
 * Answers jobs in `workers` threads, at most `prefetch` of them begun and not yet taken. The threads start with the first answer that is
 * asked for, and have ended when the loop over the answers has, whatever ended it. They keep a process alive only while an answer is
 * waited for.
 *
 * @param task - its arrays in shared memory
 */
export async function* answersOfCrew(
  task: Task,
  jobs: Iterable<Job>,
  { workers, prefetch }: { readonly workers: number; readonly prefetch: number },
): AsyncGenerator<Answer, void, undefined> {
  const crew = new Crew(jobs[Symbol.iterator](), prefetch);
  try {
    for (let i = 0; i < workers; i++) crew.start(task);
    for (;;) {
      const answer = await crew.next();
      if (answer === undefined) return;
      yield answer;
    }
  } finally {
    await crew.end();
  }
}

class Crew {
  readonly #jobs: Iterator<Job>;
  readonly #prefetch: number;
  readonly #workers: Worker[] = [];
  readonly #idle: Worker[] = [];
  /** In the order of the jobs: those in work and those that wait to be taken. */
  readonly #queue: Pending[] = [];
  readonly #busy = new Map<Worker, Pending>();
  /** No more jobs are begun. */
  #done = false;
  #ended = false;

  constructor(jobs: Iterator<Job>, prefetch: number) {
    this.#jobs = jobs;
    this.#prefetch = prefetch;
  }

  /** Adds a worker. */
  start(task: Task): void {
    const Worker = workerClass();
    // Not our process's flags: a test runner's loaders, or an inspector, have no business here.
    const worker = new Worker(WORKER_SCRIPT, { eval: true, execArgv: [], workerData: task, name: "l0gm-sampler" });
    worker.on("message", (answer: Answer) => this.#hear(worker, answer));
    worker.on("error", (cause) => this.#fail(worker, String(cause), cause));
    worker.on("messageerror", (cause) => this.#fail(worker, String(cause), cause));
    worker.on("exit", (code) => this.#fail(worker, `its end, with code ${code}`));
    worker.unref();
    this.#workers.push(worker);
    this.#idle.push(worker);
  }

  /** The next answer in order; undefined after the last. */
  async next(): Promise<Answer | undefined> {
    this.#begin();
    const [first] = this.#queue;
    if (first === undefined) return undefined;
    for (const worker of this.#workers) worker.ref();
    try {
      return await first.answer;
    } finally {
      for (const worker of this.#workers) worker.unref();
      this.#queue.shift();
      this.#begin();
    }
  }

  async end(): Promise<void> {
    this.#done = true;
    this.#ended = true;
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
    this.#jobs.return?.();
  }

  /** Gives jobs to those who have none. */
  #begin(): void {
    while (!this.#done && this.#queue.length < this.#prefetch && this.#idle.length > 0) {
      let job: IteratorResult<Job>;
      try {
        job = this.#jobs.next();
      } catch (error) {
        // In its place behind the answers to the jobs before it.
        this.#done = true;
        this.#queue.push(failed(error));
        return;
      }
      if (job.done === true) {
        this.#done = true;
        return;
      }
      const worker = this.#idle.shift() as Worker;
      const next = pending();
      this.#queue.push(next);
      this.#busy.set(worker, next);
      worker.postMessage(job.value, [job.value.seeds.buffer as ArrayBuffer]);
    }
  }

  #hear(worker: Worker, answer: Answer): void {
    this.#busy.get(worker)?.resolve(answer);
    this.#busy.delete(worker);
    this.#idle.push(worker);
    this.#begin();
  }

  /** Ends the pass: what was begun elsewhere is still answered. */
  #fail(worker: Worker, received: string, cause?: unknown): void {
    if (this.#ended) return;
    this.#done = true;
    const failure = new DataError({ where: "a sampling thread", expected: "an answer", received }, { cause });
    const work = this.#busy.get(worker);
    this.#busy.delete(worker);
    if (work !== undefined) work.reject(failure);
    // One that had nothing to do should not have ended either: the next who waits hears of it.
    else if (this.#idle.includes(worker)) this.#queue.push(failed(failure));
    this.#idle.splice(0, this.#idle.length, ...this.#idle.filter((other) => other !== worker));
  }
}
