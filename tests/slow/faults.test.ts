// Every allocation and turn, more kills and more runs of hostile adapters; npm test takes some of them.
import "../cli/convert-kill.test.ts";
import "../faults/every-turn.test.ts";
import "../faults/memory.test.ts";
import "../tenants/adapters.test.ts";
