import { availableParallelism } from "node:os";
import { afterEach, describe, expect, it, vi } from "vitest";
import { defaultThreads, maySleep, whyNoHelpers } from "./helper-threads.ts";

afterEach(() => {
  vi.unstubAllGlobals();
});

/** As far as the threads can see, this is a browser then. */
function pretendBrowser(globals: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries({ process: undefined, ...globals })) vi.stubGlobal(name, value);
}

describe("helper threads", () => {
  it("can be had in Node, and may be waited for asleep", () => {
    expect(whyNoHelpers()).toBeUndefined();
    expect(maySleep()).toBe(true);
  });

  it("can not be had without shared memory, or without workers", () => {
    pretendBrowser({ crossOriginIsolated: false });
    expect(whyNoHelpers()).toMatch(/not cross-origin isolated/);
    pretendBrowser({ crossOriginIsolated: true, Worker: undefined });
    expect(whyNoHelpers()).toMatch(/no Web Workers/);
    pretendBrowser({ crossOriginIsolated: true, Worker: class {} });
    expect(whyNoHelpers()).toBeUndefined();
    vi.unstubAllGlobals();
    vi.stubGlobal("SharedArrayBuffer", undefined);
    expect(whyNoHelpers()).toBe("this engine has no SharedArrayBuffer");
    expect(maySleep()).toBe(false);
  });

  it("make two threads where nobody asks and there are two cores, and one inside a worker", () => {
    expect(defaultThreads()).toBe(Math.min(2, availableParallelism()));
    const browser = { crossOriginIsolated: true, Worker: class {}, navigator: { hardwareConcurrency: 8 } };
    pretendBrowser(browser);
    expect(defaultThreads()).toBe(2);
    pretendBrowser({ ...browser, navigator: { hardwareConcurrency: 1 } });
    expect(defaultThreads()).toBe(1);
    pretendBrowser({ ...browser, WorkerGlobalScope: class {} });
    expect(defaultThreads()).toBe(1);
    pretendBrowser({ ...browser, crossOriginIsolated: false });
    expect(defaultThreads()).toBe(1);
  });
});
