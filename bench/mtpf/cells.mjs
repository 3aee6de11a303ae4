// A cell of the table: RUN/PROTOCOL/TASK/SHARE, and /SUBSET where the share is not the whole.

export const PROTOCOLS = ["linear", "lora"];
export const SHARES = [100, 10];
/** Seeds of the draws at 10 %. */
export const SUBSETS = [1, 2, 3];
/** Regimes that the protocol "lora" is for. */
export const LORA_REGIMES = ["none", "naive", "groups-only", "task-primary", "shipped"];

/** @returns {{ protocol: string, task: string, share: number, subset: number | null }[]} */
export function cellsOf({ protocols, tasks, shares }) {
  const subsetsOf = (share) => (share === 100 ? [null] : SUBSETS);
  return protocols.flatMap((protocol) => tasks.flatMap((task) => shares.flatMap((share) => subsetsOf(share).map((subset) => ({ protocol, task, share, subset })))));
}

export function cellName({ protocol, task, share, subset }) {
  return [protocol, task, share, ...(subset === null ? [] : [subset])].join("/");
}

/** @param {string} name without its run @throws when there is no such cell */
export function readCell(name) {
  const [protocol, task, share, subset = null, ...rest] = name.split("/");
  const cell = { protocol, task, share: Number(share), subset: subset === null ? null : Number(subset) };
  const isKnown = PROTOCOLS.includes(protocol) && SHARES.includes(cell.share) && (cell.share === 100) === (subset === null) && rest.length === 0;
  if (isKnown && (subset === null || SUBSETS.includes(cell.subset))) return cell;
  throw new Error(`there is no cell ${name}; a cell is (${PROTOCOLS.join("|")})/TASK/100 or …/TASK/10/(${SUBSETS.join("|")})`);
}
