/** The build that needs nothing of Node. */
export { parse } from "csv-parse/browser/esm/sync";
