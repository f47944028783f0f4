import type { EncodeContext } from "@l0gm/core";
import type { Adjacency, Ends } from "../spmm.ts";

/** What a message-passing module reads. */
export interface Messages extends Ends {
  readonly graph: Adjacency;
  readonly context: EncodeContext;
}

/** Whether it is less work to multiply by a kernel, `[inputs, outputs]`, first. */
export function aggregatesLast({ rows, columns, neighbors }: Adjacency, inputs: number, outputs: number): boolean {
  const before = columns * inputs * outputs + neighbors.length * outputs;
  const after = rows * inputs * outputs + neighbors.length * inputs;
  return before < after;
}
