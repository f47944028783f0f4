import { BackendError } from "@l0gm/backend";

/** The machine lacks something that a set-up needs, which is no fault of the set-up. */
export class MissingRequirement extends BackendError {}
