/**
 * Whether a WebAssembly module's memory may be shared between threads is one byte of the module: the limits flag of the memory that it
 * defines (section 5) or imports (section 2), 1 for a memory with a maximum and 3 for one that is shared as well. The code is the same
 * for both, so we change the byte rather than ship every module twice. tfjs's own module defines its memory; ours imports it.
 */

const IMPORTS = 2;
const MEMORIES = 5;
const OWN = 1;
const SHARED = 3;

/** Steps through a module's bytes. */
class Reader {
  readonly #bytes: Uint8Array;
  at = 8;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get atEnd(): boolean {
    return this.at >= this.#bytes.length;
  }

  /** An unsigned number in LEB128. */
  number(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.#bytes[this.at++] ?? 0;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  }

  skip(count: number): void {
    this.at += count;
  }
}

const [FUNCTION, TABLE, MEMORY, GLOBAL] = [0, 1, 2, 3];

/** Where the flag is in the import section, which the reader has just entered. */
function flagAmongImports(reader: Reader): number | undefined {
  for (let left = reader.number(); left > 0; left--) {
    reader.skip(reader.number());
    reader.skip(reader.number());
    switch (reader.number()) {
      case MEMORY:
        return reader.at;
      case FUNCTION:
        reader.number();
        break;
      case TABLE: {
        reader.skip(1);
        const limited = reader.number() === OWN;
        reader.number();
        if (limited) reader.number();
        break;
      }
      case GLOBAL:
        reader.skip(2);
        break;
    }
  }
  return undefined;
}

/** The first bytes of every module: a zero, then "asm". */
const MAGIC = [0x00, 0x61, 0x73, 0x6d];

function flagPosition(bytes: Uint8Array): number | undefined {
  // A server's page about a file that it does not have, for example.
  if (MAGIC.some((byte, i) => bytes[i] !== byte)) return undefined;
  const reader = new Reader(bytes);
  while (!reader.atEnd) {
    const section = reader.number();
    const length = reader.number();
    const next = reader.at + length;
    if (section === IMPORTS) {
      const position = flagAmongImports(reader);
      if (position !== undefined) return position;
    }
    if (section === MEMORIES && reader.number() > 0) return reader.at;
    reader.at = next;
  }
  return undefined;
}

/**
 * A copy of the module whose memory is shared, or is not.
 *
 * @returns nothing when the bytes are no module, or its memory has no maximum
 */
export function withMemory(module: Uint8Array, shared: boolean): Uint8Array<ArrayBuffer> | undefined {
  const position = flagPosition(module);
  const flag = position === undefined ? undefined : module[position];
  if (position === undefined || (flag !== OWN && flag !== SHARED)) return undefined;
  const copy = new Uint8Array(module);
  copy[position] = shared ? SHARED : OWN;
  return copy;
}
