// Figures in words, and the drawing of series with gaps.
import { describe, expect, it } from "vitest";
import { isAlone, perMinute, runs, share, startup, tone, top, viewers } from "./measure";

describe("figures in words", () => {
  it.each([
    [null, "–"],
    [480, "480 ms"],
    [1630, "1.6 s"],
    [12_400, "12 s"],
  ] as const)("start-up %s", (ms, words) => expect(startup(ms)).toBe(words));
  it.each([
    [null, "–"],
    [0, "0 %"],
    [0.00001, "< 0.01 %"],
    [0.0042, "0.42 %"],
    [0.025, "2.5 %"],
    [0.5, "50 %"],
    [0.05, "5 %"],
  ] as const)("share %s", (ratio, words) => expect(share(ratio)).toBe(words));
  it("tells few viewers and switches by tenths", () => {
    expect([0, 0.01, 0.5, 12.4].map(viewers)).toEqual(["0", "< 0.1", "0.5", "12"]);
    expect([null, 0, 0.01, 1.25].map(perMinute)).toEqual(["–", "0", "< 0.1", "1.3"]);
  });
  it("warns before the line and complains behind it", () => {
    expect([null, 0.005, 0.009, 0.011].map((value) => tone(value, 0.01))).toEqual([
      undefined,
      undefined,
      "warn",
      "bad",
    ]);
  });
});

describe("series", () => {
  it("has a round top", () => {
    expect(top([1, null, 7.3], 0)).toBe(7.5);
    expect(top([0.002], 0.01)).toBeCloseTo(0.01);
    expect(top([], 0)).toBe(1);
    expect(top([3_200_000], 0)).toBe(4_000_000);
  });
  it("draws no line over gaps", () => {
    const values = [0, 10, null, 5];
    expect(runs(values, 10, 30, 100)).toEqual(["M0.0,100.0L10.0,0.0"]);
    expect(values.map((_, at) => isAlone(values, at))).toEqual([false, false, false, true]);
    expect(runs([null, null], 10, 30, 100)).toEqual([]);
  });
});
