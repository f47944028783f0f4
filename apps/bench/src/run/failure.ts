import { L0gmError, NumericalError } from "@l0gm/core";

/** Whether settings or data are to blame, which the user can change, rather than the course of training or a bug. */
export function isWrongInput(error: unknown): boolean {
  return error instanceof L0gmError && !(error instanceof NumericalError);
}
