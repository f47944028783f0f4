import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, expect, test } from "vitest";
import { codeBlocks } from "./code-blocks.ts";

const ROOT = resolve(import.meta.dirname, "..");
const scratch = join(import.meta.dirname, ".readme");
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const snippet = codeBlocks(readFileSync(join(ROOT, "README.md"), "utf8"))[0]?.code ?? "";

test("the README's snippet has at most 15 lines", () => {
  expect(snippet.trimEnd().split("\n").length).toBeLessThanOrEqual(15);
  expect(snippet).toContain("compact(model)");
});

test("the README's snippet runs as shown and prints what the text around it promises", { timeout: 180_000 }, () => {
  mkdirSync(scratch, { recursive: true });
  const module = join(scratch, "snippet.ts");
  writeFileSync(module, snippet);
  const run = spawnSync(process.execPath, ["--conditions=@l0gm/source", "--import", "tsx", module], {
    cwd: ROOT,
    encoding: "utf8",
  });
  expect(run.stderr).toBe("");
  expect(run.status).toBe(0);
  const [, accuracy = "", error = "", savings = ""] = /^([\d.]+) ([\d.]+) (\{[\s\S]*\})\s*$/.exec(run.stdout) ?? [];
  expect(Number(accuracy)).toBeGreaterThan(0.84);
  expect(Number(accuracy)).toBeLessThan(0.88);
  expect(Number(error)).toBeLessThan(0.03);
  expect(savings).toMatch(/embeddingBytes: \{ dense: 512, compacted: 64 \}/);
});
