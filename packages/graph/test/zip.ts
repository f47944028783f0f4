/** A record of a zip archive: numbers of 2, 4 or 8 bytes, then bytes as they are. */
function record(...parts: readonly (readonly [size: number, value: number] | Uint8Array)[]): Buffer {
  const pieces = parts.map((part) => {
    if (part instanceof Uint8Array) return part;
    const [size, value] = part;
    const piece = Buffer.alloc(size);
    if (size === 8) piece.writeBigUInt64LE(BigInt(value));
    else piece.writeUIntLE(value, 0, size);
    return piece;
  });
  return Buffer.concat(pieces);
}

/**
 * The bytes of an archive of files, not compressed; with `zip64`, sizes and places stand in fields of 64 bits, as in archives beyond 4 GiB.
 */
export function zip(files: readonly (readonly [path: string, content: Uint8Array])[], zip64 = false): Buffer {
  const most = 0xffffffff;
  const locals: Buffer[] = [];
  const central: Buffer[] = [];
  let at = 0;
  for (const [path, content] of files) {
    const name = Buffer.from(path);
    const size = content.length;
    const start = at;
    const local = record(
      [4, 0x04034b50],
      [2, 45],
      [2, 0],
      [2, 0],
      [4, 0],
      [4, 0],
      [4, size],
      [4, size],
      [2, name.length],
      [2, 0],
      name,
      content,
    );
    const extra = zip64 ? record([2, 1], [2, 24], [8, size], [8, size], [8, start]) : Buffer.alloc(0);
    const stated = zip64 ? most : size;
    locals.push(local);
    at += local.length;
    central.push(
      record(
        [4, 0x02014b50],
        [2, 45],
        [2, 45],
        [2, 0],
        [2, 0],
        [4, 0],
        [4, 0],
        [4, stated],
        [4, stated],
        [2, name.length],
      ),
      record([2, extra.length], [2, 0], [2, 0], [2, 0], [4, 0], [4, zip64 ? most : start], name, extra),
    );
  }
  const directory = Buffer.concat(central);
  const count = locals.length;
  const end64 = record(
    [4, 0x06064b50],
    [8, 44],
    [2, 45],
    [2, 45],
    [4, 0],
    [4, 0],
    [8, count],
    [8, count],
    [8, directory.length],
    [8, at],
  );
  const locator = record([4, 0x07064b50], [4, 0], [8, at + directory.length], [4, 1]);
  const stated = zip64 ? [0xffff, most, most] : [count, directory.length, at];
  const [entries = 0, length = 0, place = 0] = stated;
  const end = record([4, 0x06054b50], [2, 0], [2, 0], [2, entries], [2, entries], [4, length], [4, place], [2, 0]);
  return Buffer.concat([...locals, directory, ...(zip64 ? [end64, locator] : []), end]);
}
