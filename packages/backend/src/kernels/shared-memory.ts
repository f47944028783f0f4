import { withMemory } from "./memory-section.ts";
import { webAssembly } from "./web-assembly.ts";

/**
 * Runs `start`, which starts tfjs's WebAssembly backend, so that its memory can be shared with other threads. tfjs offers no setting for
 * that, so the module is changed by one byte on its way to the engine: the first one meanwhile that defines a memory of its own.
 */
export async function withSharedMemory<T>(start: () => Promise<T>): Promise<T> {
  const { instantiate } = webAssembly;
  webAssembly.instantiate = async (source, imports) => {
    const shared =
      source instanceof Uint8Array || source instanceof ArrayBuffer
        ? withMemory(new Uint8Array(source), true)
        : undefined;
    if (shared !== undefined) webAssembly.instantiate = instantiate;
    return await instantiate(shared ?? source, imports);
  };
  try {
    return await start();
  } finally {
    webAssembly.instantiate = instantiate;
  }
}
