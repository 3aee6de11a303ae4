/** GPT-2's byte alphabet, from its definition: printable Latin-1 stands for itself, the rest is counted up from U+0100. */
export function byteCharacters(): Map<string, number> {
  const out = new Map<string, number>();
  let next = 0x100;
  for (let byte = 0; byte < 256; byte++) {
    const isPrintable = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte !== 0xad);
    out.set(String.fromCharCode(isPrintable ? byte : next++), byte);
  }
  return out;
}
