/** A flat set of named files: a directory in Node, memory, or a browser's storage. */
export interface FileHandler {
  /** For messages: the directory's path, for example. */
  readonly location: string;
  /** @returns the file's bytes, or undefined when there is no such file */
  read(name: string): Promise<Uint8Array | undefined>;
  /** Replaces the file as a whole: after a crash it has its old bytes or its new ones, never a part. */
  write(name: string, bytes: Uint8Array): Promise<void>;
  /** Removes the file if it is there. */
  remove(name: string): Promise<void>;
  /** Names of all files, in any order. */
  list(): Promise<readonly string[]>;
}
