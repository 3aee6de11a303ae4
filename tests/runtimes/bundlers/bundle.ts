import { cpSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { build as esbuild, type BuildOptions } from "esbuild";
import { createServer, build as vite } from "vite";
import webpack, { type Configuration } from "webpack";

/** Bundles a source of the installed app into a new folder outside of it, so that nothing is found beside the code by chance. */
export type Bundle = (app: string, source: string, name: string) => Promise<string>;

function outputFolder(app: string, name: string): string {
  const folder = join(dirname(app), name);
  mkdirSync(folder);
  return folder;
}

/** Writes `main.js`. */
export function withEsbuild(options: BuildOptions): Bundle {
  return async (app, source, name) => {
    const folder = outputFolder(app, name);
    await esbuild({ entryPoints: { main: join(app, source) }, outdir: folder, bundle: true, format: "esm", target: "es2022", minify: true, logLevel: "error", ...options });
    return folder;
  };
}

/** Writes `main.mjs`, and the files that the code names by `new URL(…, import.meta.url)`. */
export function withWebpack(target: string): Bundle {
  return async (app, source, name) => {
    const folder = outputFolder(app, name);
    const configuration: Configuration = {
      mode: "production",
      target,
      context: app,
      entry: { main: join(app, source) },
      output: { path: folder, filename: "[name].mjs", module: true, chunkFormat: "module" },
      experiments: { outputModule: true },
    };
    await new Promise<void>((resolve, reject) => {
      const compiler = webpack(configuration);
      compiler?.run((error, stats) => {
        compiler.close(() => undefined);
        if (error !== null) reject(error);
        else if (stats?.hasErrors() || stats?.hasWarnings()) reject(new Error(stats.toString({ colors: false })));
        else resolve();
      });
    });
    return folder;
  };
}

/** Writes `main.js`, with its files below `assets/`. */
export const withVite: Bundle = async (app, source, name) => {
  const folder = outputFolder(app, name);
  await vite({
    root: app,
    configFile: false,
    logLevel: "error",
    build: { outDir: folder, target: "es2022", modulePreload: false, rolldownOptions: { input: { main: join(app, source) }, output: { entryFileNames: "[name].js" } } },
  });
  return folder;
};

/** Vite's development server over a folder of its own: the app's package, its models as public files, one page. */
export async function viteServer(app: string, source: string): Promise<{ url: string; close(): Promise<void> }> {
  const root = outputFolder(app, `dev-${source}`);
  for (const file of [source, "tasks.js", "package.json"]) cpSync(join(app, file), join(root, file));
  symlinkSync(join(app, "node_modules"), join(root, "node_modules"));
  mkdirSync(join(root, "public"));
  cpSync(join(app, "node_modules/rootstock/models"), join(root, "public/models"), { recursive: true });
  writeFileSync(join(root, "index.html"), `<!doctype html><title>page</title><link rel="icon" href="data:,"><script type="module" src="/${source}"></script>`);
  const server = await createServer({
    root,
    configFile: false,
    logLevel: "error",
    cacheDir: join(root, ".vite"),
    server: { host: "127.0.0.1", port: 0, hmr: false, ws: false, fs: { allow: [root, app] } },
  });
  await server.listen();
  return { url: server.resolvedUrls!.local[0]!, close: () => server.close() };
}
