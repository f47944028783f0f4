import type { Csr } from "./csr.ts";

/** A graph whose nodes are to be classified, in host memory. */
export interface NodeGraph {
  /** Row i lists the nodes from which node i receives; symmetric where edges have no direction. */
  readonly csr: Csr;
  /** Row-major `[nodes, columns]`. */
  readonly features: Float32Array;
  /** Features of a node. */
  readonly columns: number;
  /** `[nodes]`, class indices. */
  readonly labels: Int32Array;
  /** Names of the classes, by index. */
  readonly classes: readonly string[];
  /** How it was made up, of a graph that is simulated. */
  readonly simulated?: string;
}

/** Which nodes train, select and test, ascending and disjoint. */
export interface NodeSplit {
  readonly train: Int32Array;
  readonly validation: Int32Array;
  readonly test: Int32Array;
}
