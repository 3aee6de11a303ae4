/**
 * Which modules an adapter changes, by PEFT's rules over the names of the model it was trained on: a list matches by suffix,
 * a string is a regular expression for the whole name, exclude_modules and modules_to_save take names out again
 * (`check_target_module_exists` and `get_pattern_key` of PEFT 0.21).
 */

import { RootstockError } from "../errors.ts";
import { compilePattern, matchBudget, matchesWhole, matchStart, type Program } from "./python-regex.ts";
import type { LoraConfig, NameRule, PeftConfig } from "./peft-config.ts";
import type { Family } from "./types.ts";

const BERT_LORA: NameRule = { list: ["query", "value"] };
const BERT_IA3: NameRule = { list: ["key", "value", "output.dense"] };
const BERT_IA3_FEEDFORWARD: NameRule = { list: ["output.dense"] };

/** PEFT's targets when none are given; it has none for DistilBERT and ALBERT. */
const LORA_DEFAULTS: ReadonlyMap<Family, NameRule> = new Map([
  ["bert", BERT_LORA], ["roberta", BERT_LORA], ["xlm-roberta", BERT_LORA], ["electra", BERT_LORA],
]);
const IA3_DEFAULTS: ReadonlyMap<Family, NameRule> = new Map([["bert", BERT_IA3], ["roberta", BERT_IA3]]);

type NameTest = (name: string) => boolean;

function orDefault<T>(given: T | null, fallback: T | undefined, what: string, family: Family): T {
  const rule = given ?? fallback;
  if (rule === undefined) {
    throw new RootstockError(
      "config-invalid",
      `adapter_config.json: ${what} is not set, and PEFT has no default for ${family}.`,
    );
  }
  return rule;
}

/** Tests names of linear layers and embedding tables, such as `bert.encoder.layer.3.attention.self.query`. */
export class TargetMatcher {
  private readonly budget = matchBudget();
  private readonly config: PeftConfig;
  private readonly isTarget: (name: string, linear: boolean) => boolean;
  private readonly isExcluded: NameTest;
  private readonly isSaved: readonly Program[];
  private readonly feedforward: NameTest | undefined;
  private readonly rankPatterns: readonly (readonly [NameTest, number])[];
  private readonly alphaPatterns: readonly (readonly [NameTest, number])[];

  /** Throws `config-invalid`, `adapter-unsupported`, `limit-exceeded` for patterns that cannot be compiled. */
  constructor(config: PeftConfig, family: Family) {
    this.config = config;
    this.isExcluded = config.exclude === null ? () => false : this.nameTest(config.exclude, bySuffix);
    this.isSaved = config.modulesToSave.map((name) => compilePattern(`(^|.*\\.)${name}($|\\..*)`, this.budget));
    const defaults = config.kind === "lora" ? LORA_DEFAULTS : IA3_DEFAULTS;
    this.isTarget = this.targetTest(orDefault(config.targets, defaults.get(family), "target_modules", family));
    this.rankPatterns = config.kind === "lora" ? this.patternTests(config.rankPattern) : [];
    this.alphaPatterns = config.kind === "lora" ? this.patternTests(config.alphaPattern) : [];
    if (config.kind === "ia3") {
      const fallback = defaults.has(family) ? BERT_IA3_FEEDFORWARD : undefined;
      // Unlike targets, feedforward_modules match any end of the name, also inside a word.
      this.feedforward = this.nameTest(orDefault(config.feedforward, fallback, "feedforward_modules", family), byEnding);
    }
  }

  /** Whether PEFT puts an adapter on the module. "all-linear" takes linear layers only, a rule takes tables as well. */
  targets(name: string, linear: boolean): boolean {
    if (this.isExcluded(name)) return false;
    if (this.isSaved.some((pattern) => matchStart(pattern, name, this.budget) !== null)) return false;
    return this.isTarget(name, linear);
  }

  /** r and alpha of a module: the first pattern that matches, else the adapter's own. Throws `config-invalid` for a rank below 1. */
  rankAndAlpha(config: LoraConfig, name: string): { rank: number; alpha: number } {
    const rank = this.firstMatch(this.rankPatterns, name) ?? config.rank;
    if (rank < 1) throw new RootstockError("config-invalid", `adapter_config.json: rank_pattern: the rank of ${name} is ${rank}; it must be 1 or more.`);
    return { rank, alpha: this.firstMatch(this.alphaPatterns, name) ?? config.alpha };
  }

  /** (IA)³: whether the module scales its input instead of its output. */
  isFeedforward(name: string): boolean {
    return this.feedforward?.(name) === true;
  }

  private firstMatch(table: readonly (readonly [NameTest, number])[], name: string): number | undefined {
    return table.find(([test]) => test(name))?.[1];
  }

  private patternTests(table: ReadonlyMap<string, number>): (readonly [NameTest, number])[] {
    return [...table].map(([key, value]) => [this.patternTest(key), value] as const);
  }

  /** `(.*\.)?(KEY)$`. Most keys are names, and there may be one for each module: these need no program. */
  private patternTest(key: string): NameTest {
    if (/^[\w.]+$/.test(key)) return (name) => endsWithKey(name, key);
    const pattern = compilePattern(`(.*\\.)?(${key})$`, this.budget);
    return (name) => matchStart(pattern, name, this.budget) !== null;
  }

  private nameTest(rule: NameRule, byList: (list: readonly string[]) => NameTest): NameTest {
    if ("list" in rule) return byList(rule.list);
    const pattern = compilePattern(rule.regex, this.budget);
    return (name) => matchesWhole(pattern, name, this.budget);
  }

  private targetTest(rule: NameRule | "all-linear"): (name: string, linear: boolean) => boolean {
    if (rule === "all-linear") return (_name, linear) => linear;
    const test = this.nameTest(rule, bySuffix);
    const { config } = this;
    if (config.kind === "ia3" || config.layers === null || "regex" in rule) return test;
    const { layers } = config;
    const layerOf = this.layerFinder(config.layersPattern);
    // A name given in full is taken whatever its layer; the layer filter is for suffixes.
    return (name) => rule.list.includes(name) || (test(name) && layers.includes(layerOf(name)));
  }

  /** The layer number in a name, NaN when it has none. Without a pattern it is the first number after two name parts. */
  private layerFinder(layersPattern: readonly string[]): (name: string) => number {
    const named = layersPattern.map((name) => `(?:^|.*?\\.)${name}\\.(?P<idx>\\d+)\\.`);
    const templates = named.length === 0 ? [".*?\\.[^.]*\\.(?P<idx>\\d+)\\."] : named;
    const patterns = templates.map((template) => compilePattern(template, this.budget));
    return (name) => {
      for (const pattern of patterns) {
        const match = matchStart(pattern, name, this.budget);
        if (match !== null) return match.index === undefined ? Number.NaN : Number(match.index);
      }
      return Number.NaN;
    };
  }
}

function bySuffix(list: readonly string[]): NameTest {
  return (name) => list.some((item) => name === item || name.endsWith(`.${item}`));
}

function byEnding(list: readonly string[]): NameTest {
  return (name) => list.some((item) => name.endsWith(item));
}

/** A key of letters, digits, "_" and ".", of which the last stands for any character. */
function endsWithKey(name: string, key: string): boolean {
  const from = name.length - key.length;
  if (from < 0 || (from > 0 && name[from - 1] !== ".")) return false;
  for (let i = 0; i < key.length; i++) if (key[i] !== "." && key[i] !== name[from + i]) return false;
  return true;
}
