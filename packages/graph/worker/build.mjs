/**
 * Bundles the sampler's worker thread and writes it as a TypeScript module, `src/sampling/worker-script.ts`, which is not in git: a text runs
 * from sources, from the built package and from a bundle alike. Runs after every install, before every build and before the tests.
 *
 * usage: node worker/build.mjs
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const target = join(root, "src/sampling/worker-script.ts");

/** Bundles where needed. Vitest calls this before the tests. */
export async function setup() {
  const { outputFiles } = await build({
    entryPoints: [join(root, "src/sampling/worker.ts")],
    absWorkingDir: root,
    bundle: true,
    write: false,
    // What `eval` of a worker takes.
    format: "cjs",
    platform: "node",
    target: "node20",
    minifyWhitespace: true,
    logLevel: "warning",
  });
  const text = `/** The sampler's worker thread, written by worker/build.mjs. */
export const WORKER_SCRIPT: string = ${JSON.stringify(outputFiles[0]?.text)};
`;
  if (existsSync(target) && readFileSync(target, "utf8") === text) return;
  // In one step, so that a test that runs meanwhile never reads half a file.
  writeFileSync(`${target}.${process.pid}`, text);
  renameSync(`${target}.${process.pid}`, target);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await setup();
