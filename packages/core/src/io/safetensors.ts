/**
 * The safetensors format (github.com/huggingface/safetensors): 8 bytes with the header's length, a JSON header of names, types,
 * shapes and offsets, then the numbers, all little-endian. Bytes in, plain arrays out; no tensor is made here.
 */

import { ConfigError, FormatError, ShapeError } from "../errors.ts";
import { fromHalves } from "./half.ts";

/** Numbers of one type with their shape. */
export interface StoredTensor<Type, Data> {
  readonly dtype: Type;
  readonly shape: readonly number[];
  /** Numbers in row-major order. */
  readonly data: Data;
}

/** A tensor as it is written; half-precision numbers are read as F32. A BOOL is a byte, 0 or 1. */
export type SafeTensor =
  | StoredTensor<"F64", Float64Array>
  | StoredTensor<"F32", Float32Array>
  | StoredTensor<"I64", BigInt64Array>
  | StoredTensor<"I32", Int32Array>
  | StoredTensor<"I16", Int16Array>
  | StoredTensor<"I8", Int8Array>
  | StoredTensor<"U64", BigUint64Array>
  | StoredTensor<"U32", Uint32Array>
  | StoredTensor<"U16", Uint16Array>
  | StoredTensor<"U8", Uint8Array>
  | StoredTensor<"BOOL", Uint8Array>;

/** What a safetensors file holds. */
export interface Safetensors {
  readonly tensors: ReadonlyMap<string, SafeTensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

interface StoredType {
  /** Bytes a number. */
  readonly size: number;
  /** @param bytes - the tensor's bytes, a copy that is ours */
  read(shape: readonly number[], bytes: ArrayBuffer): SafeTensor;
}

const float32 = (shape: readonly number[], data: Float32Array): SafeTensor => ({ dtype: "F32", shape, data });

const TYPES: ReadonlyMap<unknown, StoredType> = new Map<string, StoredType>([
  ["F64", { size: 8, read: (shape, bytes) => ({ dtype: "F64", shape, data: new Float64Array(bytes) }) }],
  ["F32", { size: 4, read: (shape, bytes) => float32(shape, new Float32Array(bytes)) }],
  ["F16", { size: 2, read: (shape, bytes) => float32(shape, fromHalves(new Uint16Array(bytes))) }],
  // The upper half of a float32.
  [
    "BF16",
    {
      size: 2,
      read: (shape, bytes) =>
        float32(shape, new Float32Array(Uint32Array.from(new Uint16Array(bytes), (b) => b << 16).buffer)),
    },
  ],
  ["I64", { size: 8, read: (shape, bytes) => ({ dtype: "I64", shape, data: new BigInt64Array(bytes) }) }],
  ["I32", { size: 4, read: (shape, bytes) => ({ dtype: "I32", shape, data: new Int32Array(bytes) }) }],
  ["I16", { size: 2, read: (shape, bytes) => ({ dtype: "I16", shape, data: new Int16Array(bytes) }) }],
  ["I8", { size: 1, read: (shape, bytes) => ({ dtype: "I8", shape, data: new Int8Array(bytes) }) }],
  ["U64", { size: 8, read: (shape, bytes) => ({ dtype: "U64", shape, data: new BigUint64Array(bytes) }) }],
  ["U32", { size: 4, read: (shape, bytes) => ({ dtype: "U32", shape, data: new Uint32Array(bytes) }) }],
  ["U16", { size: 2, read: (shape, bytes) => ({ dtype: "U16", shape, data: new Uint16Array(bytes) }) }],
  ["U8", { size: 1, read: (shape, bytes) => ({ dtype: "U8", shape, data: new Uint8Array(bytes) }) }],
  ["BOOL", { size: 1, read: (shape, bytes) => ({ dtype: "BOOL", shape, data: new Uint8Array(bytes) }) }],
]);

/** The format's own limit on the header, which keeps a foreign file from being taken for a huge header. */
const LONGEST_HEADER = 100_000_000;

const sizeOf = (shape: readonly number[]): number => shape.reduce((product, length) => product * length, 1);

/**
 * Writes tensors into the safetensors format. Equal contents give equal bytes, whatever their order.
 *
 * @throws ShapeError when a tensor's numbers do not fill its shape
 * @throws ConfigError when a tensor is named `__metadata__`, which the format keeps for itself
 *
 * @example
 * ```ts
 * const bytes = encodeSafetensors(new Map([["bias", { dtype: "F32", shape: [2], data: new Float32Array([1, 2]) }]]));
 * console.log(decodeSafetensors(bytes).tensors.get("bias")?.data[1]); // 2
 * ```
 */
export function encodeSafetensors(
  tensors: ReadonlyMap<string, SafeTensor>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  // Wide numbers first, as the reference implementation writes them: every tensor then starts at a multiple of its number's size.
  const sorted = [...tensors].sort(
    ([a, x], [b, y]) => y.data.BYTES_PER_ELEMENT - x.data.BYTES_PER_ELEMENT || (a < b ? -1 : 1),
  );
  const header: [string, unknown][] = Object.keys(metadata).length === 0 ? [] : [["__metadata__", metadata]];
  let length = 0;
  for (const [name, { dtype, shape, data }] of sorted) {
    if (name === "__metadata__") {
      throw new ConfigError({ where: "encodeSafetensors", expected: "another tensor name", received: name });
    }
    if (sizeOf(shape) !== data.length) {
      throw new ShapeError({
        where: `encodeSafetensors: ${name}`,
        expected: `${sizeOf(shape)} numbers for shape [${shape}]`,
        received: data.length,
      });
    }
    const end = length + data.byteLength;
    header.push([name, { dtype, shape, data_offsets: [length, end] }]);
    length = end;
  }
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)));
  const start = 8 + Math.ceil(json.length / 8) * 8;
  const bytes = new Uint8Array(start + length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(start - 8), true);
  // The header is padded with spaces, so that the numbers are aligned.
  bytes.fill(0x20, 8, start).set(json, 8);
  let offset = start;
  for (const [, { data }] of sorted) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), offset);
    offset += data.byteLength;
  }
  return bytes;
}

/**
 * Reads the safetensors format: F16 and BF16 as float32, the other types of {@link SafeTensor} as they are.
 *
 * @param file - named in errors
 * @throws FormatError when the bytes are truncated, corrupted, not safetensors, or of a type that is not listed there, saying where
 */
export function decodeSafetensors(bytes: Uint8Array, file = "safetensors"): Safetensors {
  const { header, start } = readHeader(bytes, file);
  const metadata = readMetadata(header["__metadata__"] ?? {}, file);
  const dataLength = bytes.length - start;
  const entries = Object.entries(header)
    .filter(([name]) => name !== "__metadata__")
    .map(([name, entry]) => readEntry(entry, `${file}: ${name}`, name, dataLength))
    .sort((a, b) => a.begin - b.begin || a.end - b.end);
  let covered = 0;
  for (const { where, begin, end } of entries) {
    if (begin !== covered) {
      throw new FormatError({
        where,
        expected: `data from byte ${covered}, where the tensor before it ends`,
        received: `data from byte ${begin}: ${begin < covered ? "the two overlap" : "a gap"}`,
      });
    }
    covered = end;
  }
  if (covered !== dataLength) {
    throw new FormatError({ where: file, expected: `${covered} bytes of data`, received: dataLength });
  }
  const tensors = new Map<string, SafeTensor>();
  for (const { name, type, shape, begin, end } of entries) {
    // The constructor copies into memory of its own, aligned for any type; slice would not, on a Buffer of Node.
    const data = new Uint8Array(bytes.subarray(start + begin, start + end));
    tensors.set(name, type.read(shape, data.buffer));
  }
  return { tensors, metadata };
}

function readHeader(bytes: Uint8Array, file: string): { header: Record<string, unknown>; start: number } {
  if (bytes.length < 8) {
    throw new FormatError({ where: file, expected: "at least 8 bytes", received: `${bytes.length} (truncated?)` });
  }
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  if (length > LONGEST_HEADER) {
    throw new FormatError({
      where: `${file}: header length`,
      expected: `at most ${LONGEST_HEADER} bytes`,
      received: length,
      hint: "this is not a safetensors file",
    });
  }
  if (8 + length > bytes.length) {
    throw new FormatError({
      where: `${file}: header`,
      expected: `${length} bytes`,
      received: `${bytes.length - 8} (truncated, or not a safetensors file)`,
    });
  }
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(8, 8 + length)));
  } catch (cause) {
    const received = cause instanceof Error ? cause.message : "other bytes";
    throw new FormatError({ where: `${file}: header`, expected: "JSON in UTF-8", received }, { cause });
  }
  if (!isRecord(header)) {
    throw new FormatError({ where: `${file}: header`, expected: "an object of tensors", received: header });
  }
  return { header, start: 8 + length };
}

function readMetadata(value: unknown, file: string): Record<string, string> {
  if (!isRecord(value) || !Object.values(value).every((text) => typeof text === "string")) {
    throw new FormatError({ where: `${file}: __metadata__`, expected: "an object of strings", received: value });
  }
  return value as Record<string, string>;
}

interface Entry {
  readonly name: string;
  readonly where: string;
  readonly type: StoredType;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

function readEntry(entry: unknown, where: string, name: string, dataLength: number): Entry {
  const { dtype, shape, data_offsets: offsets } = isRecord(entry) ? entry : {};
  const type = TYPES.get(dtype);
  if (type === undefined) {
    throw new FormatError({
      where: `${where}.dtype`,
      expected: `one of ${[...TYPES.keys()].join(", ")}`,
      received: dtype,
    });
  }
  if (!isCounts(shape)) {
    throw new FormatError({ where: `${where}.shape`, expected: "lengths that are integers >= 0", received: shape });
  }
  const [begin, end, ...more] = isCounts(offsets) ? offsets : [];
  if (begin === undefined || end === undefined || more.length > 0 || begin > end || end > dataLength) {
    throw new FormatError({
      where: `${where}.data_offsets`,
      expected: `[begin, end] within ${dataLength} bytes of data`,
      received: offsets,
      hint: "the file is truncated or corrupted",
    });
  }
  if (end - begin !== sizeOf(shape) * type.size) {
    throw new FormatError({
      where,
      expected: `${sizeOf(shape) * type.size} bytes for ${dtype} of shape [${shape}]`,
      received: end - begin,
    });
  }
  return { name, where, type, shape, begin, end };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);
}
