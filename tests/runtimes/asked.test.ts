import { afterEach, describe, expect, it, vi } from "vitest";
import { runtime } from "./asked.ts";

const absent = (): undefined => undefined;
const present = (): string => "/bin/runtime";
afterEach(() => void vi.unstubAllEnvs());

describe("a runtime", () => {
  it("that nobody asked for by name is tested where it is, and skipped with a word where it is not", () => {
    vi.stubEnv("ROOTSTOCK_RUNTIMES", "");
    expect(runtime("chromium", present)).toEqual({ path: "/bin/runtime", why: "" });
    expect(runtime("chromium", absent)).toEqual({ path: null, why: " (skipped: chromium is not installed here)" });
  });

  it("that was asked for by name fails where it is not, and others are left out", () => {
    vi.stubEnv("ROOTSTOCK_RUNTIMES", "chromium,workerd");
    expect(runtime("chromium", present).path).toBe("/bin/runtime");
    expect(() => runtime("chromium", absent)).toThrow(/asks for chromium, which is not installed/);
    expect(runtime("bun", present)).toEqual({ path: null, why: " (not asked for)" });
  });

  it("that does not exist is refused", () => {
    vi.stubEnv("ROOTSTOCK_RUNTIMES", "chrome");
    expect(() => runtime("chromium", present)).toThrow(/no "chrome"/);
  });
});
