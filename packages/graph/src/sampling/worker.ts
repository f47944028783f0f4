/** The entry of a sampling thread of Node: one answer to every job, until it is ended. worker/build.mjs makes a text of it. */

import { parentPort, workerData } from "node:worker_threads";
import { answer, type Job, makeDrawer, type Task, transferable } from "./job.ts";

if (parentPort === null) throw new Error("this runs in a worker thread");
const port = parentPort;
const task = workerData as Task;
const drawer = makeDrawer(task);
port.on("message", (job: Job) => {
  const drawn = answer(task, drawer, job);
  port.postMessage(drawn, transferable(drawn));
});
