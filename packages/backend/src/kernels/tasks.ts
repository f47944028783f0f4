/**
 * The numbers by which JavaScript and WebAssembly name a kernel. The AssemblyScript sources import this very file, so the two sides
 * can not disagree; its contents must be valid in both languages.
 */

export const PRODUCT = 0;
export const MAP = 1;
export const COLUMN_SUMS = 2;
export const ROW_SUMS = 3;
export const GATHER = 4;
export const SEGMENT_SUM = 5;
export const SELECT = 6;

/** What the units of `PRODUCT` are. */
export const MATRICES = 0;
export const ROWS = 1;
export const COLUMNS = 2;

/** The functions of one variable that `MAP` computes. */
export const TANH = 0;
export const EXP = 1;
export const LOG = 2;
export const ERF = 3;
export const SIGMOID = 4;
export const RELU = 5;
