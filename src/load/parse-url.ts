/** `new URL`, or null for what is none. Not `URL.canParse`, which engines have three years later than WebAssembly SIMD. */
export function parseUrl(text: string | URL, base?: string | URL): URL | null {
  try {
    return new URL(text, base);
  } catch {
    return null;
  }
}
