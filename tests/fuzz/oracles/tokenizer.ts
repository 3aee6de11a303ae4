import { parseJson } from "../../../src/format/json.ts";
import { createTokenizer } from "../../../src/text/tokenizer.ts";
import { encodingFault } from "../../unit/text/encoding-fault.ts";
import { verdict, type Verdict } from "./verdict.ts";

/** Texts that come by every branch of a tokenizer. */
const TEXTS = ["a Word b trees.", "", " é\u0301 中文 \ud83d\ude00 [MASK]<mask>\ud800 xx\u0000", "a".repeat(300)];

/** Makes a tokenizer of tokenizer.json and tokenizer_config.json and encodes a few texts, without a fault in ids, offsets and words. */
export function judgeTokenizer(tokenizerJson: Uint8Array, configJson: Uint8Array): Promise<Verdict> {
  return verdict(() => {
    const tokenizer = createTokenizer(parseJson(tokenizerJson, { where: "tokenizer.json" }), parseJson(configJson, { where: "tokenizer_config.json" }));
    for (const text of TEXTS) {
      const fault = encodingFault(tokenizer, tokenizer.encode(text), text);
      if (fault !== null) throw new Error(`${JSON.stringify(text)}: ${fault}`);
    }
    const words = ["a", "Word", ""];
    const fault = encodingFault(tokenizer, tokenizer.encodeWords(words, { maxTokens: tokenizer.specialTokenCount + 2 }), words.join(" "));
    if (fault !== null) throw new Error(`words: ${fault}`);
  });
}
