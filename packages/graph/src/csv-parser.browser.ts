// These builds bring along the parts of Node that the parser needs.
export { CsvError, Parser } from "csv-parse/browser/esm";
export { parse } from "csv-parse/browser/esm/sync";
