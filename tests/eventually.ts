import { vi } from "vitest";

/**
 * Waits until `check` throws no more: for what other threads, processes or sockets do, whose end no event tells. The bound is no promise
 * of time, it only names what hangs: a busy machine takes seconds for what a quiet one does in a millisecond.
 */
export function eventually(check: () => void | Promise<void>): Promise<void> {
  return vi.waitFor(check, { timeout: 120_000, interval: 2 });
}
