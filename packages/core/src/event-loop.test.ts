import { expect, test } from "vitest";
import { yieldToEvents } from "./event-loop.ts";

function compute(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

test("timers go on during a computation that waits for nothing", async () => {
  let ticks = 0;
  const timer = setInterval(() => ticks++, 1);
  for (let step = 0; step < 10; step++) {
    compute(110);
    await Promise.resolve();
  }
  expect(ticks).toBe(0);
  for (let step = 0; step < 10; step++) {
    compute(110);
    await yieldToEvents();
  }
  clearInterval(timer);
  expect(ticks).toBeGreaterThanOrEqual(8);
});

test("a step that comes soon after the last turn does not wait", async () => {
  compute(110);
  await yieldToEvents();
  let turned = false;
  setImmediate(() => {
    turned = true;
  });
  for (let step = 0; step < 50; step++) await yieldToEvents();
  expect(turned).toBe(false);
});
