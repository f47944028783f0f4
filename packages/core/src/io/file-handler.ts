import { ConfigError, FormatError } from "../errors.ts";

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

/** What loading needs of a {@link FileHandler}. */
export type FileSource = Pick<FileHandler, "location" | "read">;

/**
 * Checks that a name means one file, here, on every system.
 *
 * @returns the name
 * @throws ConfigError when it is empty, has a path separator or a control character, or stands for a directory
 */
export function checkFileName(name: string): string {
  const harmless = [...name].every((character) => character >= " " && !'/\\:*?"<>|'.includes(character));
  if (name === "" || name === "." || name === ".." || !harmless) {
    throw new ConfigError({ where: "file name", expected: "a plain name without path separators", received: name });
  }
  return name;
}

/**
 * Files in memory, for tests and for browsers that send them elsewhere.
 *
 * @throws ConfigError (its methods) when a name is not a plain file name
 *
 * @example
 * ```ts
 * const files = memoryFiles();
 * await files.write("note.txt", new TextEncoder().encode("hi"));
 * console.log((await files.read("note.txt"))?.length); // 2
 * ```
 */
export function memoryFiles(): FileHandler {
  const files = new Map<string, Uint8Array>();
  return {
    location: "memory",
    read: async (name) => files.get(checkFileName(name))?.slice(),
    write: async (name, bytes) => {
      files.set(checkFileName(name), new Uint8Array(bytes));
    },
    remove: async (name) => {
      files.delete(checkFileName(name));
    },
    list: async () => [...files.keys()],
  };
}

/**
 * Files below a URL, read by `fetch`: a saved model on a page.
 *
 * @param base - the directory's URL, with or without a slash at its end; one that is relative is the page's
 * @throws ConfigError when the URL has a query or a fragment
 * @throws FormatError (its `read`) when there is no answer, or one that is neither the file nor that there is none (404)
 *
 * @example
 * ```ts
 * declare const page: { baseURI: string }; // document
 * const model = await load(urlFiles(new URL("models/reviews", page.baseURI)));
 * ```
 */
export function urlFiles(base: string | URL): FileSource {
  const location = String(base);
  if (/[?#]/.test(location)) {
    throw new ConfigError({ where: "urlFiles", expected: "a URL without query and fragment", received: location });
  }
  const folder = location === "" ? "" : location.replace(/\/*$/, "/");
  return {
    location,
    read: async (name) => {
      const url = `${folder}${encodeURIComponent(checkFileName(name))}`;
      const expected = "a file, or the status 404 where there is none";
      try {
        const response = await fetch(url);
        if (response.status === 404) return undefined;
        if (response.ok) return new Uint8Array(await response.arrayBuffer());
        const received = `the status ${response.status} ${response.statusText}`.trim();
        throw new FormatError({ where: url, expected, received });
      } catch (cause) {
        if (cause instanceof FormatError) throw cause;
        throw new FormatError({ where: url, expected, received: `no answer (${cause})` }, { cause });
      }
    },
  };
}
