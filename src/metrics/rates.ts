/** Precision, recall and F1 of one label, each in [0, 1]; 0 where the denominator is 0. */
export interface LabelRates {
  label: string;
  precision: number;
  recall: number;
  f1: number;
  /** How often the label is in the gold data. */
  support: number;
}

/** How often something was gold, predicted, and both at once. */
export interface Counts {
  gold: number;
  predicted: number;
  correct: number;
}

export function rates({ gold, predicted, correct }: Counts): Omit<LabelRates, "label"> {
  return {
    precision: predicted === 0 ? 0 : correct / predicted,
    recall: gold === 0 ? 0 : correct / gold,
    // The harmonic mean of the two above, in counts: one rounding instead of four.
    f1: gold + predicted === 0 ? 0 : (2 * correct) / (gold + predicted),
    support: gold,
  };
}

/** Counts per label; a label is known once it was gold or predicted. */
export class LabelCounts {
  readonly #counts = new Map<string, Counts>();

  of(label: string): Counts {
    let counts = this.#counts.get(label);
    if (counts === undefined) {
      counts = { gold: 0, predicted: 0, correct: 0 };
      this.#counts.set(label, counts);
    }
    return counts;
  }

  total(): Counts {
    const total = { gold: 0, predicted: 0, correct: 0 };
    for (const counts of this.#counts.values()) {
      total.gold += counts.gold;
      total.predicted += counts.predicted;
      total.correct += counts.correct;
    }
    return total;
  }

  /** One row a label, ordered by UTF-16 units: the same order under every locale. */
  rows(): LabelRates[] {
    return [...this.#counts]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([label, counts]) => ({ label, ...rates(counts) }));
  }
}
