import type { DownloadOptions } from "../data/download.ts";

const EVERY_MS = 1000;
const MEBIBYTE = 2 ** 20;

/** Says on stderr how far a download is: one line that changes in a terminal, a line every now and then in a log. */
export function downloadProgress(): DownloadOptions {
  let before = 0;
  return {
    onProgress(bytes, total) {
      const now = Date.now();
      const done = bytes === total;
      const isTerminal = process.stderr.isTTY;
      if (!done && now - before < (isTerminal ? EVERY_MS : 15 * EVERY_MS)) return;
      before = now;
      const share =
        total === undefined ? "" : ` of ${(total / MEBIBYTE).toFixed(1)}, ${((100 * bytes) / total).toFixed(0)} %`;
      const line = `fetched ${(bytes / MEBIBYTE).toFixed(1)} MiB${share}`;
      process.stderr.write(isTerminal && !done ? `\r${line}` : `${isTerminal ? "\r" : ""}${line}\n`);
    },
  };
}
