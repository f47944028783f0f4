export { CsvError, Parser } from "csv-parse";
export { parse } from "csv-parse/sync";
