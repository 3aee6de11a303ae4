/** Puts the extension into a folder. */
export function build(target: string): Promise<void>;
