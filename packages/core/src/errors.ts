import { type ErrorDetails, L0gmError } from "@l0gm/backend";

export { type ErrorDetails, L0gmError };

/** A tensor or array has the wrong shape or length. */
export class ShapeError extends L0gmError {
  override readonly name = "ShapeError";
}

/** An option is outside its range or contradicts another. */
export class ConfigError extends L0gmError {
  override readonly name = "ConfigError";
}

/** Data (a file, a row, a label) is not what it was declared to be. */
export class DataError extends L0gmError {
  override readonly name = "DataError";
}

/** A saved file is truncated, corrupted, of a later version, or not ours. */
export class FormatError extends L0gmError {
  override readonly name = "FormatError";
}

/** A loss, gradient or weight became NaN or infinite. */
export class NumericalError extends L0gmError {
  override readonly name = "NumericalError";
}
