import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import writeFileAtomic from "write-file-atomic";

/** A folder in which a run keeps its files, each written as a whole. */
export class Workspace {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  /** A folder below this one, or this one for `""`. */
  at(name: string): Workspace {
    return name === "" ? this : new Workspace(join(this.folder, name));
  }

  async writeBytes(name: string, bytes: Uint8Array): Promise<void> {
    await this.#write(name, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  }

  async writeJson(name: string, value: unknown): Promise<void> {
    await this.#write(name, `${JSON.stringify(value, undefined, 2)}\n`);
  }

  async #write(name: string, data: string | Buffer): Promise<void> {
    await mkdir(this.folder, { recursive: true });
    await writeFileAtomic(join(this.folder, name), data);
  }
}
