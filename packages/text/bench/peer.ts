import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** A process that answers a line with a line of JSON; what it says beside that is kept for the message when it ends. */
export class Peer {
  readonly #child;
  readonly #lines: AsyncIterator<string>;
  #chatter = "";

  constructor(file: string, args: readonly string[]) {
    this.#child = spawn(file, args, { stdio: ["pipe", "pipe", "pipe"] });
    this.#child.stderr.on("data", (chunk: Buffer) => {
      this.#chatter = `${this.#chatter}${chunk}`.slice(-1000);
    });
    this.#child.on("error", (error) => {
      this.#chatter = error.message;
    });
    // A process that has ended closes its pipe; the missing answer says so.
    this.#child.stdin.on("error", () => {});
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  /** @throws Error when it has ended, with the last it said */
  async answer<T>(request?: number): Promise<T> {
    if (request !== undefined) this.#child.stdin.write(`${request}\n`);
    for (;;) {
      const { value, done } = await this.#lines.next();
      if (done === true) throw new Error(`${this.#child.spawnfile} ended: ${this.#chatter.trim()}`);
      if (value.startsWith("{")) return JSON.parse(value) as T;
    }
  }

  end(): void {
    this.#child.stdin.end();
  }
}
