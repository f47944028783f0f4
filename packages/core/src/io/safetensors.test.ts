import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ConfigError, FormatError, ShapeError } from "../errors.ts";
import { decodeSafetensors, encodeSafetensors, type SafeTensor } from "./safetensors.ts";

/** A file made by hand: `header` as JSON, then `data`. */
function file(header: unknown, data: Uint8Array = new Uint8Array(), headerLength?: number): Uint8Array {
  const json = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + json.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerLength ?? json.length), true);
  bytes.set(json, 8);
  bytes.set(data, 8 + json.length);
  return bytes;
}

const entry = (dtype: string, shape: number[], begin: number, end: number): unknown => ({
  dtype,
  shape,
  data_offsets: [begin, end],
});

const bytesOf = (values: ArrayBufferView): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

describe("round trip", () => {
  const shapeOf = (length: number): number[] => (length % 2 === 0 ? [2, length / 2] : [length]);
  const tensor = fc.oneof(
    fc.float32Array({ maxLength: 12 }).map((data): SafeTensor => ({ dtype: "F32", shape: shapeOf(data.length), data })),
    fc.float64Array({ maxLength: 12 }).map((data): SafeTensor => ({ dtype: "F64", shape: shapeOf(data.length), data })),
    fc
      .bigInt64Array({ maxLength: 12 })
      .map((data): SafeTensor => ({ dtype: "I64", shape: shapeOf(data.length), data })),
    fc.int32Array({ maxLength: 12 }).map((data): SafeTensor => ({ dtype: "I32", shape: shapeOf(data.length), data })),
    fc.int16Array({ maxLength: 12 }).map((data): SafeTensor => ({ dtype: "I16", shape: shapeOf(data.length), data })),
    fc.int8Array({ maxLength: 12 }).map((data): SafeTensor => ({ dtype: "I8", shape: shapeOf(data.length), data })),
    fc
      .bigUint64Array({ maxLength: 12 })
      .map((data): SafeTensor => ({ dtype: "U64", shape: shapeOf(data.length), data })),
    fc.uint32Array({ maxLength: 12 }).map((data): SafeTensor => ({ dtype: "U32", shape: shapeOf(data.length), data })),
    fc.uint16Array({ maxLength: 12 }).map((data): SafeTensor => ({ dtype: "U16", shape: shapeOf(data.length), data })),
    fc.uint8Array({ maxLength: 12 }).map((data): SafeTensor => ({ dtype: "U8", shape: shapeOf(data.length), data })),
    fc
      .uint8Array({ maxLength: 12, max: 1 })
      .map((data): SafeTensor => ({ dtype: "BOOL", shape: shapeOf(data.length), data })),
  );
  const named = fc
    .array(fc.tuple(fc.string({ unit: "grapheme" }), tensor))
    .map((pairs) => new Map(pairs.filter(([name]) => name !== "__metadata__")));

  test("every tensor comes back bit for bit, under any name, as do the metadata", () => {
    fc.assert(
      fc.property(named, fc.dictionary(fc.string(), fc.string()), (tensors, metadata) => {
        const decoded = decodeSafetensors(encodeSafetensors(tensors, metadata));
        expect(new Map([...decoded.tensors].sort())).toEqual(new Map([...tensors].sort()));
        expect({ ...decoded.metadata }).toEqual({ ...metadata });
      }),
    );
  });

  test("the order of the tensors does not change the bytes", () => {
    fc.assert(
      fc.property(named, (tensors) => {
        expect(encodeSafetensors(new Map([...tensors].reverse()))).toEqual(encodeSafetensors(tensors));
      }),
    );
  });

  test("cutting off bytes anywhere, or adding some, is noticed", () => {
    const whole = encodeSafetensors(
      new Map<string, SafeTensor>([["a", { dtype: "F32", shape: [3], data: new Float32Array([1, 2, 3]) }]]),
    );
    for (let length = 0; length < whole.length; length++) {
      expect(() => decodeSafetensors(whole.subarray(0, length)), `${length} bytes`).toThrow(FormatError);
    }
    const longer = new Uint8Array(whole.length + 1);
    longer.set(whole);
    expect(() => decodeSafetensors(longer)).toThrow(/12 bytes of data, received 13/);
  });
});

describe("layout", () => {
  test("is the published one: length, JSON padded with spaces to a multiple of 8, little-endian data", () => {
    const bytes = encodeSafetensors(
      new Map<string, SafeTensor>([["w", { dtype: "F32", shape: [1, 2], data: new Float32Array([1, -2]) }]]),
      {
        by: "us",
      },
    );
    const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    expect(length % 8).toBe(0);
    const json = new TextDecoder().decode(bytes.subarray(8, 8 + length));
    expect(json.trimEnd()).toBe('{"__metadata__":{"by":"us"},"w":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}}');
    expect([...bytes.subarray(8 + length)]).toEqual([0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0]);
  });

  test("wide numbers come first, then names in order", () => {
    const f32: SafeTensor = { dtype: "F32", shape: [1], data: new Float32Array(1) };
    const bytes = encodeSafetensors(
      new Map<string, SafeTensor>([
        ["b", f32],
        ["a", f32],
        ["z", { dtype: "F64", shape: [1], data: new Float64Array(1) }],
      ]),
    );
    expect([...decodeSafetensors(bytes).tensors.keys()]).toEqual(["z", "a", "b"]);
  });

  test("reads from a part of a larger buffer, and copies", () => {
    const whole = encodeSafetensors(
      new Map<string, SafeTensor>([["a", { dtype: "F32", shape: [2], data: new Float32Array([1, 2]) }]]),
    );
    const shifted = Buffer.concat([Buffer.from([7]), whole]).subarray(1);
    const decoded = decodeSafetensors(shifted);
    shifted.fill(0);
    expect(decoded.tensors.get("a")?.data).toEqual(new Float32Array([1, 2]));
  });

  test("writes the part of a larger buffer that the array shows", () => {
    const part = new Float32Array([9, 1, 2, 9]).subarray(1, 3);
    const decoded = decodeSafetensors(
      encodeSafetensors(new Map<string, SafeTensor>([["a", { dtype: "F32", shape: [2], data: part }]])),
    );
    expect(decoded.tensors.get("a")?.data).toEqual(new Float32Array([1, 2]));
  });

  test("half precision is read as float32", () => {
    // 1, -2, largest, smallest normal, smallest subnormal, -0, infinity, NaN, 1/3 rounded
    const halves = new Uint16Array([0x3c00, 0xc000, 0x7bff, 0x0400, 0x0001, 0x8000, 0x7c00, 0x7e00, 0x3555]);
    const read = decodeSafetensors(file({ h: entry("F16", [9], 0, 18) }, bytesOf(halves))).tensors.get("h")?.data;
    expect(read).toEqual(
      new Float32Array([1, -2, 65504, 2 ** -14, 2 ** -24, -0, Number.POSITIVE_INFINITY, Number.NaN, 0.333251953125]),
    );
    const brain = new Uint16Array([0x3f80, 0xc000, 0x3eab, 0xff80]);
    const bf16 = decodeSafetensors(file({ h: entry("BF16", [4], 0, 8) }, bytesOf(brain))).tensors.get("h")?.data;
    expect(bf16).toEqual(new Float32Array([1, -2, 0.333984375, Number.NEGATIVE_INFINITY]));
  });

  test("integers and booleans are read as they lie in the file, between weights", () => {
    const header = {
      "embeddings.position_ids": entry("I64", [1, 3], 0, 24),
      "embeddings.weight": entry("F32", [2], 24, 32),
      mask: entry("BOOL", [2], 32, 34),
    };
    const data = Buffer.concat([
      bytesOf(new BigInt64Array([0n, -1n, 2n ** 62n])),
      bytesOf(new Float32Array([1, -2])),
      bytesOf(new Uint8Array([1, 0])),
    ]);
    const { tensors } = decodeSafetensors(file(header, data));
    expect(tensors).toEqual(
      new Map<string, SafeTensor>([
        ["embeddings.position_ids", { dtype: "I64", shape: [1, 3], data: new BigInt64Array([0n, -1n, 2n ** 62n]) }],
        ["embeddings.weight", { dtype: "F32", shape: [2], data: new Float32Array([1, -2]) }],
        ["mask", { dtype: "BOOL", shape: [2], data: new Uint8Array([1, 0]) }],
      ]),
    );
    expect(decodeSafetensors(encodeSafetensors(tensors)).tensors).toEqual(tensors);
  });

  test("scalars and empty tensors", () => {
    const tensors = new Map<string, SafeTensor>([
      ["empty", { dtype: "F32", shape: [0, 3], data: new Float32Array() }],
      ["scalar", { dtype: "F32", shape: [], data: new Float32Array([4]) }],
    ]);
    expect(decodeSafetensors(encodeSafetensors(tensors)).tensors).toEqual(tensors);
    expect(decodeSafetensors(encodeSafetensors(new Map())).tensors.size).toBe(0);
  });
});

describe("refuses", () => {
  const four = new Uint8Array(16);
  test.each<[string, Uint8Array, RegExp]>([
    ["an empty file", new Uint8Array(), /at least 8 bytes, received 0/],
    ["text", new TextEncoder().encode("<!DOCTYPE html><html></html>"), /header length.*not a safetensors file/s],
    ["a header longer than the file", file({}, four, 99), /header: expected 99 bytes, received 18/],
    ["a header that is not JSON", file("{oops"), /header: expected JSON in UTF-8/],
    ["a header that is not UTF-8", file("é").fill(0xff, 8), /JSON in UTF-8/],
    ["a header that is a list", file([]), /an object of tensors/],
    [
      "an unknown type",
      file({ a: entry("F8_E4M3", [4], 0, 4) }, four),
      /a\.dtype: expected one of F64.*received F8_E4M3/,
    ],
    ["an entry without fields", file({ a: 3 }), /a\.dtype.*received undefined/],
    ["a negative length", file({ a: entry("F32", [-1], 0, 4) }, four), /a\.shape/],
    ["a fractional length", file({ a: entry("F32", [0.5], 0, 2) }, four), /a\.shape/],
    [
      "offsets beyond the data",
      file({ a: entry("F32", [8], 0, 32) }, four),
      /a\.data_offsets.*within 16 bytes.*truncated/s,
    ],
    ["offsets in reverse", file({ a: entry("F32", [1], 4, 0) }, four), /a\.data_offsets/],
    [
      "offsets that are not two",
      file({ a: { dtype: "F32", shape: [1], data_offsets: [0, 4, 8] } }, four),
      /a\.data_offsets/,
    ],
    [
      "a size that is not the shape's",
      file({ a: entry("F32", [3], 0, 16) }, four),
      /expected 12 bytes for F32 of shape \[3\], received 16/,
    ],
    [
      "integers whose size is not the shape's",
      file({ a: entry("I64", [4], 0, 16) }, four),
      /expected 32 bytes for I64 of shape \[4\], received 16/,
    ],
    [
      "tensors that overlap",
      file({ a: entry("F32", [2], 0, 8), b: entry("F32", [3], 4, 16) }, four),
      /b: expected data from byte 8.*overlap/,
    ],
    ["a gap between tensors", file({ a: entry("F32", [1], 0, 4), b: entry("F32", [2], 8, 16) }, four), /b: .*a gap/],
    [
      "a name that occurs twice",
      file(
        '{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"a":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}}',
        four,
      ),
      /a gap/,
    ],
    [
      "metadata that are not strings",
      file({ __metadata__: { epoch: 3 } }),
      /__metadata__: expected an object of strings/,
    ],
  ])("%s", (_, bytes, message) => {
    expect(() => decodeSafetensors(bytes, "weights")).toThrow(FormatError);
    expect(() => decodeSafetensors(bytes, "weights")).toThrow(message);
    expect(() => decodeSafetensors(bytes, "weights")).toThrow(/^weights/);
  });

  test("any bytes that are not safetensors, with a FormatError", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        expect(() => decodeSafetensors(bytes)).toThrow(FormatError);
      }),
    );
  });

  test("to write numbers that do not fill their shape, or the reserved name", () => {
    const data = new Float32Array(3);
    expect(() =>
      encodeSafetensors(new Map<string, SafeTensor>([["w", { dtype: "F32", shape: [2, 2], data }]])),
    ).toThrow(ShapeError);
    expect(() =>
      encodeSafetensors(new Map<string, SafeTensor>([["__metadata__", { dtype: "F32", shape: [3], data }]])),
    ).toThrow(ConfigError);
  });
});
