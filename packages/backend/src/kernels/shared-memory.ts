import { withMemory } from "./memory-section.ts";
import { type Download, webAssembly } from "./web-assembly.ts";

/**
 * Runs `start`, which starts tfjs's WebAssembly backend, so that its memory can be shared with other threads. tfjs offers no setting for
 * that, so the module is changed by one byte on its way to the engine: the first one meanwhile that defines a memory of its own. In Node
 * tfjs hands over the bytes; in a browser it hands over a response, which then has to be read before it is compiled.
 */
export async function withSharedMemory<T>(start: () => Promise<T>): Promise<T> {
  const { instantiate, instantiateStreaming } = webAssembly;
  const restore = (): void => {
    webAssembly.instantiate = instantiate;
    if (instantiateStreaming !== undefined) webAssembly.instantiateStreaming = instantiateStreaming;
  };
  const shared = (bytes: Uint8Array): Uint8Array<ArrayBuffer> | undefined => {
    const changed = withMemory(bytes, true);
    if (changed !== undefined) restore();
    return changed;
  };
  webAssembly.instantiate = async (source, imports) => {
    const bytes =
      source instanceof Uint8Array || source instanceof ArrayBuffer ? shared(new Uint8Array(source)) : undefined;
    return await instantiate(bytes ?? source, imports);
  };
  if (instantiateStreaming !== undefined) {
    webAssembly.instantiateStreaming = async (source, imports) => {
      const bytes = new Uint8Array(await ((await source) as Download).arrayBuffer());
      return await instantiate(shared(bytes) ?? bytes, imports);
    };
  }
  try {
    return await start();
  } finally {
    restore();
  }
}
