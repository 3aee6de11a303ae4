import type { Regime, TaskFamily } from "./types.ts";

/** What a regime trains. */
export interface RegimePlan {
  /** Whose losses are taken. */
  readonly families: readonly TaskFamily[];
  readonly trainsBackbone: boolean;
  /** LoRA groups on the last layers: one a family, which its own loss alone reaches; one for all; none. */
  readonly groups: "own" | "shared" | "none";
  /** Take out of each family's gradient on the backbone what goes against the other's (PCGrad, arXiv 2001.06782). */
  readonly surgery: boolean;
}

const BOTH: readonly TaskFamily[] = ["ner", "tc"];

export const REGIMES: Readonly<Record<Regime, RegimePlan>> = {
  "ner-only": { families: ["ner"], trainsBackbone: true, groups: "none", surgery: false },
  "tc-only": { families: ["tc"], trainsBackbone: true, groups: "none", surgery: false },
  naive: { families: BOTH, trainsBackbone: true, groups: "none", surgery: false },
  "groups-only": { families: BOTH, trainsBackbone: false, groups: "own", surgery: false },
  "task-primary": { families: BOTH, trainsBackbone: true, groups: "own", surgery: false },
  "shared-group": { families: BOTH, trainsBackbone: true, groups: "shared", surgery: false },
  pcgrad: { families: BOTH, trainsBackbone: true, groups: "none", surgery: true },
};
