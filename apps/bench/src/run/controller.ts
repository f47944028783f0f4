import {
  type Controller,
  constant,
  cosine,
  cubic,
  linear,
  path,
  penalty,
  rampUp,
  type Schedule,
  targetFraction,
  warmUp,
} from "@l0gm/core";
import type { RunConfig } from "../tasks/config.ts";
import type { Method } from "./spec.ts";

/** The controller that a method and its settings stand for; none without a gate. */
export function controllerFor(method: Method, config: RunConfig): Controller | undefined {
  switch (method.kind) {
    case "dense":
    case "comparator":
      return undefined;
    case "target":
      return targetFraction({ fraction: method.fraction, ...config.target });
    case "penalty": {
      const { warmUp: hold, rise, consolidation } = config.penalty;
      const course = { linear, cosine, cubic }[rise];
      return penalty(warmUp(hold, course(0, method.lambda)), { consolidation });
    }
    case "path": {
      const { epochs: _, ...options } = config.path;
      return path(options);
    }
  }
}

/** Passes over the training rows. */
export function epochsOf(method: Method, config: RunConfig): number {
  return method.kind === "path" ? config.path.epochs : config.epochs;
}

/** Course of the weights' learning rate over a segment. */
export function learningRateCourse({ weights }: RunConfig): Schedule {
  return rampUp(0.05, weights.schedule === "cosine" ? cosine(1, 0.01) : constant(1));
}
