import { RootstockError } from "../../errors.ts";

/** i32 in the shared words: how many have come to this meeting, how often all have met, and from here on what each is about to do. */
const [COME, MET, PLANS] = [0, 1, 2];
/** Instead of the number of meetings: there will be no more. */
const BROKEN = -1;

/** Bytes that `size` peers share to meet. */
export function meetingBytes(size: number): number {
  return (PLANS + size) * 4;
}

/**
 * Where all peers wait for each other. One word both counts the meetings and says that there will be no more, so a peer that is about
 * to sleep cannot miss the news. It blocks its thread, which must be a worker.
 */
export class Meeting {
  /** This peer was waiting, or came to wait, when there were no more meetings. */
  isBroken = false;
  readonly #words: Int32Array;
  readonly #size: number;

  constructor(bytes: SharedArrayBuffer, size: number) {
    this.#words = new Int32Array(bytes);
    this.#size = size;
  }

  /** Returns when all have come. @throws RootstockError `worker-lost` as soon as one will not. */
  wait(): void {
    const words = this.#words;
    const met = Atomics.load(words, MET);
    if (met === BROKEN) throw this.#broken();
    if (Atomics.add(words, COME, 1) === this.#size - 1) {
      Atomics.store(words, COME, 0);
      if (Atomics.compareExchange(words, MET, met, (met + 1) & 0x7fff_ffff) !== met) throw this.#broken();
      Atomics.notify(words, MET);
      return;
    }
    while (Atomics.load(words, MET) === met) Atomics.wait(words, MET, met);
    if (Atomics.load(words, MET) === BROKEN) throw this.#broken();
  }

  /**
   * Waits for all, and finds out whether they want the same.
   * @param plan what this peer does next: how many values it sums, or −1 when it has done its work
   * @throws RootstockError `argument-invalid`, in all of them, when they differ; `worker-lost`.
   */
  agree(rank: number, plan: number): void {
    Atomics.store(this.#words, PLANS + rank, plan);
    this.wait();
    for (let other = 0; other < this.#size; other++) {
      if (Atomics.load(this.#words, PLANS + other) === Atomics.load(this.#words, PLANS)) continue;
      throw new RootstockError(
        "argument-invalid",
        `the peers have gone apart: peer 0 ${this.#planOf(0)}, and peer ${other} ${this.#planOf(other)}. All must run the same program over the same rows with the same seed.`,
      );
    }
  }

  /** Wakes all that wait, with an error, and lets nobody wait any more. */
  break(): void {
    Atomics.store(this.#words, MET, BROKEN);
    Atomics.notify(this.#words, MET);
  }

  #planOf(rank: number): string {
    const plan = Atomics.load(this.#words, PLANS + rank);
    return plan < 0 ? "has ended" : `sums ${plan} values`;
  }

  #broken(): RootstockError {
    this.isBroken = true;
    return new RootstockError("worker-lost", `training together has ended: another of the ${this.#size} peers failed, was lost, or was stopped.`);
  }
}
