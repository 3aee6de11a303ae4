/** Adapters of the demonstration: the name they go by there, and their folder in models/adapters. */
export const DEMO_ADAPTERS: readonly { readonly name: string; readonly folder: string }[] = [
  { name: "entities", folder: "wikigold" },
  { name: "slots", folder: "snips-slots" },
  { name: "intent", folder: "clinc150" },
  { name: "banking", folder: "banking77" },
  { name: "mood", folder: "vader-sentiment" },
  { name: "spam", folder: "sms-spam" },
];

export interface DemoPart {
  readonly title: string;
  readonly tasks: readonly string[];
  /** Labels shown. */
  readonly topK: number;
  readonly texts: readonly string[];
}

/**
 * The first two texts of each part are rows of the tasks' test sets (WikiGold, Snips, BANKING77, the VADER ratings and the
 * SMS Spam Collection; spaces before punctuation taken out), which no adapter was trained on; the third is an everyday
 * sentence of no data set. They show what a task is, not how often it is right: that is what `rootstock eval` measures.
 */
export const DEMO_PARTS: readonly DemoPart[] = [
  {
    title: "Names in a text",
    tasks: ["entities"],
    topK: 1,
    texts: [
      "Electric Avenue in Brixton, London, gets its name from being the first electrified shopping area in London.",
      "On April 7, 2004, Governor Bob Wise signed legislation allowing Fairmont State College to change its name to Fairmont State University.",
      "Marie Curie moved from Warsaw to Paris in 1891 and was awarded the Nobel Prize twice.",
    ],
  },
  {
    title: "A command: its slots and its intent, two adapters on one pass",
    tasks: ["slots", "intent"],
    topK: 1,
    texts: [
      "Can you put this song from Yutaka Ozaki onto my this is miles davis playlist?",
      "Book a reservation for 6 people for a creole tavern in Montenegro",
      "Will it rain in Lisbon tomorrow morning?",
    ],
  },
  {
    title: "A customer's question: the likeliest of 77 reasons",
    tasks: ["banking"],
    topK: 3,
    texts: ["I got less cash than the one I specified in the ATM", "My card has not arrived yet, where is it?", "I left my phone on the train and my bank app is on it."],
  },
  {
    title: "A message: its mood, and whether it is spam",
    tasks: ["mood", "spam"],
    topK: 1,
    texts: [
      "Another awesome night. Hooray good friends and good food!",
      "XMAS Prize draws! We are trying to contact U. Todays draw shows that you have won a £2000 prize GUARANTEED. Valid 12hrs only",
      "The train was late again and the heating did not work.",
    ],
  },
];
