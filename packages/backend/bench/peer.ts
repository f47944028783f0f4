/** A process that measures one implementation, asked line by line. */

import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { z } from "zod";
import { FAILS, READY, type Ready, type Request } from "./protocol.ts";

/** An implementation cannot do what it was asked to do. */
export class PeerFailure extends Error {
  override readonly name = "PeerFailure";
}

export interface PeerCommand {
  readonly file: string;
  readonly arguments: readonly string[];
  /** Where it starts; default here. */
  readonly cwd?: string;
}

/** How much of what a peer writes beside its answers is kept for the message when it ends. */
const KEPT = 600;

/** Undefined, which no schema takes, where the line is no JSON. */
function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

export class Peer {
  readonly #child: ChildProcess;
  readonly #patience: number;
  /** What to do with the next answer. */
  #expecting: { resolve: (line: string) => void; reject: (failure: PeerFailure) => void } | undefined;
  #chatter = "";
  #ended: string | undefined;
  #ready: Ready = { runs: "", versions: {} };

  private constructor(child: ChildProcess, patience: number) {
    this.#child = child;
    this.#patience = patience;
    const { stdout, stderr, stdin } = child;
    if (stdout === null || stderr === null || stdin === null) throw new Error("a peer has pipes");
    createInterface({ input: stdout }).on("line", (line) => this.#hear(line));
    createInterface({ input: stderr }).on("line", (line) => this.#note(line));
    // A peer that has ended closes its pipe; the reason comes with "close".
    stdin.on("error", (error) => this.#note(error.message));
    child.on("error", (error) => this.#end(error.message));
    child.on("close", (code, signal) => this.#end(`its process ended with ${signal ?? `code ${code}`}`));
  }

  /**
   * Starts a peer and waits until it is ready.
   *
   * @param patience - seconds that an answer may take
   * @throws PeerFailure when it cannot start, saying why
   */
  static async start({ file, arguments: args, cwd }: PeerCommand, patience: number): Promise<Peer> {
    const peer = new Peer(spawn(file, args, { stdio: ["pipe", "pipe", "pipe"], ...(cwd && { cwd }) }), patience);
    try {
      peer.#ready = await peer.#answer(READY);
    } catch (failure) {
      await peer.end();
      throw failure;
    }
    return peer;
  }

  get ready(): Ready {
    return this.#ready;
  }

  /** Why it cannot be asked any more. */
  get ended(): string | undefined {
    return this.#ended;
  }

  /** @throws PeerFailure when the peer says that it fails, ends, is silent for too long, or answers something else */
  async ask<T>(request: Request, answer: z.ZodType<T>): Promise<T> {
    if (this.#ended !== undefined) throw new PeerFailure(this.#ended);
    this.#child.stdin?.write(`${JSON.stringify(request)}\n`);
    return await this.#answer(answer);
  }

  /** Lets it end by itself, since a peer ends with its input. */
  async end(): Promise<void> {
    if (this.#ended !== undefined) return;
    const closed = new Promise((resolve) => this.#child.once("close", resolve));
    this.#child.stdin?.end();
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), 5000);
    await closed;
    clearTimeout(timer);
  }

  async #answer<T>(schema: z.ZodType<T>): Promise<T> {
    const line = await new Promise<string>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#end(`no answer in ${this.#patience} s`);
        this.#child.kill("SIGKILL");
      }, this.#patience * 1000);
      const settle = (): void => {
        clearTimeout(timer);
        this.#expecting = undefined;
      };
      this.#expecting = {
        resolve: (line) => {
          settle();
          resolve(line);
        },
        reject: (failure) => {
          settle();
          reject(failure);
        },
      };
    });
    const value = parse(line);
    const failure = FAILS.safeParse(value);
    if (failure.success) throw new PeerFailure(failure.data.fails);
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    // Who answers something else once may answer anything later.
    this.#end(`its answer is another than was asked for: ${line.slice(0, KEPT)}`);
    this.#child.kill("SIGKILL");
    throw new PeerFailure(this.#ended);
  }

  /** Libraries greet on standard output; an answer is an object. */
  #hear(line: string): void {
    if (this.#expecting !== undefined && line.startsWith("{")) this.#expecting.resolve(line);
    else this.#note(line);
  }

  #note(line: string): void {
    this.#chatter = `${this.#chatter}\n${line}`.slice(-KEPT);
  }

  #end(reason: string): void {
    this.#ended ??= this.#chatter === "" ? reason : `${reason}: ${this.#chatter.trim()}`;
    this.#expecting?.reject(new PeerFailure(this.#ended));
  }
}
