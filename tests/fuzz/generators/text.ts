import { index, pick, type Random } from "../../reliability/random.ts";

/** Pieces that hostile and ordinary text is made of. */
const PIECES: readonly string[] = [
  " ", "  ", "\n", "\t", "\r\n", "\r", "\u0000", "\u000b", "\u001f", "\u007f", "\u0085", "\u00a0", "\u1680", "\u2003", "\u2028", "\u2029", "\u3000", "\u200b", "\u200d", "\u200f", "\u00ad", "\u2066",
  "\u202b", "\u202e", "\ufeff", "\ufffc", "\ufffd", "\ufffe", "\uffff", "\ufdd0", "\u{1fffe}", "\u{10ffff}", "\ud800", "\udbff", "\udc00", "\udfff", "\ud83d", "\ude00", "\ud83d\ude00", "👨\u200d👩\u200d👧", "🇩🇪", "🏳️\u200d🌈",
  "👍🏽", "e\u0301", "\u0301", "\u0323\u0307", "\u0344", "\u0f73", "\u302e", "\u{16ff0}", "\u{1d165}", "İ", "ı", "Σ", "ΑΣ", "ς", "ß", "ẞ", "ﬁ", "½", "㎏", "㍿", "ﷺ", "ﷻ", "각", "\u1112\u1161\u11ab", "\u11ab", "中文", "\uf900", "𠀀", "カ", "ﾊﾟ", "ﾞ", "שׁלום", "العربية", "ไทย",
  "नमस्ते", "Ⅷ", "①", "𝐚", "a", "b", "the", "The", "Paris", "O'Neill", "don't", "U.S.", "5.99", "1,000", "e-mail", "x@y.z", "https://x.y/z?q=1", "_", "-", "—", ".", "...", "…", ",", "'", "'s", "''", "``", "\"", "(", ")", "[", "]", "«", "»", "#", "##", "##s", "@@", "Ġ",
  "▁", "▁▁", "[SEP]", "[sep]", "[CLS]", "[UNK]", "[MASK]", "<mask>", "<s>", "</s>", "<unk>", "<pad>", "Rootstock", "rootstock", "word", "words", "strip", "x".repeat(101), "é".repeat(60),
]; // prettier-ignore

function randomUnit(random: Random): string {
  return String.fromCharCode(index(random, 0x10000));
}

function randomCodePoint(random: Random): string {
  return String.fromCodePoint(random() < 0.5 ? index(random, 0x3000) : index(random, 0x110000));
}

/** A short text: of hostile pieces, of random code points, of random units (most of them half a pair somewhere), or one piece many times. */
export function randomText(random: Random): string {
  const choice = random();
  const length = index(random, 14);
  if (choice < 0.6) return Array.from({ length }, () => pick(random, PIECES)).join("");
  if (choice < 0.75) return Array.from({ length }, () => (random() < 0.5 ? pick(random, PIECES) : randomCodePoint(random))).join(random() < 0.5 ? "" : " ");
  if (choice < 0.85) return Array.from({ length: 2 * length }, () => randomCodePoint(random)).join("");
  if (choice < 0.95) return Array.from({ length: 2 * length }, () => randomUnit(random)).join("");
  return pick(random, PIECES).repeat(1 + index(random, 40)) + pick(random, PIECES);
}
