/**
 * Python's `re`, as far as it is used to name modules: literals, `.`, classes, groups, alternatives, quantifiers, anchors
 * and lookahead. A pattern comes from a stranger's file, so it is not handed to a backtracking engine, where `(a+)+$` takes
 * 2^n steps: it is compiled to a small program and each (instruction, position) is visited once, which bounds a match by
 * program size times text length and keeps Perl's and Python's order of preference.
 */

import { RootstockError } from "../errors.ts";
import { parsePattern, type PatternNode } from "./python-regex-parser.ts";

/** Steps of all matches of one adapter: under 50 ms (measured 25 ns a step). */
export const MAX_MATCH_STEPS = 1_500_000;
/** `a{1000}{1000}` would expand to a million instructions. */
const MAX_PROGRAM = 5_000;
/** An instruction takes so much longer to make, and memory until the adapter is read: 4,096 patterns could have 20 million. */
const STEPS_PER_INSTRUCTION = 100;

type AssertKind = (PatternNode & { type: "assert" })["kind"];

type Instruction =
  | { readonly op: "set"; readonly negated: boolean; readonly ranges: readonly number[] }
  | { readonly op: "split"; first: number; second: number }
  | { readonly op: "jump"; to: number }
  | { readonly op: "assert"; readonly kind: AssertKind }
  | { readonly op: "look"; readonly negated: boolean; readonly program: Program }
  | { readonly op: "save"; readonly slot: 0 | 1 }
  | { readonly op: "accept" };

/** A compiled pattern. */
export type Program = readonly Instruction[];

/** Counts the steps of many matches together. */
export interface MatchBudget {
  steps: number;
}

export function matchBudget(): MatchBudget {
  return { steps: 0 };
}

/** The text of the group `(?P<idx>…)`, when the pattern has it and it took part in the match. */
export interface Match {
  readonly index: string | undefined;
}

/** Turns the tree into a program; `left` is shared with the programs of lookaheads, so that nesting cannot multiply. */
class Compiler {
  private left = MAX_PROGRAM;
  private readonly budget: MatchBudget;

  constructor(budget: MatchBudget) {
    this.budget = budget;
  }

  compile(node: PatternNode): Program {
    const out: Instruction[] = [];
    this.emit(node, out);
    this.push(out, { op: "accept" });
    return out;
  }

  private push(out: Instruction[], instruction: Instruction): number {
    if (this.left-- === 0) throw new RootstockError("limit-exceeded", `a module pattern expands to more than ${MAX_PROGRAM} instructions.`);
    spend(this.budget, STEPS_PER_INSTRUCTION);
    return out.push(instruction) - 1;
  }

  private emit(node: PatternNode, out: Instruction[]): void {
    switch (node.type) {
      case "set": this.push(out, { op: "set", negated: node.negated, ranges: node.ranges }); return;
      case "assert": this.push(out, { op: "assert", kind: node.kind }); return;
      case "sequence": for (const item of node.items) this.emit(item, out); return;
      case "alternatives": this.emitAlternatives(node.branches, out); return;
      case "repeat": this.emitRepeat(node, out); return;
      case "index":
        this.push(out, { op: "save", slot: 0 });
        this.emit(node.body, out);
        this.push(out, { op: "save", slot: 1 });
        return;
      case "look": this.push(out, { op: "look", negated: node.negated, program: this.compile(node.body) }); return;
    }
  }

  private emitAlternatives(branches: readonly PatternNode[], out: Instruction[]): void {
    const jumps: { op: "jump"; to: number }[] = [];
    for (const [i, branch] of branches.entries()) {
      if (i === branches.length - 1) {
        this.emit(branch, out);
        break;
      }
      const split = { op: "split" as const, first: out.length + 1, second: 0 };
      this.push(out, split);
      this.emit(branch, out);
      const jump = { op: "jump" as const, to: 0 };
      this.push(out, jump);
      jumps.push(jump);
      split.second = out.length;
    }
    for (const jump of jumps) jump.to = out.length;
  }

  private emitRepeat(node: PatternNode & { type: "repeat" }, out: Instruction[]): void {
    const start = out.length;
    for (let i = 0; i < node.min; i++) {
      this.emit(node.body, out);
      if (out.length === start) break; // an empty body is the same once as 1,000 times, and costs nothing to count
    }
    const loops = node.max === Infinity;
    const splits: { op: "split"; first: number; second: number; body: number }[] = [];
    for (let i = node.min; i < (loops ? node.min + 1 : node.max); i++) {
      const split = { op: "split" as const, first: 0, second: 0, body: out.length + 1 };
      const at = this.push(out, split);
      splits.push(split);
      this.emit(node.body, out);
      if (loops) this.push(out, { op: "jump", to: at });
    }
    for (const split of splits) [split.first, split.second] = node.lazy ? [out.length, split.body] : [split.body, out.length];
  }
}

/** Compiles a pattern, on the budget of its adapter. Throws `config-invalid` (not a pattern), `adapter-unsupported` (a construct that is not read), `limit-exceeded`. */
export function compilePattern(source: string, budget: MatchBudget): Program {
  return new Compiler(budget).compile(parsePattern(source));
}

function inSet(code: number, ranges: readonly number[]): boolean {
  for (let i = 0; i < ranges.length; i += 2) {
    if (code >= (ranges[i] as number) && code <= (ranges[i + 1] as number)) return true;
  }
  return false;
}

function isWord(text: string, position: number): boolean {
  return /^\w$/.test(text.charAt(position));
}

function holds(kind: AssertKind, text: string, position: number): boolean {
  if (kind === "start") return position === 0;
  if (kind === "end") return position === text.length; // module names have no line breaks
  const boundary = isWord(text, position - 1) !== isWord(text, position);
  return boundary === (kind === "word");
}

interface Thread {
  readonly pc: number;
  readonly position: number;
  readonly from: number;
  readonly to: number;
}

function spend(budget: MatchBudget, steps: number): void {
  budget.steps += steps;
  if (budget.steps > MAX_MATCH_STEPS) {
    throw new RootstockError(
      "limit-exceeded",
      `the module patterns need more than ${MAX_MATCH_STEPS} steps; name the modules in a list instead.`,
    );
  }
}

/** Depth-first in order of preference; what failed once at a position is not tried again. */
function run(program: Program, text: string, start: number, whole: boolean, budget: MatchBudget): Match | null {
  const width = text.length + 1;
  const visited = new Uint8Array(program.length * width);
  spend(budget, visited.length >> 4); // clearing memory costs as well: about 16 bytes in the time of one step
  const stack: Thread[] = [{ pc: 0, position: start, from: -1, to: -1 }];
  for (let thread = stack.pop(); thread !== undefined; thread = stack.pop()) {
    const { pc, position, from, to } = thread;
    if (visited[pc * width + position] === 1) continue;
    visited[pc * width + position] = 1;
    spend(budget, 1);
    const instruction = program[pc] as Instruction;
    const next = (target: number): void => void stack.push({ pc: target, position, from, to });
    switch (instruction.op) {
      case "accept":
        if (!whole || position === text.length) return { index: from >= 0 && to >= 0 ? text.slice(from, to) : undefined };
        break;
      case "set":
        if (position < text.length && inSet(text.charCodeAt(position), instruction.ranges) !== instruction.negated) {
          stack.push({ pc: pc + 1, position: position + 1, from, to });
        }
        break;
      case "jump": next(instruction.to); break;
      case "split": next(instruction.second); next(instruction.first); break; // the last pushed is tried first
      case "assert": if (holds(instruction.kind, text, position)) next(pc + 1); break;
      case "look": if ((run(instruction.program, text, position, false, budget) !== null) !== instruction.negated) next(pc + 1); break;
      case "save":
        stack.push(instruction.slot === 0 ? { pc: pc + 1, position, from: position, to } : { pc: pc + 1, position, from, to: position });
        break;
    }
  }
  return null;
}

/** `re.fullmatch`. */
export function matchesWhole(pattern: Program, text: string, budget: MatchBudget): boolean {
  return run(pattern, text, 0, true, budget) !== null;
}

/** `re.match`: from the first character, to anywhere. */
export function matchStart(pattern: Program, text: string, budget: MatchBudget): Match | null {
  return run(pattern, text, 0, false, budget);
}
