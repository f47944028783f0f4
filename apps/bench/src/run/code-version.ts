import { createHash } from "node:crypto";
import { readdirSync, readFileSync, realpathSync } from "node:fs";
import { dirname, extname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

/** Parts of the bench that show numbers and do not make them. */
const SHOWN_ONLY = new Set(["cli", "report"]);

function codeFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return codeFiles(path);
      return [".js", ".ts"].includes(extname(path)) && !/\.(d|test)\.ts$/.test(path) ? [path] : [];
    })
    .sort();
}

/**
 * What the code of a run is called in its key: a hash over the modules of core, backend, graph, tabular and this package that are running.
 * A version number would call two states of a working tree the same, and a commit would not see what is not committed. Sources
 * and their build count as two versions.
 */
export function codeVersion(): string {
  const bench = fileURLToPath(new URL("..", import.meta.url));
  const entries = ["@l0gm/backend", "@l0gm/core", "@l0gm/graph", "@l0gm/tabular"].map((name) =>
    fileURLToPath(import.meta.resolve(name)),
  );
  const folders = entries.map((entry) => dirname(realpathSync(entry)));
  const hash = createHash("sha256");
  const add = (root: string, path: string): void => {
    hash.update(relative(root, path)).update("\0").update(readFileSync(path)).update("\0");
  };
  for (const folder of folders) for (const path of codeFiles(folder)) add(folder, path);
  for (const entry of readdirSync(bench, { withFileTypes: true })) {
    if (!entry.isDirectory() || SHOWN_ONLY.has(entry.name)) continue;
    for (const path of codeFiles(join(bench, entry.name))) add(bench, path);
  }
  return hash.digest("hex").slice(0, 12);
}
