// Sentences of docs/mtpf-tpl.md that say what the results say. They name what is compared and leave its sign to the figures, so that they hold
// whatever further seeds give; what needs a regime that is not there is left out.
import { LORA_REGIMES, SHARES, SUBSETS } from "./cells.mjs";
import { fallenAdapters } from "./fallen.mjs";
import { commonSeeds } from "./figures.mjs";
import { MET_BEFORE, sectionFor } from "./sections.mjs";
import { gain, gainText, gainTextAtShares, gainTextsByFamily, gainTextsWithUnmet, item, mostInfluential, sentence } from "./sentences.mjs";
import { deviation, mean } from "./statistics.mjs";
import { listed } from "./wording.mjs";

/** What five times as many updates give, with the backbone trained and without. */
const LONG = [
  ["shipped", "task-primary-ner3", "what ships beside task-primary so weighted, which is shorter and else the same"], ["groups-only-long", "groups-only", "Groups on a frozen backbone beside groups-only, shorter and with both losses once"],
  ["shipped", "groups-only-long", "What ships beside groups on a frozen backbone as long, that is what the trained backbone adds"],
];

/** What was tried to come nearer to a specialist of as many tokens. */
const BESIDE_LONG = [
  ["task-primary-ner3", "With the NER loss three times"], ["task-primary-ner9", "Nine times"], ["task-primary-t10", "With temperature 0.1"], ["task-primary-r16", "Of rank 16"],
  ["naive-weighted", "Naive mixing with its best weight"], ["shipped", "What ships, of five times as many tokens"],
];

/** @param {object[]} sections of `sectionsOf` @param {Map<string, object>} ablations of `ablationSections` */
export function findings(sections, ablations) {
  const of = (family, a, b, tasksOf) => gainTextAtShares(sections, family, a, b, tasksOf);
  const unmet = ({ unmet: list }) => list;
  const ablated = (a, b) => gainTextsByFamily((family) => ablations.get(family), a, b);
  const ablatedWithUnmet = (a, b) => gainTextsWithUnmet((family) => ablations.get(family), a, b);
  const [rankOnNer] = ablated("task-primary-r16", "task-primary");
  const lines = [
    ...item("What mixing costs NER, and groups bring back.", [
      sentence([of("ner", "ner-only", "none"), of("ner", "naive", "ner-only"), of("ner", "task-primary", "ner-only")],
        (alone, mixed, groups) => `The NER loss alone gives NER ${alone} points. Both losses in one backbone are ${mixed} beside that, with a group for each family ${groups}.`),
      sentence([of("tc", "naive", "tc-only"), of("tc", "task-primary", "tc-only")], (mixed, groups) => `TC beside its own loss alone: mixed ${mixed}, with groups ${groups}.`),
    ]),
    ...item("Loss balance, and parameters of its own with their own rate.", [
      sentence([of("ner", "naive-weighted", "naive"), of("tc", "naive-weighted", "naive")],
        (ner, tc) => `The NER loss counted nine times moves naive mixing by ${ner} on NER and by ${tc} on TC.`),
      sentence([of("ner", "task-primary", "naive-weighted"), of("tc", "task-primary", "naive-weighted")],
        (ner, tc) => `Beside naive mixing so weighted, task-primary with both losses counted once has NER ${ner}, TC ${tc}.`),
      sentence(ablated("naive-ner3", "naive"), (ner, tc) => `Three times (all rows, seed 1): by ${ner} and by ${tc}.`),
      sentence([of("ner", "groups-only", "none"), of("ner", "naive", "none")],
        (groups, naive) => `Groups on a frozen backbone, learning at ten times the backbone's rate, give NER ${groups}; naive mixing ${naive}.`),
      sentence(ablated("task-primary-ner3", "naive-weighted"), (ner, tc) => `Task-primary with the NER loss three times, beside naive mixing with it nine times: NER ${ner}, TC ${tc} (all rows, seed 1).`),
      sentence([rankOnNer], (found) => `Rank 16 in place of 8 gives NER ${found} (all rows, seed 1).`),
      sentence([of("ner", "task-primary", "groups-only"), of("tc", "task-primary", "groups-only"), of("tc", "task-primary", "groups-only", unmet)],
        (ner, tc, tcUnmet) => `A backbone trained with the groups adds ${ner} to NER and ${tc} to TC; to TC without ${listed(MET_BEFORE)} ${tcUnmet}.`),
    ]),
    ...item("Other ways than a group for each family (all rows, seed 1):", [
      sentence(ablated("shared-group", "task-primary"), (ner, tc) => `one group for both, beside one for each: NER ${ner}, TC ${tc}.`),
      sentence(ablated("shared-group", "naive"), (ner, tc) => `One group for both, beside none: NER ${ner}, TC ${tc}.`),
      sentence(ablated("shared-group-ner3", "task-primary-ner3"), (ner, tc) => `With the NER loss three times, one group for both beside one for each: NER ${ner}, TC ${tc}.`),
      sentence(ablated("shared-group-ner3", "naive-ner3"), (ner, tc) => `Then beside none: NER ${ner}, TC ${tc}.`),
      sentence(ablated("pcgrad", "naive"), (ner, tc) => `Gradient surgery on the backbone (PCGrad), beside plain mixing: NER ${ner}, TC ${tc}.`),
    ]),
    ...item("Text classification:", [
      sentence(["tc-only", "task-primary", "shipped"].map((regime) => of("tc", regime, "none")),
        (alone, groups, shipped) => `its own loss alone gives ${alone} points, task-primary ${groups}, what ships ${shipped}; the encoder's sentence vectors come from a billion pairs.`),
      sentence(["tc-only", "task-primary", "shipped"].map((regime) => of("tc", regime, "none", unmet)),
        (alone, groups, shipped) => `Without ${listed(MET_BEFORE)}, whose training rows pre-finetuning has met: ${alone}, ${groups}, and ${shipped}.`),
    ]),
    ...item("As many tokens as task-primary for one family alone (seed 1):", [
      sentence([of("ner", "task-primary", "ner-only-long")], (ner) => `task-primary beside ner-only-long: NER ${ner}.`),
      ...BESIDE_LONG.map(([regime, what]) => sentence([of("ner", regime, "ner-only-long") ?? ablated(regime, "ner-only-long")[0]], (ner) => `${what}: ${ner}.`)),
      sentence([of("tc", "task-primary", "tc-only-long")], (tc) => `Beside tc-only-long: TC ${tc}.`),
    ]),
    ...item("Five times as long, the NER loss three times (all rows, seed 1):", [
      ...LONG.map(([a, b, what]) => sentence(ablatedWithUnmet(a, b),
        (ner, tc, tcUnmet) => `${what}: NER ${ner}, TC ${tc}, TC without ${listed(MET_BEFORE)} ${tcUnmet}.`)),
      sentence(ablatedWithUnmet("shipped", "tc-only-long").slice(1), (tc, tcUnmet) => `What ships beside tc-only-long: TC ${tc}, without these two tasks ${tcUnmet}.`),
    ]),
    ...item("Fine-tuned (LoRA), against none:", LORA_REGIMES.filter((regime) => regime !== "none").flatMap((regime) => SHARES.map((share) => fineTuned(sections, regime, share)))),
    ...item("One task's part in it (LoRA), task-primary beside none and beside groups-only:", ["none", "groups-only"].flatMap((other) => SHARES.flatMap((share) => ["ner", "tc"].map((family) => oneTasksPart(sections, share, family, other))))),
    ...item("Without the tasks at which one of the two fell to one answer (LoRA, all rows), task-primary beside:", ["none", "naive", "groups-only"].map((other) => withoutFallen(sections, other))),
    ...item("Draws of training rows, at 10 %:", [sentence(["ner", "tc"].map((family) => spreadOfSubsets(sections, family)), (ner, tc) =>
      `the difference of two regimes' means has a standard deviation of ${rangeText(ner, 1)} points on NER and ${rangeText(tc, 1)} on TC from one draw, of ${rangeText(ner, SUBSETS.length)} and ${rangeText(tc, SUBSETS.length)} as a mean of three.`)]),
  ];
  return lines.length === 0 ? ["Too few regimes are whole to say anything."] : lines;
}

const shareText = (share) => (share === 100 ? "" : ` (${share} %)`);

/** What an adapter trained on a regime's encoder has beside one trained on the encoder as it comes. */
function fineTuned(sections, regime, share) {
  const figures = gainTextsByFamily((family) => sectionFor(sections, "lora", share, family), regime, "none");
  return sentence(figures, (ner, tc) => `${regime}${shareText(share)}: NER ${ner}, TC ${tc}.`);
}

/** A gain of adapters, and the task that moves it most: a mean over few tasks can be one task's. */
function oneTasksPart(sections, share, family, other) {
  const found = mostInfluential(sectionFor(sections, "lora", share, family), "task-primary", other);
  return found && `${other}, ${family.toUpperCase()}${shareText(share)}: ${found.all}; ${found.task} alone ${found.own}, the others ${found.others}.`;
}

/** A gain of text classifiers over the tasks that both regimes' adapters learned; null where neither fell, or nothing is left. */
function withoutFallen(sections, other) {
  const section = sectionFor(sections, "lora", 100, "tc");
  const fallen = fallenAdapters(sections).filter(({ family, regime }) => family === "tc" && ["task-primary", other].includes(regime)).map(({ task }) => task);
  const learned = section?.tasks.filter((task) => !fallen.includes(task)) ?? [];
  const found = fallen.length === 0 || learned.length === 0 ? null : gain(section, "task-primary", other, learned);
  return found && `${other}, TC without ${listed(fallen)}: ${gainText(found)}.`;
}

/** What spreads of one draw are of a mean over several. */
const rangeText = (spreads, draws) => spreads.map((value) => (value / Math.sqrt(draws)).toFixed(2)).join(" to ");

/**
 * How far one draw of training rows moves the difference of two regimes' means, in points: least and most standard deviation of all pairs of regimes.
 * The tasks' draws are independent, so that of a mean comes from theirs; three draws of the mean itself would say little.
 * @returns {[number, number] | null}
 */
function spreadOfSubsets(sections, family) {
  const section = sectionFor(sections, "linear", 10, family);
  const regimes = [...(section?.runs.keys() ?? [])];
  const spreads = regimes.flatMap((a, i) => regimes.slice(i + 1).map((b) => [a, b])).flatMap(([a, b]) => {
    const seeds = commonSeeds(section.means.get(a), section.means.get(b));
    if (seeds.length === 0) return [];
    const of = (regime, task, subset) => mean(section.runs.get(regime).filter(({ seed }) => seed === null || seeds.includes(seed)).map(({ tasks }) => tasks.get(task)[subset].test));
    const variances = section.tasks.map((task) => deviation(SUBSETS.map((_, subset) => of(a, task, subset) - of(b, task, subset))) ** 2);
    return [(100 * Math.sqrt(variances.reduce((sum, value) => sum + value, 0))) / section.tasks.length];
  });
  return spreads.length === 0 ? null : [Math.min(...spreads), Math.max(...spreads)];
}
