import { DataError, FormatError } from "@l0gm/core";
import { readZip } from "#files";
import { Csr } from "./csr.ts";
import type { NodeGraph } from "./graph.ts";

/** What {@link loadNpz} gives. */
export interface LoadedNpz {
  readonly graph: NodeGraph;
  /** What is odd in the data, and yet allowed. */
  readonly warnings: readonly string[];
}

interface NumPyArray {
  readonly shape: readonly number[];
  readonly values: ArrayLike<number>;
}

const MAGIC = "\u0093NUMPY";

/** How each kind of number is read; 64-bit integers become doubles, which hold every count that fits in memory. */
const READERS: Readonly<Record<string, { readonly bytes: number; read(view: DataView, at: number): number }>> = {
  "<f4": { bytes: 4, read: (view, at) => view.getFloat32(at, true) },
  "<f8": { bytes: 8, read: (view, at) => view.getFloat64(at, true) },
  "<i4": { bytes: 4, read: (view, at) => view.getInt32(at, true) },
  "<i8": { bytes: 8, read: (view, at) => Number(view.getBigInt64(at, true)) },
  "|b1": { bytes: 1, read: (view, at) => view.getUint8(at) },
  "|i1": { bytes: 1, read: (view, at) => view.getInt8(at) },
  "|u1": { bytes: 1, read: (view, at) => view.getUint8(at) },
};

/**
 * Loads a graph from a `.npz` file of the gnn-benchmark project (O. Shchur et al. 2018): adjacency and features as sparse rows, labels as
 * a list. Edges are added in both directions and have no weight; features become dense. Node alone.
 *
 * @throws DataError when the file is damaged, an array is missing or of another shape, an index is out of range, a feature is not finite,
 * or labels have a gap
 *
 * @example
 * ```ts
 * declare const file: string; // amazon_electronics_computers.npz
 * const { graph } = await loadNpz(file);
 * const split = splitNodes(graph.labels, { seed: 1 });
 * ```
 */
export async function loadNpz(path: string): Promise<LoadedNpz> {
  const entries = await readZip(path);
  const array = (name: string): NumPyArray => {
    const bytes = entries.get(`${name}.npy`);
    if (bytes !== undefined) return readNpy(bytes, `${path}, ${name}.npy`);
    const received = [...entries.keys()].join(", ") || "none";
    const hint = "Files of the gnn-benchmark project have adj_*, attr_* and labels.";
    throw new DataError({ where: path, expected: `an entry ${name}.npy`, received, hint });
  };
  const sparse = (
    name: string,
  ): { rows: Float64Array; columns: ArrayLike<number>; values: ArrayLike<number>; shape: readonly number[] } => {
    const where = `${path}, ${name}`;
    const shape = Array.from(array(`${name}_shape`).values);
    const [columns, values] = [array(`${name}_indices`).values, array(`${name}_data`).values];
    const starts = array(`${name}_indptr`).values;
    return { rows: rowsOf(where, shape, starts, columns, values), columns, values, shape };
  };
  const adjacency = sparse("adj");
  const attributes = sparse("attr");
  const labels = labelsOf(path, array("labels").values);
  const [nodes = 0, others = 0] = adjacency.shape;
  const [withFeatures = 0, columns = 0] = attributes.shape;
  if (nodes === 0 || nodes !== others || nodes !== withFeatures || nodes !== labels.length) {
    const received = `${nodes} x ${others} edges, ${withFeatures} rows of features, ${labels.length} labels`;
    throw new DataError({ where: path, expected: "as many rows, columns and labels as there are nodes", received });
  }
  const csr = Csr.fromEdges(adjacency.rows, adjacency.columns, { nodes, undirected: true });
  const features = new Float32Array(nodes * columns);
  for (let e = 0; e < attributes.values.length; e++) {
    const value = attributes.values[e] as number;
    const at = (attributes.rows[e] as number) * columns + (attributes.columns[e] as number);
    if (!Number.isFinite(Math.fround(value))) {
      const where = `${path}, attr_data.npy, entry ${e}`;
      throw new DataError({ where, expected: "features that are finite numbers", received: value });
    }
    features[at] = (features[at] as number) + value;
  }
  const classes = Array.from({ length: classCount(path, labels) }, (_, label) => String(label));
  const warnings = csr.entries === 0 ? [`${path}: the graph has no edges`] : [];
  return { graph: { csr, features, columns, labels, classes }, warnings };
}

/** The row of each entry, once offsets and columns are known to be in range. */
function rowsOf(
  where: string,
  [rows = 0, columns = 0]: readonly number[],
  starts: ArrayLike<number>,
  indices: ArrayLike<number>,
  values: ArrayLike<number>,
): Float64Array {
  if (
    starts.length !== rows + 1 ||
    starts[0] !== 0 ||
    starts[rows] !== indices.length ||
    values.length !== indices.length
  ) {
    const received = `${starts.length} offsets that end at ${starts[starts.length - 1]}, ${indices.length} indices and ${values.length} values`;
    throw new DataError({ where, expected: `${rows} rows, and offsets, indices and values that agree`, received });
  }
  const out = new Float64Array(indices.length);
  for (let row = 0; row < rows; row++) {
    const end = starts[row + 1] as number;
    if (!(Number.isInteger(end) && end >= (starts[row] as number))) {
      throw new DataError({
        where: `${where}_indptr.npy, entry ${row + 1}`,
        expected: "integers that never fall",
        received: end,
      });
    }
    out.fill(row, starts[row] as number, end);
  }
  for (let e = 0; e < indices.length; e++) {
    const column = indices[e] as number;
    if (Number.isInteger(column) && column >= 0 && column < columns) continue;
    throw new DataError({
      where: `${where}_indices.npy, entry ${e}`,
      expected: `an index from 0 to ${columns - 1}`,
      received: column,
    });
  }
  return out;
}

function labelsOf(path: string, values: ArrayLike<number>): Int32Array {
  return Int32Array.from(values, (label, i) => {
    if (Number.isInteger(label) && label >= 0 && label < 2 ** 31) return label;
    const where = `${path}, labels.npy, entry ${i}`;
    throw new DataError({ where, expected: "an integer of at least 0", received: label });
  });
}

function classCount(path: string, labels: Int32Array): number {
  const where = `${path}, labels.npy`;
  const last = labels.reduce((most, label) => Math.max(most, label), 0);
  const seen = new Set(labels);
  for (let label = 0; label <= last; label++) {
    if (!seen.has(label)) {
      throw new DataError({
        where,
        expected: `every label from 0 to ${last}`,
        received: `no node with label ${label}`,
      });
    }
  }
  return last + 1;
}

/**
 * Reads an array in NumPy's own format: versions 1 to 3, little-endian numbers, rows first, no objects.
 *
 * @throws FormatError when the bytes are something else
 */
export function readNpy(bytes: Uint8Array, where: string): NumPyArray {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const magic = String.fromCharCode(...bytes.subarray(0, 6));
  if (magic !== MAGIC || bytes.length < 12) {
    throw new FormatError({ where, expected: "a NumPy array", received: `${bytes.length} bytes of another kind` });
  }
  const isFirstVersion = bytes[6] === 1;
  const start = isFirstVersion ? 10 : 12;
  const headerLength = isFirstVersion ? view.getUint16(8, true) : view.getUint32(8, true);
  const header = new TextDecoder().decode(bytes.subarray(start, start + headerLength));
  const kind = /'descr':\s*'([^']+)'/.exec(header)?.[1] ?? "";
  const shapeText = /'shape':\s*\(([^)]*)\)/.exec(header)?.[1];
  const reader = READERS[kind];
  if (reader === undefined || shapeText === undefined || !/'fortran_order':\s*False/.test(header)) {
    const expected = `an array of ${Object.keys(READERS).join(", ")}, rows first`;
    throw new FormatError({ where, expected, received: header.trim().slice(0, 120) });
  }
  const shape = shapeText
    .split(",")
    .filter((part) => part.trim() !== "")
    .map(Number);
  const length = shape.reduce((product, size) => product * size, 1);
  const first = start + headerLength;
  if (bytes.length !== first + length * reader.bytes) {
    const expected = `${length} numbers of ${reader.bytes} bytes`;
    throw new FormatError({ where, expected, received: `${bytes.length - first} bytes` });
  }
  const values = new Float64Array(length);
  for (let i = 0; i < length; i++) values[i] = reader.read(view, first + i * reader.bytes);
  return { shape, values };
}
