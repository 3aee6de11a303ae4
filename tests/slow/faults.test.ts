// Section 4.3 with every allocation, every turn and more kills; npm test takes some of them.
import "../cli/convert-kill.test.ts";
import "../faults/every-turn.test.ts";
import "../faults/memory.test.ts";
