/**
 * Finds TensorFlow's native packages without loading them. Nothing here imports a `node:` module in a way that a browser's bundler would
 * see.
 */

const PACKAGES = ["@tensorflow/tfjs-node-gpu", "@tensorflow/tfjs-node"] as const;

/** A native package that is installed. */
export interface NativePackage {
  readonly name: string;
  readonly version: string;
  /** What `require` takes. */
  readonly folder: string;
  /** Whether its native library is there: "missing" where a package manager did not run its install script, "none" where it has none. */
  readonly library: "there" | "missing" | "none";
}

/** What was found: the packages that are installed, the preferred one first, and the names of those that are not. */
export interface NativeSearch {
  readonly installed: readonly NativePackage[];
  readonly missing: readonly string[];
}

interface Manifest {
  readonly version: string;
  readonly binary?: { readonly module_name: string };
}

/**
 * Where an application's packages may be seen from: the folder that it runs in, the program that was started, and this package. Strict
 * package managers show a package's dependencies to that package only, so ours alone would not do.
 */
function viewpoints(process: NodeJS.Process): string[] {
  const { realpathSync } = process.getBuiltinModule("node:fs");
  const { join } = process.getBuiltinModule("node:path");
  const places = [join(process.cwd(), "package.json")];
  const [, program] = process.argv;
  if (program !== undefined) {
    try {
      places.push(realpathSync(program));
    } catch {
      // `node -e` and the like take their first argument for the program.
    }
  }
  return [...places, import.meta.url];
}

/** Looks for tfjs-node-gpu and tfjs-node. Node only. */
export function findNative(process: NodeJS.Process): NativeSearch {
  const { createRequire } = process.getBuiltinModule("node:module");
  const { existsSync, readdirSync } = process.getBuiltinModule("node:fs");
  const { dirname, join } = process.getBuiltinModule("node:path");
  const requires = viewpoints(process).map((place) => createRequire(place));

  const libraryOf = (folder: string, { binary }: Manifest): NativePackage["library"] => {
    if (binary === undefined) return "none";
    const library = join(folder, "lib");
    const versions = existsSync(library) ? readdirSync(library) : [];
    const there = versions.some((version) => existsSync(join(library, version, `${binary.module_name}.node`)));
    return there ? "there" : "missing";
  };

  const installed: NativePackage[] = [];
  const missing: string[] = [];
  for (const name of PACKAGES) {
    let found: NativePackage | undefined;
    for (const require of requires) {
      try {
        const path = require.resolve(`${name}/package.json`);
        const manifest: Manifest = require(path);
        const folder = dirname(path);
        found = { name, version: manifest.version, folder, library: libraryOf(folder, manifest) };
        break;
      } catch {
        // Not seen from here.
      }
    }
    if (found === undefined) missing.push(name);
    else installed.push(found);
  }
  return { installed, missing };
}
