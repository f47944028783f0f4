import { ConfigError } from "@l0gm/core";
import { expect, test } from "vitest";
import { splitOf, TASKS, taskNamed } from "./registry.ts";

test("every task is found by its name", () => {
  for (const task of TASKS) expect(taskNamed(task.name)).toBe(task);
  expect(() => taskNamed("audlt")).toThrow(ConfigError);
  expect(() => taskNamed("audlt")).toThrow("one of adult, tabular");
});

test("the first split is the default, and only a task's own are known", () => {
  expect(splitOf(taskNamed("adult"), undefined)).toBe("official");
  expect(() => splitOf(taskNamed("adult"), "stratified")).toThrow("one of official");
});
