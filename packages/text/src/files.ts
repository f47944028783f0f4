import { directory } from "@l0gm/core/node";

/** The files of a folder, for reading. */
export { directory as openFolder };
