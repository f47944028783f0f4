import { appendFile, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { EpochRecord } from "@l0gm/core";
import { z } from "zod";

const line = z.object({ epoch: z.int(), seconds: z.number() }).loose();

/**
 * `log.jsonl` of a run: a line an epoch with its record and its time. It outlives an interruption, so that a resumed run knows how long
 * the epochs before it took. An epoch that was trained twice, because its checkpoint was not written, counts with its last time.
 */
export class EpochLog {
  readonly #file: string;
  readonly #seconds: Map<number, number>;
  #started = performance.now();

  private constructor(file: string, seconds: Map<number, number>) {
    this.#file = file;
    this.#seconds = seconds;
  }

  static async open(folder: string): Promise<EpochLog> {
    const file = join(folder, "log.jsonl");
    const text = await readFile(file, "utf8").catch(() => "");
    const seconds = new Map<number, number>();
    for (const entry of text.split("\n")) {
      const parsed = line.safeParse(parse(entry));
      if (parsed.success) seconds.set(parsed.data.epoch, parsed.data.seconds);
    }
    // A crash can cut a line off; ending it keeps the next one whole.
    if (text !== "" && !text.endsWith("\n")) await appendFile(file, "\n");
    return new EpochLog(file, seconds);
  }

  /** Starts the clock of the next epoch. */
  start(): void {
    this.#started = performance.now();
  }

  async add({ openProbabilities: _, ...record }: EpochRecord): Promise<void> {
    const seconds = (performance.now() - this.#started) / 1000;
    this.#seconds.set(record.epoch, seconds);
    await appendFile(this.#file, `${JSON.stringify({ ...record, seconds, time: new Date().toISOString() })}\n`);
    this.start();
  }

  /** Training time of some epochs. */
  seconds(epochs: readonly Pick<EpochRecord, "epoch">[]): number {
    return epochs.reduce((sum, { epoch }) => sum + (this.#seconds.get(epoch) ?? 0), 0);
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
