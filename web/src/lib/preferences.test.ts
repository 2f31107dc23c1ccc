// Stored preferences may be old, partial or foreign.
import { beforeAll, describe, expect, it, vi } from "vitest";

vi.stubGlobal("matchMedia", () => ({ matches: false, addEventListener: () => {} }));
vi.stubGlobal("navigator", {});
let read: typeof import("./preferences").readPreferences;
beforeAll(async () => {
  read = (await import("./preferences")).readPreferences;
});

describe("preferences", () => {
  it("fills what is missing", () => {
    const found = read('{"saver":true,"style":{"size":150}}');
    expect(found.saver).toBe(true);
    expect(found.style.size).toBe(150);
    expect(found.style.font).toBe("sans");
    expect(found.autoplayNext).toBe(true);
  });
  it("does not believe other kinds", () => {
    const found = read('{"saver":"yes","speed":null,"style":7,"__proto__":{"x":1}}');
    expect(found.saver).toBe(false);
    expect(found.speed).toBe(1);
    expect(found.style.colour).toBe("#ffffff");
    expect(read("not json").captions).toBe(false);
  });
});
