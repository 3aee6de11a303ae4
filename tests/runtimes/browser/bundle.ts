import { rolldown } from "rolldown";

/**
 * One script for a browser. A module finds the kernel binaries beside the package's code by `import.meta.url`; a classic script, as
 * some service workers still are, has no such thing, and takes its own address.
 */
export async function bundle(input: string, format: "esm" | "iife" = "esm"): Promise<string> {
  const build = await rolldown({
    input,
    platform: "browser",
    ...(format === "iife" ? { transform: { define: { "import.meta.url": "self.location.href" } } } : {}),
  });
  const { output } = await build.generate({ format, minify: true });
  if (output.length !== 1) throw new Error(`${input}: expected one file, got ${output.map(({ fileName }) => fileName).join(", ")}`);
  return output[0].code;
}
