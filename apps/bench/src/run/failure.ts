import { L0gmError, NumericalError } from "@l0gm/core";

/** Whether settings or data are to blame, which the user can change, rather than the course of training or a bug. */
export function isWrongInput(error: unknown): boolean {
  if (error instanceof NumericalError) return false;
  // The backend package, which core builds on, has a base class of its own.
  return error instanceof L0gmError || (error instanceof Error && "expected" in error && "received" in error);
}
