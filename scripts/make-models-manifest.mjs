// Writes models/MANIFEST: SHA-256 of every file of models/, as `sha256sum -c` reads it.
//   node scripts/make-models-manifest.mjs && (cd models && sha256sum -c MANIFEST)
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";

const files = readdirSync("models", { recursive: true })
  .map((name) => name.replaceAll("\\", "/"))
  .filter((name) => name !== "MANIFEST" && statSync(`models/${name}`).isFile())
  .sort();
const lines = files.map((name) => `${createHash("sha256").update(readFileSync(`models/${name}`)).digest("hex")}  ${name}\n`);
writeFileSync("models/MANIFEST", lines.join(""));
