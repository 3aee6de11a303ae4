/** A field of a JSON object: its name, and its value as it is written. */
export interface JsonField {
  readonly name: string;
  readonly value: string;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * The fields of a JSON object in order, each value left as text: a number keeps all its digits. The text must be known to
 * be JSON; this is no check.
 */
export function jsonFields(object: string): JsonField[] {
  const fields: JsonField[] = [];
  let at = object.indexOf("{") + 1;
  for (;;) {
    const open = object.indexOf('"', at);
    if (open < 0) return fields;
    const close = endOfString(object, open);
    const colon = object.indexOf(":", close);
    const end = endOfValue(object, colon + 1);
    fields.push({ name: JSON.parse(object.slice(open, close)) as string, value: object.slice(colon + 1, end).trim() });
    at = end + 1;
  }
}

/** Behind the quote that closes the string which opens at `open`. */
function endOfString(text: string, open: number): number {
  let at = open + 1;
  while (text.charCodeAt(at) !== QUOTE) at += text.charCodeAt(at) === BACKSLASH ? 2 : 1;
  return at + 1;
}

/** At the comma or the brace behind the value that begins at `start`. */
function endOfValue(text: string, start: number): number {
  let depth = 0;
  for (let at = start; ; at++) {
    switch (text[at]) {
      case '"':
        at = endOfString(text, at) - 1;
        break;
      case "{":
      case "[":
        depth++;
        break;
      case "]":
        depth--;
        break;
      case "}":
        if (depth === 0) return at;
        depth--;
        break;
      case ",":
        if (depth === 0) return at;
        break;
      default:
    }
  }
}
