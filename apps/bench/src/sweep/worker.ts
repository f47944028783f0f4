/** Entry of a child process: takes one run from its parent, reports epochs and the end, and dies with its parent. */

import { isWrongInput, LockLost } from "../run/failure.ts";
import type { PlannedRun } from "../run/spec.ts";
import { keepFailure, obtainRun } from "../run/store.ts";
import type { Preparation } from "../tasks/task.ts";

/** What a parent tells its worker. */
export interface Assignment {
  readonly run: PlannedRun;
  /** Its share of the cores. */
  readonly threads: number;
}

/** What a worker tells its parent. */
export type WorkerMessage =
  | { readonly type: "epoch"; readonly epoch: number; readonly epochs: number; readonly validationNll: number }
  | ({ readonly type: "prepare" } & Preparation)
  | { readonly type: "done" }
  | ({ readonly type: "failed" } & Failure);

/** Why a run failed. */
export interface Failure {
  readonly message: string;
  /** Settings or data are wrong, so that trying again is of no use. */
  readonly wrongInput: boolean;
}

// The parent decides when to stop; a terminal sends its interrupt to the whole group.
process.on("SIGINT", () => {});
// A killed parent says nothing. What was trained is in the checkpoint.
process.on("disconnect", () => process.exit(1));

function tell(message: WorkerMessage): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined) resolve();
    else process.send(message, () => resolve());
  });
}

process.once("message", async (message) => {
  const { run, threads } = message as Assignment;
  try {
    await obtainRun(run, {
      threads,
      onEpoch: ({ epoch, validationNll }, epochs) => {
        void tell({ type: "epoch", epoch: epoch + 1, epochs, validationNll });
      },
      onPrepare: (step) => void tell({ type: "prepare", ...step }),
    });
    await tell({ type: "done" });
  } catch (error) {
    const wrongInput = isWrongInput(error);
    const message = error instanceof Error ? error.message : String(error);
    const stack = error instanceof Error && !wrongInput ? error.stack : undefined;
    // The parent is told in any case, also where the folder cannot be written. One that another process has taken is left alone.
    if (!(error instanceof LockLost)) {
      await keepFailure(run, { message, ...(stack === undefined ? {} : { stack }) }).catch(() => {});
    }
    await tell({ type: "failed", message, wrongInput });
  }
  process.exit(0);
});
