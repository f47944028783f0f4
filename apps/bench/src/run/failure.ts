import { L0gmError, NumericalError } from "@l0gm/core";

/** A run's folder was taken by another process: nothing is wrong with settings or data, and the run can be repeated. */
export class LockLost extends L0gmError {
  override readonly name = "LockLost";
}

/** Whether settings or data are to blame, which the user can change, rather than the course of training or a bug. */
export function isWrongInput(error: unknown): boolean {
  return error instanceof L0gmError && !(error instanceof NumericalError || error instanceof LockLost);
}
