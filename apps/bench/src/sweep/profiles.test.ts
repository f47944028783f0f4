import { describe, expect, it, vi } from "vitest";
import { parseConfig } from "../tasks/config.ts";
import { taskNamed } from "../tasks/registry.ts";
import { checkSegments, configFor } from "./plan.ts";
import { PROFILES, type ProfileName, requestsOf } from "./profiles.ts";

describe("requestsOf", () => {
  it.each(Object.keys(PROFILES) as ProfileName[])("%s asks only for settings that its benchmarks have", (name) => {
    for (const { benchmark, config, methods } of PROFILES[name].parts) {
      expect(() => parseConfig(taskNamed(benchmark).config, config, name)).not.toThrow();
      expect(methods[0]).toBe("dense");
    }
    for (const { benchmark, methods, config, seeds } of requestsOf(name, {}).requests) {
      expect(seeds).toEqual([...new Set(seeds)]);
      const settings = parseConfig(taskNamed(benchmark).config, config, name);
      for (const method of methods) {
        expect(() => checkSegments(method, configFor(taskNamed(benchmark), method, settings))).not.toThrow();
      }
    }
  });

  it("answers the side questions with the profile's seeds and settings", () => {
    const { requests } = requestsOf("standard", { dataDir: "elsewhere" });
    const [main, variant] = requests;
    expect(main?.methods.map(({ kind }) => kind)).toEqual(["dense", ...Array(6).fill("target"), "path"]);
    expect(variant).toMatchObject({
      benchmark: "adult",
      methods: [{ kind: "dense" }, { kind: "target", fraction: 0.125 }],
      config: { path: PROFILES.standard.parts[0].config.path, data: { withoutWeight: true } },
      seeds: main?.seeds,
      source: { dataDir: "elsewhere" },
    });
  });

  it("leaves out what has no data, and says so, but never what comes with the repository", () => {
    vi.stubEnv("L0GM_DATA_DIR", "");
    vi.stubEnv("XDG_CACHE_HOME", "/nowhere");
    const { requests, skipped } = requestsOf("paper", { dataDir: "/nowhere" });
    vi.unstubAllEnvs();
    expect(new Set(requests.map(({ benchmark }) => benchmark))).toEqual(new Set(["adult", "cora", "spam-assassin"]));
    expect(skipped.map(({ benchmark }) => benchmark)).toEqual(["amazon-computers", "ogbn-products", "imdb"]);
    expect(skipped[0]?.reason).toMatch("/nowhere/amazon_computers");
  });

  it("quick is the same on every machine", () => {
    expect(requestsOf("quick", {}).skipped).toEqual([]);
    expect(PROFILES.quick.parts.map(({ benchmark }) => benchmark)).toEqual(["adult", "cora", "spam-assassin"]);
  });

  it("has at least five seeds wherever a claim is made", () => {
    expect(PROFILES.standard.seeds).toBeGreaterThanOrEqual(5);
    expect(PROFILES.paper.seeds).toBeGreaterThanOrEqual(5);
  });
});
