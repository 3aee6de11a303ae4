/** What runtime.mjs prints on every runtime. */
export const EXPECTED = `1 peers 0e08c0a3204e038efb1efbcab50e08cf9cf472ebcd08360bc9820a6a18af2e73
2 peers a1b08d8d48043c0d2bc0d3024ca41692fc941cfcb5851fb3b9bb2081a36be65a
3 peers 900a1bc2cde74d755353584f185632aadb5d010f225d9ff1766d5326f62ea439
throw 0: RangeError undefined thrown by a peer
throw 2: RangeError undefined thrown by a peer
exit 0: RootstockError worker-lost peer 0 of 3 was lost: it ended with exit code 3. Nothing of this run was kept but its checkpoint; run it again.
exit 2: RootstockError worker-lost peer 2 of 3 was lost: it ended with exit code 3. Nothing of this run was kept but its checkpoint; run it again.
timer throws 0: RootstockError worker-lost peer 0 of 3 was lost: it threw thrown in a timer. Nothing of this run was kept but its checkpoint; run it again.
timer throws 2: RootstockError worker-lost peer 2 of 3 was lost: it threw thrown in a timer. Nothing of this run was kept but its checkpoint; run it again.
waits for nothing 0: RootstockError worker-lost peer 0 of 3 was lost: it ended with exit code 0. Nothing of this run was kept but its checkpoint; run it again.
waits for nothing 2: RootstockError worker-lost peer 2 of 3 was lost: it ended with exit code 0. Nothing of this run was kept but its checkpoint; run it again.
sums too much 0: RootstockError argument-invalid the peers have gone apart: peer 0 sums 1000000 values, and peer 1 sums 300000 values. All must run the same program over the same rows with the same seed.
sums too much 2: RootstockError argument-invalid the peers have gone apart: peer 0 sums 300000 values, and peer 2 sums 1000000 values. All must run the same program over the same rows with the same seed.
AbortError
full true true
adapter true true
`;
