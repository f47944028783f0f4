import { type Encoder, EVALUATION, FormatError, useBackend } from "@l0gm/core";
import { expectClose } from "@l0gm/core/testing";
import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import { golden, MODELS, unlessThere } from "../test/models.ts";
import type { TextBatch, TokenBatch } from "./batch.ts";
import { type BertEncoderOptions, bertEncoder, bertPrefix } from "./bert.ts";

interface Reference {
  readonly batch: {
    readonly input_ids: number[][];
    readonly attention_mask: number[][];
    readonly token_type_ids: number[][];
  };
  readonly sentences: readonly {
    readonly mean_pooled: number[];
    readonly cls_last_hidden: number[];
    readonly pooler_output?: number[];
  }[];
}

function batchOf({ batch }: Reference, withTypes: boolean): TokenBatch {
  return {
    ids: tf.tensor2d(batch.input_ids, undefined, "int32"),
    mask: tf.tensor2d(batch.attention_mask, undefined, "float32"),
    ...(withTypes ? { types: tf.tensor2d(batch.token_type_ids, undefined, "int32") } : {}),
  };
}

/** The pooled embedding: what comes out of a projection that changes nothing. */
async function pooled(folder: string, options: BertEncoderOptions, batch: TextBatch): Promise<Float32Array> {
  const encoder = await bertEncoder(folder, { ...options, width: 384 });
  withoutProjection(encoder);
  const output = encoder.encode(batch, EVALUATION);
  const values = Float32Array.from(await output.data());
  output.dispose();
  encoder.dispose();
  return values;
}

function withoutProjection(encoder: Encoder<TextBatch>): void {
  const kernel = encoder.parameters.find(({ name }) => name === "projection/kernel");
  tf.tidy(() => kernel?.variable.assign(tf.eye(encoder.width)));
}

describe.each(MODELS)("$name", ({ name, folder, there }) => {
  test.skipIf(!there)(`agrees with the reference to 2e-5${unlessThere(there)}`, async () => {
    await useBackend("wasm");
    const reference = golden<Reference>(folder, "reference.json");
    for (const withTypes of [false, true]) {
      const batch = batchOf(reference, withTypes);
      const expected = (key: "mean_pooled" | "cls_last_hidden" | "pooler_output") =>
        reference.sentences.flatMap((sentence) => sentence[key] ?? []);
      const within = { absolute: 2e-5 };
      expectClose(await pooled(folder, { pooling: "mean" }, batch), expected("mean_pooled"), within);
      expectClose(
        await pooled(folder, { pooling: "cls", trainableLayers: 1 }, batch),
        expected("cls_last_hidden"),
        within,
      );
      if (name.includes("l6")) {
        expectClose(await pooled(folder, { pooling: "pooler" }, batch), expected("pooler_output"), within);
      } else {
        await expect(bertEncoder(folder, { pooling: "pooler" })).rejects.toThrow(FormatError);
      }
      tf.dispose(Object.values(batch));
    }
  });

  test.skipIf(!there)(`goes on from what its frozen prefix has computed${unlessThere(there)}`, async () => {
    await useBackend("wasm");
    const batch = batchOf(golden<Reference>(folder, "reference.json"), false);
    const prefix = await bertPrefix(folder, 2);
    const hidden = prefix.apply(batch);
    const layers = name.includes("l6") ? 6 : 3;
    const options = { trainableLayers: layers - 2 };
    expectClose(await pooled(folder, options, { hidden, mask: batch.mask }), await pooled(folder, options, batch), {
      absolute: 1e-6,
    });
    prefix.dispose();
  });
});
