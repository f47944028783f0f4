import * as tf from "@tensorflow/tfjs-core";
import type {
  EncodeContext,
  Encoder,
  EncoderCost,
  EncoderDescription,
  NamedVariable,
  Parameter,
} from "../model/encoder.ts";
import { Projection } from "../model/projection.ts";
import { Random } from "../random.ts";
import { checkInteger } from "./checks.ts";
import { ModuleWeights } from "./module.ts";

/** What all encoders made of modules take. */
export interface ModuleEncoderOptions {
  /** Columns of the representation. @defaultValue 128 */
  readonly width?: number;
  /** Seed of the initial weights. @defaultValue 0 */
  readonly seed?: number;
}

/** Everything of an encoder but its projection: a batch to `[rows, width]`, nonlinear at its end. */
export interface Trunk<Batch> {
  readonly width: number;
  /** May leave intermediate tensors: a tidy is around it. */
  apply(batch: Batch, context: EncodeContext): tf.Tensor;
}

/** What tells one kind of encoder from another. */
export interface EncoderKind<Batch, Options extends ModuleEncoderOptions> {
  /** As it is registered. */
  readonly kind: string;
  /**
   * Makes the trunk's variables by way of `weights`, the same for the same options.
   *
   * @throws ConfigError when an option is out of range
   */
  trunk(weights: ModuleWeights, options: Options): Trunk<Batch>;
}

const WIDTH = 128;

/** A trunk, and the linear projection that makes the representation of what comes out of it. */
class ModuleEncoder<Batch, Options extends ModuleEncoderOptions> implements Encoder<Batch> {
  readonly width: number;
  readonly parameters: readonly Parameter[];
  readonly buffers: readonly NamedVariable[];
  readonly cost: EncoderCost;
  readonly #kind: EncoderKind<Batch, Options>;
  readonly #options: Options;
  readonly #weights: ModuleWeights;
  readonly #trunk: Trunk<Batch>;
  readonly #projection: Projection;

  /** @param narrowed - whose trunk to copy, and the projection to take over */
  constructor(
    kind: EncoderKind<Batch, Options>,
    options: Options,
    narrowed?: { readonly trunk: readonly NamedVariable[]; readonly projection: Projection },
  ) {
    const { width = WIDTH, seed = 0 } = options;
    checkInteger(kind.kind, "width", width);
    checkInteger(kind.kind, "seed", seed, 0);
    this.width = width;
    this.#kind = kind;
    this.#options = options;
    this.#weights = narrowed === undefined ? ModuleWeights.seeded(seed) : ModuleWeights.copied(narrowed.trunk);
    try {
      this.#trunk = kind.trunk(this.#weights, options);
    } catch (error) {
      // Variables of the parts before the one that was refused.
      this.#weights.dispose();
      throw error;
    }
    const random = Random.from(seed, "initial", "projection");
    this.#projection = narrowed?.projection ?? Projection.create({ inputs: this.#trunk.width, outputs: width, random });
    this.parameters = [...this.#weights.parameters, ...this.#projection.parameters];
    this.buffers = this.#weights.buffers;
    this.cost = {
      parameters: [...this.parameters, ...this.buffers].reduce((sum, { variable }) => sum + variable.size, 0),
      macs: this.#weights.macs + this.#trunk.width * width,
    };
  }

  encode(batch: Batch, context: EncodeContext): tf.Tensor2D {
    return tf.tidy(() => this.#projection.apply(this.#trunk.apply(batch, context) as tf.Tensor2D));
  }

  narrow(keep: readonly number[]): Encoder<Batch> {
    const projection = this.#projection.select(keep);
    const options = { ...this.#options, width: keep.length };
    return new ModuleEncoder(this.#kind, options, {
      trunk: [...this.#weights.parameters, ...this.#weights.buffers],
      projection,
    });
  }

  describe(): EncoderDescription {
    return { kind: this.#kind.kind, config: this.#options };
  }

  dispose(): void {
    this.#weights.dispose();
    this.#projection.dispose();
  }
}

/**
 * An encoder of a kind: its trunk, then a linear projection whose columns can be removed.
 *
 * @param options - JSON, kept as the encoder's description
 * @throws ConfigError when an option is out of range
 *
 * @example
 * ```ts
 * import * as tf from "@tensorflow/tfjs-core";
 * import { EVALUATION, useBackend } from "@l0gm/core";
 *
 * const kind: EncoderKind<tf.Tensor2D, ModuleEncoderOptions> = {
 *   kind: "mine/linear",
 *   trunk(weights) {
 *     const layer = weights.bind("layer", dense({ inputs: 3, outputs: 8, fill: glorotUniform(3, 8), activation: "relu" }));
 *     return { width: 8, apply: (batch) => layer(batch) };
 *   },
 * };
 * await useBackend("cpu");
 * const encoder = moduleEncoder(kind, { width: 4 });
 * console.log(encoder.encode(tf.ones([2, 3]), EVALUATION).shape); // 2, 4
 * ```
 */
export function moduleEncoder<Batch, Options extends ModuleEncoderOptions>(
  kind: EncoderKind<Batch, Options>,
  options: Options,
): Encoder<Batch> {
  return new ModuleEncoder(kind, options);
}
