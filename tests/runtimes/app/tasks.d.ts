export declare function runTasks(
  loadEncoder: (source: string, options?: object) => Promise<unknown>,
  models: string,
  options?: object,
): Promise<{ kernel: string; results: unknown }>;
