// The pool's own worker, with a fault.
import "./fault.mjs";
import "../../dist/pool/worker.js";
