/** Starts the demonstration's server on the loopback interface. */
export function serve(port?: number, more?: ReadonlyMap<string, string>): Promise<{ address: string; stop: () => void }>;
