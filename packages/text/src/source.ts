import type { FileSource } from "@l0gm/core";
import { FormatError } from "@l0gm/core";
import { openFolder } from "#files";

export const CONFIG_FILE = "config.json";

/** Where the files of a model are: a folder's path in Node, or anything that reads files by name. */
export type ModelFiles = string | FileSource;

/** Reads files of one model. */
export class ModelSource {
  readonly #files: FileSource;

  constructor(files: ModelFiles) {
    this.#files = typeof files === "string" ? openFolder(files) : files;
  }

  /** For messages. */
  pathOf(name: string): string {
    return `${this.#files.location}/${name}`;
  }

  async has(name: string): Promise<boolean> {
    return (await this.#files.read(name)) !== undefined;
  }

  /** @throws FormatError when there is no such file */
  async bytes(name: string): Promise<Uint8Array> {
    const bytes = await this.#files.read(name);
    if (bytes !== undefined) return bytes;
    throw new FormatError({
      where: this.pathOf(name),
      expected: "a model in the Hugging Face format",
      received: "no such file",
      hint: "The folder needs config.json, model.safetensors, tokenizer.json and tokenizer_config.json.",
    });
  }

  /** @throws FormatError when the file is not there or is no JSON object */
  async json(name: string): Promise<Record<string, unknown>> {
    const bytes = await this.bytes(name);
    let value: unknown;
    try {
      value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    } catch (cause) {
      const received = cause instanceof Error ? cause.message : "other bytes";
      throw new FormatError({ where: this.pathOf(name), expected: "JSON in UTF-8", received }, { cause });
    }
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
    throw new FormatError({ where: this.pathOf(name), expected: "a JSON object", received: value });
  }
}
