/** The grammar of Python's `re` (https://docs.python.org/3/library/re.html), the part that python-regex.ts runs. */

import { quote, RootstockError } from "../errors.ts";


/** UTF-16 units of one pattern. The longest PEFT writes for an encoder has about 100. */
export const MAX_PATTERN_UNITS = 2_000;
/** Nested groups: the parser and the compiler recurse. */
const MAX_GROUPS_DEEP = 50;
/** Python's own cap is higher; a count is expanded, so a larger one would only fill the program. */
const MAX_COUNT = 1_000;

export type PatternNode =
  | { readonly type: "set"; readonly negated: boolean; readonly ranges: readonly number[] }
  | { readonly type: "assert"; readonly kind: "start" | "end" | "word" | "notWord" }
  | { readonly type: "sequence"; readonly items: readonly PatternNode[] }
  | { readonly type: "alternatives"; readonly branches: readonly PatternNode[] }
  | { readonly type: "repeat"; readonly body: PatternNode; readonly min: number; readonly max: number; readonly lazy: boolean }
  | { readonly type: "look"; readonly body: PatternNode; readonly negated: boolean }
  | { readonly type: "index"; readonly body: PatternNode };

const DIGIT = [0x30, 0x39];
const WORD = [0x30, 0x39, 0x41, 0x5a, 0x5f, 0x5f, 0x61, 0x7a];
const SPACE = [0x09, 0x0d, 0x20, 0x20];
const CONTROL: ReadonlyMap<string, number> = new Map([["a", 7], ["f", 12], ["n", 10], ["r", 13], ["t", 9], ["v", 11]]);

const CLASSES: ReadonlyMap<string, readonly number[]> = new Map([["d", DIGIT], ["w", WORD], ["s", SPACE]]);
const ASSERTIONS: ReadonlyMap<string, "start" | "end" | "word" | "notWord"> = new Map([
  ["A", "start"], ["Z", "end"], ["b", "word"], ["B", "notWord"],
]);

/** Everything outside the ranges, which are sorted, apart from one another, and do not hold U+0000. */
function complement(ranges: readonly number[]): number[] {
  const result: number[] = [];
  let from = 0;
  for (let i = 0; i < ranges.length; i += 2) {
    result.push(from, (ranges[i] as number) - 1);
    from = (ranges[i + 1] as number) + 1;
  }
  result.push(from, 0xffff);
  return result;
}

/** The ranges of \d, \w, \s, and of \D, \W, \S, which are their complements. */
function shorthand(letter: string): readonly number[] | undefined {
  const ranges = CLASSES.get(letter.toLowerCase());
  return ranges === undefined || CLASSES.has(letter) ? ranges : complement(ranges);
}

class Parser {
  private position = 0;
  private depth = 0;
  private readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  parse(): PatternNode {
    const node = this.alternatives();
    if (this.position < this.text.length) throw this.broken('a ")" without its "("');
    return node;
  }

  private broken(problem: string): RootstockError {
    return new RootstockError(
      "config-invalid",
      `the module pattern ${quote(this.text)} is no regular expression: ${problem} at character ${this.position}.`,
    );
  }

  private unsupported(construct: string): RootstockError {
    return new RootstockError(
      "adapter-unsupported",
      `the module pattern ${quote(this.text)} uses ${construct}; supported are literals, classes, groups, ` +
        "alternatives, quantifiers, anchors and lookahead. Name the modules in a list instead.",
    );
  }

  private eat(token: string): boolean {
    if (!this.text.startsWith(token, this.position)) return false;
    this.position += token.length;
    return true;
  }

  private alternatives(): PatternNode {
    const branches = [this.sequence()];
    while (this.eat("|")) branches.push(this.sequence());
    return branches.length === 1 ? (branches[0] as PatternNode) : { type: "alternatives", branches };
  }

  private sequence(): PatternNode {
    const items: PatternNode[] = [];
    while (this.position < this.text.length && !"|)".includes(this.text.charAt(this.position))) {
      items.push(this.quantified(this.atom()));
    }
    return { type: "sequence", items };
  }

  private atom(): PatternNode {
    const char = this.text.charAt(this.position++);
    switch (char) {
      case ".": return { type: "set", negated: true, ranges: [0x0a, 0x0a] };
      case "^": return { type: "assert", kind: "start" };
      case "$": return { type: "assert", kind: "end" };
      case "(": return this.group();
      case "[": return this.characterClass();
      case "\\": return this.escape();
      case "*": case "+": case "?": throw this.broken("nothing to repeat");
      default: return literal(char.charCodeAt(0));
    }
  }

  private group(): PatternNode {
    if (++this.depth > MAX_GROUPS_DEEP) {
      throw new RootstockError(
        "limit-exceeded",
        `a module pattern nests more than ${MAX_GROUPS_DEEP} groups.`,
      );
    }
    let wrap = (body: PatternNode): PatternNode => body;
    if (this.eat("?=")) wrap = (body) => ({ type: "look", body, negated: false });
    else if (this.eat("?!")) wrap = (body) => ({ type: "look", body, negated: true });
    else if (this.eat("?P<idx>")) wrap = (body) => ({ type: "index", body });
    else if (this.eat("?P<")) this.groupName();
    else if (this.text.startsWith("?", this.position) && !this.eat("?:")) {
      throw this.unsupported(`"(${this.text.slice(this.position, this.position + 3)}"`);
    }
    const body = this.alternatives();
    if (!this.eat(")")) throw this.broken('a "(" without its ")"');
    this.depth--;
    return wrap(body);
  }

  private groupName(): void {
    const name = /^[A-Za-z_]\w*>/.exec(this.text.slice(this.position));
    if (name === null) throw this.broken("a group without a name");
    this.position += name[0].length;
  }

  private quantified(body: PatternNode): PatternNode {
    const counts = this.quantifier();
    if (counts === null) return body;
    const lazy = this.eat("?");
    if (this.eat("+")) throw this.unsupported("a possessive quantifier");
    if (this.quantifier() !== null) throw this.broken("a quantifier on a quantifier");
    return { type: "repeat", body, min: counts[0], max: counts[1], lazy };
  }

  private quantifier(): [number, number] | null {
    if (this.eat("*")) return [0, Infinity];
    if (this.eat("+")) return [1, Infinity];
    if (this.eat("?")) return [0, 1];
    // As in Python, braces that are no count ("{", "{x}") stand for themselves.
    const counted = /^\{(\d*)(,?)(\d*)\}/.exec(this.text.slice(this.position));
    if (counted === null || (counted[1] === "" && counted[2] === "")) return null;
    this.position += counted[0].length;
    const min = Number(counted[1]);
    const max = counted[2] === "" ? min : counted[3] === "" ? Infinity : Number(counted[3]);
    if (min > max) throw this.broken("a count whose minimum is above its maximum");
    if (min > MAX_COUNT || (max > MAX_COUNT && max !== Infinity)) {
      throw new RootstockError(
        "limit-exceeded",
        `a module pattern repeats more than ${MAX_COUNT} times.`,
      );
    }
    return [min, max];
  }

  private escape(): PatternNode {
    const letter = this.text.charAt(this.position);
    const kind = ASSERTIONS.get(letter);
    if (kind !== undefined) {
      this.position++;
      return { type: "assert", kind };
    }
    if (/[1-9]/.test(letter)) throw this.unsupported("a backreference");
    const ranges = shorthand(letter);
    if (ranges !== undefined) {
      this.position++;
      return { type: "set", negated: false, ranges };
    }
    return literal(this.escapedCode());
  }

  /** The character after a backslash: punctuation as it is, a control letter, \xhh or \uhhhh. */
  private escapedCode(): number {
    if (this.position >= this.text.length) throw this.broken("a backslash at the end");
    const hex = /^(x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4})/.exec(this.text.slice(this.position));
    if (hex !== null) {
      this.position += hex[0].length;
      return Number.parseInt(hex[0].slice(1), 16);
    }
    const char = this.text.charAt(this.position++);
    const control = CONTROL.get(char);
    if (control === undefined && /[A-Za-z0-9]/.test(char)) throw this.unsupported(`"\\${char}"`);
    return control ?? char.charCodeAt(0);
  }

  private characterClass(): PatternNode {
    const negated = this.eat("^");
    const ranges: number[] = [];
    const first = this.position;
    while (!this.text.startsWith("]", this.position) || this.position === first) {
      if (this.position >= this.text.length) throw this.broken('a "[" without its "]"');
      const low = this.classItem();
      const next = this.text.charAt(this.position + 1);
      const isRange = this.text.startsWith("-", this.position) && next !== "" && next !== "]";
      if (typeof low !== "number") {
        if (isRange) throw this.broken("a bad character range");
        ranges.push(...low);
        continue;
      }
      if (isRange) this.position++;
      const high = isRange ? this.classItem() : low;
      if (typeof high !== "number" || high < low) throw this.broken("a bad character range");
      ranges.push(low, high);
    }
    this.position++;
    return { type: "set", negated, ranges };
  }

  private classItem(): number | readonly number[] {
    const char = this.text.charAt(this.position++);
    if (char !== "\\") return char.charCodeAt(0);
    const letter = this.text.charAt(this.position);
    const ranges = shorthand(letter);
    if (ranges !== undefined || letter === "b") {
      this.position++;
      return ranges ?? 8; // \b is the backspace inside a class
    }
    return this.escapedCode();
  }
}

function literal(code: number): PatternNode {
  return { type: "set", negated: false, ranges: [code, code] };
}

/** Parses a pattern. Throws `config-invalid`, `adapter-unsupported`, `limit-exceeded`. */
export function parsePattern(text: string): PatternNode {
  if (text.length > MAX_PATTERN_UNITS) {
    throw new RootstockError(
      "limit-exceeded",
      `a module pattern has ${text.length} characters; at most ${MAX_PATTERN_UNITS} are read.`,
    );
  }
  return new Parser(text).parse();
}
