import { writeFile } from "node:fs/promises";

/** Writes a vector in NumPy's format, version 1.0. */
export async function writeNpy(path: string, values: Int32Array): Promise<void> {
  const header = `{'descr': '<i4', 'fortran_order': False, 'shape': (${values.length},), }`;
  // Magic, version and length are 10 bytes; the whole head is a multiple of 64.
  const padded = `${header.padEnd(Math.ceil((header.length + 11) / 64) * 64 - 11)}\n`;
  const head = Buffer.alloc(10 + padded.length);
  head.write("\x93NUMPY\x01\x00", "latin1");
  head.writeUInt16LE(padded.length, 8);
  head.write(padded, 10, "latin1");
  await writeFile(path, Buffer.concat([head, Buffer.from(values.buffer, values.byteOffset, values.byteLength)]));
}
