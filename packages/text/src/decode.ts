import { DataError } from "@l0gm/core";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * @param where - for the message, or what makes it of the first wrong byte's place
 * @throws DataError when the bytes are no UTF-8
 */
export function decodeUtf8(bytes: Uint8Array, where: string | ((byte: number) => string)): string {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    const byte = firstWrong(bytes);
    const place = typeof where === "string" ? where : where(byte);
    const error = { where: place, expected: "text in UTF-8", received: `bytes that are not, at byte ${byte}` };
    throw new DataError({ ...error, hint: "Convert the file to UTF-8, for example with iconv." }, { cause });
  }
}

/** Where decoding fails; at the end, when it is cut off there. */
function firstWrong(bytes: Uint8Array): number {
  const stream = new TextDecoder("utf-8", { fatal: true });
  for (let i = 0; i < bytes.length; i++) {
    try {
      stream.decode(bytes.subarray(i, i + 1), { stream: true });
    } catch {
      return i;
    }
  }
  return bytes.length;
}
