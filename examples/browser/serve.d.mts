/** Starts the demonstration's server on the loopback interface. */
export function serve(port?: number): Promise<{ address: string; stop: () => void }>;
