import { FormatError } from "../errors.ts";
import type { Encoder, EncoderDescription } from "./encoder.ts";

/** Rebuilds an encoder from its description's config; weights are loaded afterwards. */
export type EncoderFactory = (config: unknown) => Encoder<never>;

const factories = new Map<string, EncoderFactory>();

/**
 * Makes an encoder loadable: `load` calls the factory that is registered under the saved kind. Packages of encoders register
 * theirs when they are imported.
 *
 * @param kind - package and name, for example `tabular/mlp`
 */
export function registerEncoder(kind: string, factory: EncoderFactory): void {
  factories.set(kind, factory);
}

/** @throws FormatError when no factory is registered under the description's kind */
export function rebuildEncoder(description: EncoderDescription): Encoder<never> {
  const factory = factories.get(description.kind);
  if (factory === undefined) {
    throw new FormatError({
      where: "load",
      expected: `an encoder registered as "${description.kind}"`,
      received: factories.size === 0 ? "none" : [...factories.keys()].join(", "),
      hint: `import the package that provides it (@l0gm/${description.kind.split("/")[0]}), or call registerEncoder`,
    });
  }
  return factory(description.config);
}
