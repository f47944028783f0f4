import type { LabelledTexts } from "../../src/index.ts";

/** Made up; of different lengths, so that there is padding. */
export const REVIEWS: LabelledTexts = {
  texts: [
    "A film to remember, from its first minute to its last.",
    "Two hours of my life that I shall not get back.",
    "Fine acting; the plot, alas, isn't worth a dime!",
    "Not bad.",
    "The café scene alone is worth the ticket, and the music stays with you for days afterwards.",
    "I left before the end, as did most of the others in the row.",
  ],
  labels: Int32Array.of(1, 0, 0, 1, 1, 0),
  classes: ["negative", "positive"],
};
