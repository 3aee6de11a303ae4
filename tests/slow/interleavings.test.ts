// C1: 200,000 sequences of adding, replacing, removing, running, aborting and disposing.
import "../runtime/interleavings.property.test.ts";
