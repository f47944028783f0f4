/** Who is measured, and how each is started. */

import { join } from "node:path";
import type { PeerCommand } from "./peer.ts";

export interface Implementation {
  readonly id: string;
  readonly title: string;
  readonly command: PeerCommand;
  /** Takes part only where that one fails. */
  readonly standsFor?: string;
}

export interface ImplementationOptions {
  readonly threads: readonly number[];
  /** The interpreter that has PyTorch. */
  readonly python: string;
}

export const STOCK = "stock";
export const FILLED = "filled";
export const NATIVE = "tfjs-node";

/** The package that declares tfjs-node-gpu, which `pnpm setup:native` builds. */
const WITH_NATIVE = join(import.meta.dirname, "../../../apps/bench");

export function ours(threads: number): string {
  return `ours-${threads}`;
}

export function torch(threads: number): string {
  return `torch-${threads}`;
}

export function implementations({ threads, python }: ImplementationOptions): Implementation[] {
  const javascript = (...args: string[]): PeerCommand => ({
    file: process.execPath,
    // As this process was started, sources and all.
    arguments: [...process.execArgv, join(import.meta.dirname, "worker.ts"), ...args],
  });
  return [
    { id: STOCK, title: "stock wasm", command: javascript("stock") },
    { id: FILLED, title: "stock wasm, filled", command: javascript("filled"), standsFor: STOCK },
    { id: NATIVE, title: "tfjs-node", command: { ...javascript("tensorflow"), cwd: WITH_NATIVE } },
    ...threads.flatMap((count) => [
      {
        id: torch(count),
        title: `PyTorch ×${count}`,
        command: { file: python, arguments: [join(import.meta.dirname, "torch_peer.py"), String(count)] },
      },
      { id: ours(count), title: `ours ×${count}`, command: javascript("ours", String(count)) },
    ]),
  ];
}
