/**
 * The numbers by which JavaScript and WebAssembly name a kernel. The AssemblyScript sources import this very file, so the two sides
 * can not disagree; its contents must be valid in both languages.
 */

export const PRODUCT = 0;
export const MAP = 1;
export const MAP_GRADIENT = 2;
export const COLUMN_SUMS = 3;
export const ROW_SUMS = 4;
export const SPREAD_ROWS = 5;
export const GATHER = 6;
export const SEGMENT_SUM = 7;
export const SELECT = 8;
export const LAYER_NORM = 9;
export const LAYER_NORM_GRADIENT = 10;
export const ATTENTION = 11;
export const ATTENTION_GRADIENT = 12;
export const CROSS_ENTROPY = 13;
export const CROSS_ENTROPY_GRADIENT = 14;
export const GATE = 15;
export const MULTIPLY_ROWS = 16;
export const PRODUCT_SUMS = 17;
export const ADAM = 18;
export const CSR_PRODUCT = 19;
export const CSR_TRANSPOSE = 20;
export const RANDOM_UNIFORM = 21;
export const RANDOM_NORMAL = 22;
export const DROPOUT = 23;
export const SQUARES = 24;
export const PIECEWISE = 25;
export const PIECEWISE_GRADIENT = 26;
export const CSR_DOTS = 27;
export const CSR_SOFTMAX = 28;
export const CSR_SOFTMAX_GRADIENT = 29;

/** What the units of `PRODUCT` are. */
export const MATRICES = 0;
export const ROWS = 1;
export const COLUMNS = 2;

/** The functions of one variable that `MAP` computes, and `MAP_GRADIENT` differentiates where it says so. */
export const TANH = 0;
export const EXP = 1;
export const LOG = 2;
export const ERF = 3;
export const SIGMOID = 4;
/** Its gradient is computed from the result. */
export const RELU = 5;
/** Its gradient is computed from the argument. */
export const GELU = 6;
/** GELU with tanh in the place of erf; its gradient is computed from the argument. */
export const GELU_TANH = 7;
