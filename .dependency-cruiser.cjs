/**
 * The arrows of docs/architecture/overview.md, checked by `pnpm lint`.
 *
 * Each package has one rule: "what it may import". Anything else that is ours is an error, so a new package must be given a
 * rule before it can be imported (see `every-package-has-a-rule`).
 */

/** Package folder -> package folders it may import. The one place to change when a package is added. */
const ARROWS = {
  backend: [],
  core: ["backend"],
  graph: ["core"],
  text: ["core"],
  tabular: ["core"],
};

const TEST = "[.]test[.]ts$";

const arrows = Object.entries(ARROWS).map(([name, allowed]) => ({
  name: `${name}-imports-only-${allowed.length === 0 ? "itself" : allowed.join("-and-")}`,
  severity: "error",
  from: { path: `^packages/${name}/` },
  to: { path: "^(packages|apps)/", pathNot: `^packages/(${[name, ...allowed].join("|")})/` },
}));

module.exports = {
  forbidden: [
    ...arrows,
    {
      name: "every-package-has-a-rule",
      severity: "error",
      from: { path: "^packages/([^/]+)/", pathNot: `^packages/(${Object.keys(ARROWS).join("|")})/` },
      to: { path: "^(packages|apps)/", pathNot: "^packages/$1/" },
    },
    {
      name: "core-runs-in-a-browser",
      comment: "Node's own modules, and packages that need them, are imported under src/node and src/testing only.",
      severity: "error",
      from: { path: "^packages/core/src/", pathNot: ["^packages/core/src/(node|testing)/", TEST] },
      to: { dependencyTypes: ["core"] },
    },
    {
      name: "core-does-not-reach-into-its-node-half",
      severity: "error",
      from: { path: "^packages/core/src/", pathNot: ["^packages/core/src/(node|testing)/", TEST] },
      to: { path: "^packages/core/src/(node|testing)/" },
    },
    {
      name: "only-the-node-half-writes-files",
      severity: "error",
      from: { path: "^packages/core/src/", pathNot: ["^packages/core/src/node/", TEST] },
      to: { path: "write-file-atomic" },
    },
    {
      name: "packages-by-their-public-names",
      comment: "A package is entered through the entries of its `exports`, never by a path into its folder.",
      severity: "error",
      from: { path: "^(packages|apps)/([^/]+)/" },
      to: { path: "^(packages|apps)/([^/]+)/", pathNot: "^$1/$2/", dependencyTypes: ["local"] },
    },
    {
      name: "no-cycles",
      severity: "error",
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
    {
      name: "everything-resolves",
      severity: "error",
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: "dependencies-are-declared",
      severity: "error",
      from: { path: "^(packages|apps)/[^/]+/src/", pathNot: TEST },
      to: { dependencyTypes: ["npm-no-pkg", "npm-unknown"] },
    },
    {
      name: "published-code-imports-no-development-dependency",
      severity: "error",
      from: { path: "^packages/[^/]+/src/", pathNot: [TEST, "^packages/core/src/testing/"] },
      to: { dependencyTypes: ["npm-dev"], dependencyTypesNot: ["type-only", "npm-peer"] },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: ["/dist/", "^test/[.]"] },
    moduleSystems: ["es6"],
    tsPreCompilationDeps: true,
    combinedDependencies: true,
    tsConfig: { fileName: "tsconfig.base.json" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["@l0gm/source", "import", "node", "types", "default"],
      extensions: [".ts", ".js", ".json"],
    },
  },
};
