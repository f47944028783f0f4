import { backend as activeBackend, type DataType, util } from "@tensorflow/tfjs-core";

/** The part of TensorFlow.js's backend that brings a tensor's numbers to the GPU. */
interface UploadingBackend {
  readonly tensorMap: { get(dataId: object): TensorData };
  readonly bufferManager: { acquireBuffer(size: number, usage: number): object };
  readonly queue: { writeBuffer(buffer: object, offset: number, data: ArrayBufferView): void };
  uploadToGPU(dataId: object): void;
}

interface TensorData {
  readonly dtype: DataType;
  readonly shape: number[];
  values?: ArrayLike<number> | null;
  resource?: object | null;
}

/** Numbers up to which a tensor goes to the GPU by the queue. */
const SMALL = 2 ** 14;

/** What TensorFlow.js uses every tensor's buffer for: STORAGE, COPY_SRC and COPY_DST. */
const USAGE = 0x80 | 0x04 | 0x08;

const installed = new WeakSet<object>();

/**
 * Lets the active WebGPU backend upload small tensors by `writeBuffer`. TensorFlow.js makes and destroys a mapped buffer for each, and ends
 * the compute pass: of the numbers that a training step of a Transformer multiplies by, hundreds a step. The buffers written are not in use:
 * the backend gives one back only once what reads it has been submitted.
 *
 * @returns whether the backend uploads in the way that this needs
 */
export function installUploads(): boolean {
  const backend = activeBackend() as unknown as UploadingBackend;
  if (installed.has(backend)) return true;
  const parts = ["tensorMap", "bufferManager", "queue", "uploadToGPU"] as const;
  if (!parts.every((part) => part in backend)) return false;
  const upload = backend.uploadToGPU.bind(backend);
  backend.uploadToGPU = (dataId) => {
    const data = backend.tensorMap.get(dataId);
    const { values, dtype } = data;
    const size = util.sizeFromShape(data.shape);
    const whole = dtype === "int32" || dtype === "bool";
    if (data.resource || !values || size === 0 || size > SMALL || !(whole || dtype === "float32")) {
      upload(dataId);
      return;
    }
    const buffer = backend.bufferManager.acquireBuffer(4 * size, USAGE);
    backend.queue.writeBuffer(buffer, 0, whole ? Int32Array.from(values) : Float32Array.from(values));
    data.resource = buffer;
    // As the backend does: what is on the GPU is not kept twice.
    data.values = null;
  };
  installed.add(backend);
  return true;
}
