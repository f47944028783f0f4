// This build brings along the parts of Node that the parser needs.
export { CsvError, Parser } from "csv-parse/browser/esm";
