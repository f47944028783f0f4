import { DataError } from "@l0gm/core";
import { parquetReadObjects } from "hyparquet";
import { decodeUtf8 } from "./decode.ts";

/**
 * The rows of a parquet file.
 *
 * @param where - the file, for messages
 * @throws DataError when the file is no parquet, lacks a column, or holds a text that is no UTF-8, saying in which row
 */
export async function readParquet(
  bytes: Uint8Array,
  columns: readonly string[],
  where: string,
): Promise<Record<string, unknown>[]> {
  const file = new Uint8Array(bytes).buffer;
  let rows: Record<string, unknown>[];
  try {
    // Strings are decoded below, where the row is known.
    rows = await parquetReadObjects({ file, columns: [...columns], parsers: { stringFromBytes: (text) => text } });
  } catch (cause) {
    const received = cause instanceof Error ? cause.message : String(cause);
    throw new DataError(
      { where, expected: `a parquet file with the columns ${columns.join(", ")}`, received },
      { cause },
    );
  }
  return rows.map((row, i) =>
    Object.fromEntries(
      columns.map((column) => {
        const value = row[column];
        if (value === undefined) {
          throw new DataError({ where, expected: `a column ${column}`, received: Object.keys(row).join(", ") });
        }
        return [column, value instanceof Uint8Array ? decodeUtf8(value, `${where}, row ${i}`) : value];
      }),
    ),
  );
}
