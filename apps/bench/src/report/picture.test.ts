import { JSDOM } from "jsdom";
import { expect, it } from "vitest";
import { renderPicture } from "./picture.ts";
import { syntheticRuns } from "./synthetic-runs.ts";

const runs = [
  ...syntheticRuns({ seeds: 2 }),
  ...syntheticRuns({ benchmark: "<cora>", standInFor: "ogbn-products", seeds: 1, fractions: [0.5] }),
];
const picture = renderPicture(runs);

it("is well-formed XML with an accuracy and an ECE panel a benchmark", () => {
  const { document } = new JSDOM(picture, { contentType: "image/svg+xml" }).window;
  const labels = [...document.querySelectorAll("svg svg[role=img]")].map((svg) => svg.getAttribute("aria-label"));
  expect(labels).toEqual([
    "Accuracy against active fraction, synthetic",
    "ECE against active fraction, synthetic",
    "Accuracy against active fraction, <cora> (stand-in for ogbn-products)",
    "ECE against active fraction, <cora> (stand-in for ogbn-products)",
  ]);
});

it("brings its own background and both themes, and is the same for the same runs", () => {
  expect(picture).toContain("prefers-color-scheme:dark");
  expect(picture).toContain('fill="var(--paper)"');
  expect(renderPicture(runs)).toBe(picture);
});
