import { backend as activeBackend } from "@tensorflow/tfjs-core";

interface PooledBuffer {
  readonly size: number;
  destroy(): void;
}

/** The part of TensorFlow.js's backend that keeps buffers for their next use. */
interface BufferManager {
  readonly freeBuffers: ReadonlyMap<string, PooledBuffer[]>;
  numFreeBuffers: number;
  readonly numBytesUsed: number;
  numBytesAllocated: number;
  acquireBuffer(size: number, usage: number, mapped?: boolean, reuse?: boolean): object;
}

/** Memory that may lie idle, relative to the most that was ever in use at once. */
const IDLE = 2;

const installed = new WeakSet<object>();

/**
 * Lets the active WebGPU backend give memory back. TensorFlow.js keeps every buffer for the next tensor of exactly its size: texts of many
 * lengths fill any GPU. Idle buffers are destroyed as soon as there is more than twice in them of what was ever in use.
 *
 * @returns whether the backend keeps its buffers in the way that this needs
 */
export function installPool(): boolean {
  const manager = Reflect.get(activeBackend(), "bufferManager") as BufferManager | undefined;
  if (manager === undefined || !(manager.freeBuffers instanceof Map) || !("acquireBuffer" in manager)) return false;
  if (installed.has(manager)) return true;
  const acquire = manager.acquireBuffer.bind(manager);
  let most = 0;
  manager.acquireBuffer = (size, usage, mapped = false, reuse = true) => {
    most = Math.max(most, manager.numBytesUsed + size);
    const idle = reuse && (manager.freeBuffers.get(`${size}_${usage}`)?.length ?? 0) > 0;
    if (!idle && manager.numBytesAllocated + size > (1 + IDLE) * most) giveBack(manager);
    return acquire(size, usage, mapped, reuse);
  };
  installed.add(manager);
  return true;
}

function giveBack(manager: BufferManager): void {
  for (const buffers of manager.freeBuffers.values()) {
    // What the GPU still works on with a buffer was submitted before the buffer became free, and is done before it goes.
    for (const buffer of buffers) {
      manager.numBytesAllocated -= buffer.size;
      manager.numFreeBuffers--;
      buffer.destroy();
    }
    buffers.length = 0;
  }
}
