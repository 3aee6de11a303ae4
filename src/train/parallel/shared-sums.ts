import type { Peers } from "../peers.ts";
import { shareOf } from "../peers.ts";
import { Meeting, meetingBytes } from "./meeting.ts";

/** Values that are summed at once: those of all peers stay in a core's cache while they are (1 MiB a peer). */
const SLICE = 1 << 18;

/** Plan of a peer that has done its work. */
const END = -1;

/** What peers share: structured cloning gives each the same memory. */
export interface SharedMemory {
  readonly size: number;
  readonly meeting: SharedArrayBuffer;
  /** f32 [size + 1][SLICE]: a row for what each peer gives, and one of sums. */
  readonly slices: SharedArrayBuffer;
}

export function shareMemory(size: number): SharedMemory {
  return { size, meeting: new SharedArrayBuffer(meetingBytes(size)), slices: new SharedArrayBuffer((size + 1) * SLICE * 4) };
}

/**
 * Sums through shared memory, slice after slice. Each peer adds up its share of a slice, rank 0's values first, and the others take the sums
 * from there: so every sum is made once and is the same in all, and the work is shared out.
 */
export class SharedSums implements Peers {
  readonly rank: number;
  readonly size: number;
  readonly meeting: Meeting;
  readonly #given: readonly Float32Array[];
  readonly #sums: Float32Array;

  constructor(rank: number, { size, meeting, slices }: SharedMemory) {
    this.rank = rank;
    this.size = size;
    this.meeting = new Meeting(meeting, size);
    this.#given = Array.from({ length: size }, (_, row) => new Float32Array(slices, row * SLICE * 4, SLICE));
    this.#sums = new Float32Array(slices, size * SLICE * 4, SLICE);
  }

  /** Blocks the thread until all have come. @throws RootstockError `worker-lost`, `argument-invalid` when the peers sum different numbers of values. */
  sum(values: Float32Array): void {
    if (this.size === 1) return;
    this.meeting.agree(this.rank, values.length);
    let first = 0;
    // None is a slice as well: nobody may plan anew while another still reads the plans.
    do this.#sumSlice(values.subarray(first, first + SLICE));
    while ((first += SLICE) < values.length);
  }

  /** Returns when all have done their work. */
  end(): void {
    this.meeting.agree(this.rank, END);
  }

  /**
   * Two meetings a slice are enough: what was given is read between the first and the second, sums between the second and the next
   * slice's first, and neither is written then.
   */
  #sumSlice(values: Float32Array): void {
    const { rank, size, meeting } = this;
    const sums = this.#sums;
    const share = (of: number): readonly [number, number] => shareOf({ rank: of, size }, values.length);
    const [first, end] = share(rank);
    const given = this.#given[rank]!;
    given.set(values.subarray(0, first));
    given.set(values.subarray(end), end);
    meeting.wait();
    for (let other = 0; other < size; other++) {
      const terms = other === rank ? values : this.#given[other]!;
      if (other === 0) sums.set(terms.subarray(first, end), first);
      else for (let i = first; i < end; i++) sums[i]! += terms[i]!;
    }
    meeting.wait();
    values.set(sums.subarray(0, values.length));
  }
}
