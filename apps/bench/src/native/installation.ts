import { readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { runCommand } from "./command.ts";

/** The folders of the package in which its native library and TensorFlow's are looked for. */
const BUILT = ["lib", "deps"] as const;

interface Manifest {
  readonly version: string;
  readonly binary: { readonly host: string; readonly napi_versions: readonly number[] };
}

/** What a look at native TensorFlow gave: what it is, or why it does not work. */
export type Probe = { readonly about: string } | { readonly failure: string };

/** The bench's tfjs-node-gpu, which pnpm installs without its native library. */
export class Installation {
  readonly folder: string;
  readonly manifest: Manifest;
  readonly #manifestPath: string;
  readonly #manifestText: string;

  /** @param manifest - the path of the package's manifest, by default that of the one that the bench sees */
  constructor(manifest: string = createRequire(import.meta.url).resolve("@tensorflow/tfjs-node-gpu/package.json")) {
    this.#manifestPath = realpathSync(manifest);
    this.folder = dirname(this.#manifestPath);
    this.#manifestText = readFileSync(this.#manifestPath, "utf8");
    this.manifest = JSON.parse(this.#manifestText) as Manifest;
  }

  /** The version of Node's interface for which the package looks for its library. */
  get napiVersion(): number {
    const ours = Number(process.versions["napi"]);
    return Math.max(...this.manifest.binary.napi_versions.filter((version) => version <= ours));
  }

  /** The name of the build that {@link place} put there; undefined for one that lies in the package itself, or none. */
  get placed(): string | undefined {
    try {
      const folder = dirname(realpathSync(join(this.folder, "lib")));
      return folder === this.folder ? undefined : basename(folder);
    } catch {
      return undefined;
    }
  }

  /** Makes the package use a build outside of it. */
  place(build: string): void {
    this.clear();
    for (const name of BUILT) symlinkSync(join(build, name), join(this.folder, name));
  }

  /** Makes the package as pnpm installed it. */
  clear(): void {
    for (const name of BUILT) rmSync(join(this.folder, name), { recursive: true, force: true });
    this.detachManifest();
  }

  /**
   * Writes the manifest as it was, as a file of its own: the package's install script changes it in place, and pnpm may have linked it to
   * its store, which all projects share.
   */
  detachManifest(): void {
    rmSync(this.#manifestPath, { force: true });
    writeFileSync(this.#manifestPath, this.#manifestText);
  }

  /** Looks whether native TensorFlow loads and computes, in a process of its own. */
  async probe(): Promise<Probe> {
    const program = fileURLToPath(new URL("./probe.ts", import.meta.url));
    const { failure, stdout } = await runCommand(process.execPath, [...process.execArgv, program]);
    const report = stdout.trim().split("\n").at(-1);
    if (failure !== undefined || !report) return { failure: failure ?? "the probe printed nothing" };
    return JSON.parse(report) as Probe;
  }
}
