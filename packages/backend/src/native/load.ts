/**
 * Finds and loads TensorFlow's native packages. Nothing here imports a native package or a `node:` module in a way that a browser's
 * bundler would see.
 */

/** What came of looking for the native packages. */
export interface NativeOutcome {
  /** The package that was loaded. */
  readonly package?: string;
  readonly version?: string;
  /** What was found, or what went wrong with each package. */
  readonly reason: string;
}

const PACKAGES = ["@tensorflow/tfjs-node-gpu", "@tensorflow/tfjs-node"] as const;

/** How to get the native backend. */
export const NATIVE_HINT =
  "npm install @tensorflow/tfjs-node (or @tensorflow/tfjs-node-gpu for CUDA) in the application, and let its install script run";

/** tfjs-node 4.22 calls two functions that Node 23 removed from `util`. */
function supplyRemovedUtilFunctions(util: object): void {
  const supply = (name: string, value: (x: unknown) => boolean): void => {
    if (Reflect.get(util, name) === undefined) Reflect.set(util, name, value);
  };
  supply("isNullOrUndefined", (x) => x === null || x === undefined);
  supply("isArray", Array.isArray);
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n", 1).join("");
}

/** Loads tfjs-node-gpu or else tfjs-node, from the application's folder or else from beside this package. */
export function loadNative(): NativeOutcome {
  const builtin = globalThis.process?.getBuiltinModule;
  if (builtin === undefined) return { reason: "needs Node" };
  const { createRequire } = builtin("node:module");
  const { join } = builtin("node:path");
  supplyRemovedUtilFunctions(builtin("node:util"));
  const failures: string[] = [];
  for (const name of PACKAGES) {
    let installed = false;
    for (const from of [join(process.cwd(), "package.json"), import.meta.url]) {
      const require = createRequire(from);
      let path: string;
      try {
        path = require.resolve(name);
      } catch {
        continue;
      }
      installed = true;
      try {
        require(path);
        const { version } = require(`${name}/package.json`) as { version: string };
        return { package: name, version, reason: `${name} ${version} is installed and loads` };
      } catch (error) {
        failures.push(`${name} is installed but does not load (${firstLine(error)})`);
        break;
      }
    }
    if (!installed) failures.push(`${name} is not installed`);
  }
  return { reason: failures.join("; ") };
}
