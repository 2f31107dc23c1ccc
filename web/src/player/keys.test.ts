// Keys and speeds, on a session that only records.
import { describe, expect, it, vi } from "vitest";
import { nextRate, press } from "./keys";
import type { PlayerSession } from "./session";

function fake(state: object = {}) {
  const now = { rate: 1, volume: 0.5, muted: false, duration: 100, available: 100, from: 0, paused: false, texts: [], ...state };
  const calls = { toggle: vi.fn(), skip: vi.fn(), seek: vi.fn(), setRate: vi.fn(), setVolume: vi.fn() };
  return { session: { state: { get: () => now }, ...calls } as unknown as PlayerSession, calls };
}
const extra = () => ({ full: vi.fn(), help: vi.fn(), said: vi.fn() });
const key = (name: string, more: object = {}) => ({
  key: name,
  altKey: false,
  ctrlKey: false,
  metaKey: false,
  ...more,
});

describe("keys", () => {
  it.each([
    [" ", "toggle", []],
    ["K", "toggle", []],
    ["j", "skip", [-10]],
    ["ArrowRight", "skip", [5]],
    ["5", "seek", [50]],
    ["0", "seek", [0]],
    [">", "setRate", [1.25]],
    ["<", "setRate", [0.75]],
    ["ArrowUp", "setVolume", [0.55]],
  ] as const)("%s", (name, method, args) => {
    const { session, calls } = fake();
    expect(press(key(name), session, extra())).toBe(true);
    expect(calls[method]).toHaveBeenCalledExactlyOnceWith(...args);
  });

  it("leaves the browser's own shortcuts and other keys alone", () => {
    const { session, calls } = fake();
    expect(press(key("l", { ctrlKey: true }), session, extra())).toBe(false);
    expect(press(key("x"), session, extra())).toBe(false);
    expect(press(key("toString"), session, extra())).toBe(false);
    expect(calls.skip).not.toHaveBeenCalled();
  });

  it("goes to tenths of what can be played while the title grows", () => {
    const { session, calls } = fake({ duration: 600, available: 60 });
    press(key("5"), session, extra());
    expect(calls.seek).toHaveBeenCalledWith(30);
  });
});

it("speeds stay on their scale", () => {
  expect(nextRate(2, 1)).toBe(2);
  expect(nextRate(0.5, -1)).toBe(0.5);
  expect(nextRate(1.1, 1)).toBe(1.5);
});
