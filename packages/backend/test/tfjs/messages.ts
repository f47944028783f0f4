/** What run.ts asks a process for. */
export interface Order {
  readonly variant: "stock" | "ours";
  readonly threads: number;
  /** Names of the tests that need not run: an earlier process has run them. */
  readonly done: readonly string[];
  /** A file of this package, from which `jasmine-core` is found. */
  readonly here: string;
}

/** What a process tells run.ts. */
export type Message =
  | { readonly type: "kernels"; readonly reason: string }
  | { readonly type: "start"; readonly name: string }
  | { readonly type: "result"; readonly name: string; readonly passed: boolean; readonly message: string }
  | { readonly type: "end" };
