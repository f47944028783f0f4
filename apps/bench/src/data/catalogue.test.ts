import { expect, test } from "vitest";
import { DATA_SETS } from "./catalogue.ts";
import { digestFile, filePath } from "./folders.ts";

test("what ships has the sizes and checksums that the catalogue states", async () => {
  for (const { files, shipped } of DATA_SETS) {
    for (const file of shipped === undefined ? [] : files) {
      const { sha256, bytes } = await digestFile(filePath(shipped ?? "", file) ?? "");
      expect({ sha256, bytes }, file.name).toEqual({ sha256: file.sha256, bytes: file.bytes });
    }
  }
});
