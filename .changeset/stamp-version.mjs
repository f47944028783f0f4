// Core records its version in every manifest. A bundle has no package.json to read it from, so releasing writes it into the source.
import { readFileSync, writeFileSync } from "node:fs";

const { version } = JSON.parse(readFileSync("packages/core/package.json", "utf8"));
const file = "packages/core/src/version.ts";
writeFileSync(file, readFileSync(file, "utf8").replace(/VERSION = ".*"/, `VERSION = "${version}"`));
