import { JSDOM } from "jsdom";
import { describe, expect, it } from "vitest";
import type { RunResult } from "../result.ts";
import { groupRuns } from "./aggregate.ts";
import { PROTOCOLS, STAGES } from "./measures.ts";
import { type ReportContext, renderReport } from "./report.ts";
import { frontierSummary } from "./summary.ts";
import { syntheticRuns } from "./synthetic-runs.ts";

const context: ReportContext = {
  title: "Sparsity & calibration",
  command: "npx l0gm sweep synthetic --seeds 5",
  createdAt: "2026-01-02T03:04:05.000Z",
  versions: { "@l0gm/bench": "0.1.0" },
  machine: { cores: "2" },
};

const parse = (html: string): Document => new JSDOM(html).window.document;
const textOf = (element: Element | null): string => (element?.textContent ?? "").replace(/\s+/g, " ");

const runs = [
  ...syntheticRuns(),
  ...syntheticRuns({
    benchmark: "cora",
    standInFor: "ogbn-products",
    simulated: true,
    seeds: 1,
    fractions: [0.5, 0.125],
  }),
];
const html = renderReport(runs, context);
const page = parse(html);

describe("a whole report", () => {
  it("has a section a benchmark, and labels a stand-in wherever it is named", () => {
    const headings = [...page.querySelectorAll("h2")].map((heading) => heading.textContent);
    expect(headings).toEqual(["synthetic", "corastand-in for ogbn-productssimulated", "How to repeat this"]);
    for (const caption of page.querySelectorAll("#benchmark-1 figcaption")) {
      if (textOf(caption).includes("cora")) {
        expect(textOf(caption)).toContain("cora (stand-in for ogbn-products, simulated)");
      }
    }
  });

  it("numbers its figures in order, and every chart says what it is", () => {
    const captions = [...page.querySelectorAll("figcaption b")].map((label) => label.textContent);
    expect(captions).toEqual(captions.map((_, i) => `Figure ${i + 1}.`));
    expect(captions.length).toBe(12);
    for (const svg of page.querySelectorAll("figure svg")) {
      expect(svg.getAttribute("role")).toBe("img");
      expect(svg.getAttribute("aria-label")).toMatch(/synthetic|cora/);
    }
  });

  it("draws a marker for every method and fraction, with its numbers on hover", () => {
    const accuracy = page.querySelector('svg[aria-label="Accuracy against active fraction, synthetic"]');
    const titles = [...(accuracy?.querySelectorAll("g[aria-label=dot] title") ?? [])].map((title) => title.textContent);
    expect(titles).toHaveLength(30);
    expect(titles[0]).toMatch(/^L0GM, separate runs, 128 of 128 dimensions: Accuracy \d\d\.\d\d ± \d\.\d\d$/);
  });

  it("shows the verdict of the summary", () => {
    const sentences = [...page.querySelectorAll("#benchmark-0 .verdict li")].map(textOf);
    expect(sentences).toEqual(frontierSummary(runs)[0]?.verdict);
  });

  it("has means, half-widths and paired differences in its tables", () => {
    const point = frontierSummary(runs)[0]?.frontier.find(
      ({ method, active }) => method === "l0gm" && active.count === 16,
    );
    const { accuracy, minusDense } = point?.protocols.bestValidation ?? {};
    const cells = [...page.querySelectorAll("#benchmark-0 td")].map(textOf);
    expect(cells).toContain(
      `${((accuracy?.mean ?? 0) * 100).toFixed(2)} ± ${((accuracy?.interval?.halfWidth ?? 0) * 100).toFixed(2)}`,
    );
    const difference = (minusDense?.accuracy?.mean ?? 0) * 100;
    const halfWidth = (minusDense?.accuracy?.interval?.halfWidth ?? 0) * 100;
    expect(cells).toContain(
      `${difference < 0 ? "−" : "+"}${Math.abs(difference).toFixed(2)} ± ${halfWidth.toFixed(2)}`,
    );
  });

  it("says that one seed has no interval", () => {
    expect(textOf(page.querySelector("#benchmark-1"))).toContain("one seed, no interval");
    expect(html).not.toMatch(/NaN|Infinity|undefined/);
  });

  it("is one file that loads nothing", () => {
    expect(page.querySelectorAll("script, link, img, iframe, object, embed")).toHaveLength(0);
    const addresses = html.match(/https?:\/\/[^"' )<]+/g) ?? [];
    expect(new Set(addresses)).toEqual(new Set(["http://www.w3.org/2000/svg"]));
    expect(html).not.toMatch(/@import|url\(/);
  });

  it("is the same for the same input", () => {
    expect(renderReport(runs, context)).toBe(html);
  });

  it("says how to repeat it", () => {
    expect(page.querySelector("pre")?.textContent).toBe(context.command);
    expect(textOf(page.body)).toContain("@l0gm/bench0.1.0");
  });
});

describe("with predictions resampled", () => {
  const few = syntheticRuns({ methods: ["dense", "l0gm"], fractions: [0.5, 0.125], seeds: 3 });
  const interval = { difference: 0, lower: -0.0123, upper: 0.0321 };
  const differences = PROTOCOLS.flatMap((protocol) =>
    STAGES.map((stage) => ({
      ...{ method: "l0gm", fraction: 0.125, protocol, stage },
      ...{ accuracy: interval, nll: interval, ece: interval },
    })),
  );
  const bootstraps = groupRuns(few).map(({ key }) => ({ key, samples: 1000, differences, missing: [] }));
  const document = parse(renderReport(few, context, bootstraps));
  const tables = [...document.querySelectorAll("table")].filter((table) => /dense/.test(textOf(table.caption)));

  it("shows the interval over test rows beneath each difference that has one, and says in the caption what it is", () => {
    expect(tables).toHaveLength(3);
    const beneath = tables.map((table) => {
      expect(textOf(table.caption)).toContain("95 % interval over 1,000 bootstrap resamples of the test rows");
      return [...table.querySelectorAll("td br + small")].map(textOf);
    });
    // ECE and NLL under four conditions at the headline; then accuracy, NLL and ECE of one of two fractions, NLL and ECE also after T.
    expect(beneath.map((intervals) => intervals.length)).toEqual([8, 5, 5]);
    expect(beneath[1]).toEqual(["[−1.23, +3.21]", ...Array(4).fill("[−0.0123, +0.0321]")]);
  });

  it("says what the intervals of the figures do not cover and where that is shown", () => {
    expect(textOf(document.querySelector("figcaption"))).toContain("the bootstrap in the tables of differences covers");
    expect(textOf(page.body)).not.toContain("bootstrap in the tables");
    expect(textOf(page.querySelector("table"))).not.toContain("resamples");
  });
});

describe("comparators", () => {
  const options = { methods: ["dense", "l0gm"], fractions: [0.5, 0.125], seeds: 3 };
  const document = parse(
    renderReport(syntheticRuns({ ...options, comparators: ["mlp", "fewer-neighbours"] }), context),
  );
  const heading = [...document.querySelectorAll("h3")].find((each) => each.textContent === "Comparators");

  it("have a table of their own, beside dense and L0GM, with what each computes of what dense does", () => {
    const table = heading?.nextElementSibling;
    const heads = [...(table?.querySelectorAll("thead th") ?? [])].map(textOf);
    // A method's name stands in the first of its rows alone.
    const cellsOf = (row: Element): string[] => {
      const cells = [...row.children].map(textOf);
      return cells.length === heads.length ? cells : ["", ...cells];
    };
    const rows = [...(table?.querySelectorAll("tbody tr") ?? [])].map(cellsOf);
    expect(rows.map(([method]) => method?.trim())).toEqual([
      "Dense",
      "L0GM, separate runs",
      "",
      "fewer-neighbours",
      "mlp",
    ]);
    const column = (head: string): (string | undefined)[] => rows.map((row) => row[heads.indexOf(head)]);
    expect(column("L0GM, 1/8, minus it points")[2]).toBe("–");
    expect(column("L0GM, 1/8, minus it points")[4]).toMatch(/^[+−]?\d\.\d\d ± \d\.\d\d$/);
    expect(column("Active dims")).toEqual(["1 128", "1/2 64", "1/8 16", "–", "–"]);
    // 116,992 + 256 * 64 and 16 of 149,760.
    expect(column("MACs % of dense")).toEqual(["100.0", "89.1", "80.9", "100.0", "100.0"]);
  });

  it("are in no figure", () => {
    for (const figure of document.querySelectorAll("figure, .legend")) expect(textOf(figure)).not.toContain("mlp");
  });

  it("are not mentioned where there are none", () => {
    expect(textOf(parse(renderReport(syntheticRuns(options), context)).body)).not.toContain("Comparators");
  });
});

describe("text from data", () => {
  it("never becomes markup", () => {
    const evil = `<img src=x onerror="alert(1)">`;
    const hostile = syntheticRuns({
      benchmark: evil,
      methods: ["dense", "l0gm", evil],
      seeds: 2,
      fractions: [0.5],
    }).map(
      (run): RunResult => ({
        ...run,
        split: evil,
        warnings: [evil],
        config: { [evil]: evil },
        subsets: Object.fromEntries(Object.values(run.subsets).map((metrics) => [evil, metrics])),
        subgroups: run.subgroups.map((subgroup) => ({ ...subgroup, column: evil, value: evil })),
      }),
    );
    const failures = [{ run: evil, message: evil }];
    const document = parse(renderReport(hostile, { ...context, title: evil, command: evil, failures }));
    expect(document.querySelectorAll("img, [onerror]")).toHaveLength(0);
    expect(document.querySelector("h1")?.textContent).toBe(evil);
  });
});

describe("incomplete input", () => {
  it("shows failed runs beside the rest", () => {
    const failures = [{ run: "l0gm at 1/8, seed 3", message: "NumericalError: loss is NaN at step 12" }];
    const document = parse(renderReport(runs, { ...context, failures }));
    expect(textOf(document.body)).toContain("1 run did not finish and is in no number here.");
    expect(textOf(document.body)).toContain("loss is NaN at step 12");
  });

  it("says so where no run finished", () => {
    expect(textOf(parse(renderReport([], context)).querySelector("main"))).toContain("No run finished");
  });

  it.each([
    ["one dense run", syntheticRuns({ methods: ["dense"], seeds: 1 })],
    ["one gated run", syntheticRuns({ methods: ["l0gm"], seeds: 1, fractions: [0.125] })],
    ["a comparator alone", syntheticRuns({ methods: ["random-mask"], seeds: 2, fractions: [0.5] })],
    ["a path alone", syntheticRuns({ methods: ["l0gm-path"], seeds: 2 })],
    ["several classes", syntheticRuns({ classes: 47, seeds: 1, methods: ["dense", "l0gm"] })],
  ])("renders %s", (_, few) => {
    const text = renderReport(few, context);
    expect(parse(text).querySelectorAll("#benchmark-0 figure svg").length).toBeGreaterThan(0);
    expect(text).not.toMatch(/NaN|Infinity|undefined/);
  });

  it("renders runs without optional or finite metrics, traces, subsets or open gates", () => {
    const bare = syntheticRuns({ methods: ["dense", "l0gm"], seeds: 2, fractions: [0.125] }).map((run): RunResult => {
      const { auroc: _, averagePrecision: __, ...rest } = run.metrics.test;
      const test = { ...rest, nll: Number.NaN };
      const split = { validation: test, test };
      return {
        ...run,
        active: run.method === "dense" ? run.active : { requested: 0.125, expected: 0, realised: 0, count: 0 },
        metrics: split,
        protocols: { equalBudget: split, bestValidation: split },
        trace: [],
        subsets: {},
        subgroups: [],
        gates: [],
      };
    });
    const text = renderReport(bare, context);
    expect(textOf(parse(text).body)).not.toContain("AUROC");
    expect(text).not.toMatch(/NaN|Infinity|undefined/);
  });
});
