// The package's adapters, as the page shows them.

/**
 * `adapter`: folder under models/adapters. `marks`: where a tagger's labels stand, above or below the words.
 */
export const TASKS = [
  { name: "entities", title: "Entities", about: "People, places, organisations", adapter: "wikigold", marks: "above" },
  { name: "slots", title: "Command slots", about: "What a spoken command asks for", adapter: "snips-slots", marks: "below" },
  { name: "banking", title: "Banking reason", about: "One of 77 reasons to write to a bank", adapter: "banking77" },
  { name: "intent", title: "Assistant intent", about: "One of 150 things to ask an assistant", adapter: "clinc150" },
  { name: "mood", title: "Mood", about: "Positive or negative", adapter: "vader-sentiment" },
  { name: "spam", title: "Spam", about: "Unwanted text messages", adapter: "sms-spam" },
];

/** Texts to start from, and the tasks that suit them. */
export const SAMPLES = [
  {
    title: "Customer",
    text: "Ana Gomes wrote from Lisbon: my card was stolen on Friday near the Gulbenkian Foundation. Please block it, I am really worried!",
    tasks: ["entities", "banking", "mood"],
  },
  { title: "Command", text: "Book a table for four at a sushi bar in Kyoto tomorrow evening", tasks: ["entities", "slots", "intent"] },
  {
    title: "Review",
    text: "The new Vermeer exhibition at the Rijksmuseum in Amsterdam is wonderful. The critic Hannah Weiss called it the show of the year.",
    tasks: ["entities", "mood"],
  },
  { title: "Message", text: "Congratulations! You have won a £2000 prize. Call 09061701461 now to claim, offer valid 12hrs only", tasks: ["spam", "mood"] },
];

const NAMES = new Map([
  ["PER", "person"],
  ["LOC", "place"],
  ["ORG", "organisation"],
  ["MISC", "other name"],
  ["ham", "not spam"],
]);

/** A label as people read it: `lost_or_stolen_card` becomes "lost or stolen card". */
export function readable(label) {
  return NAMES.get(label) ?? label.replaceAll(/([a-z])([A-Z])/g, "$1 $2").replaceAll("_", " ").toLowerCase();
}

/** One of the page's six hues for a label; the four of the entities are always the same. */
export function hueOf(label) {
  const fixed = ["PER", "LOC", "ORG", "MISC"].indexOf(label);
  if (fixed >= 0) return fixed;
  let sum = 0;
  for (const letter of label) sum = (sum * 31 + letter.charCodeAt(0)) % 997;
  return sum % 6;
}
