import { describe, expect, it } from "vitest";
import { parseConfig } from "../tasks/config.ts";
import { taskNamed } from "../tasks/registry.ts";
import { PROFILES, type ProfileName, requestsOf } from "./profiles.ts";

describe("requestsOf", () => {
  it.each(Object.keys(PROFILES) as ProfileName[])("%s asks only for settings that its benchmarks have", (name) => {
    for (const { benchmark, config, configName, seeds, methods } of requestsOf(name, {})) {
      expect(() => parseConfig(taskNamed(benchmark).config, config, configName)).not.toThrow();
      expect(seeds).toEqual([...new Set(seeds)]);
      expect(methods[0]).toEqual({ kind: "dense" });
    }
  });

  it("answers the side questions with the profile's seeds and settings", () => {
    const [main, ...variants] = requestsOf("standard", { dataDir: "elsewhere" });
    expect(main?.methods.map(({ kind }) => kind)).toEqual(["dense", ...Array(6).fill("target"), "path"]);
    expect(variants).toMatchObject([
      {
        benchmark: "adult",
        methods: [{ kind: "dense" }, { kind: "target", fraction: 0.125 }],
        config: { path: PROFILES.standard.config.path, data: { withoutWeight: true } },
        seeds: main?.seeds,
        source: { dataDir: "elsewhere" },
      },
    ]);
  });

  it("has at least five seeds wherever a claim is made", () => {
    expect(PROFILES.standard.seeds).toBeGreaterThanOrEqual(5);
    expect(PROFILES.paper.seeds).toBeGreaterThanOrEqual(5);
  });
});
