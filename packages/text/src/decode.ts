import { DataError } from "@l0gm/core";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** @throws DataError at `where` when the bytes are no UTF-8 */
export function decodeUtf8(bytes: Uint8Array, where: string): string {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    const error = { where, expected: "text in UTF-8", received: `bytes that are not, ${firstWrong(bytes)}` };
    throw new DataError({ ...error, hint: "Convert the file to UTF-8, for example with iconv." }, { cause });
  }
}

/** Where decoding fails, for the message. */
function firstWrong(bytes: Uint8Array): string {
  const stream = new TextDecoder("utf-8", { fatal: true });
  for (let i = 0; i < bytes.length; i++) {
    try {
      stream.decode(bytes.subarray(i, i + 1), { stream: true });
    } catch {
      return `at byte ${i}`;
    }
  }
  return "at the end";
}
