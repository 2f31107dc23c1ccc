// Live events in words, and points of their trend.
import { describe, expect, test } from "vitest";
import { joined } from "../../api/live";
import type { HealthPoint } from "../../api/types";
import { dvrName, dvrOptions } from "./words";

describe("how far one can go back", () => {
  test("is told in usual words, and otherwise as exactly as needed", () => {
    expect([0, 7200, 10_800, 600, 90].map(dvrName)).toEqual([
      "Not at all",
      "2 hours",
      "3 hours",
      "10 minutes",
      "90 seconds",
    ]);
    expect(dvrOptions(7200)).toHaveLength(5);
    expect(dvrOptions(600).map(({ value }) => value)).toEqual(["0", "600", "1800", "7200", "21600", "86400"]);
  });
});

test("points of a trend are joined without repeating", () => {
  const points = (...seconds: number[]) =>
    seconds.map((second) => ({ at: `2026-01-01T00:00:0${second}Z` }) as HealthPoint);
  const whole = joined([], points(1, 2, 3));
  expect(joined(whole, points(4)).map(({ at }) => at.slice(-2, -1))).toEqual(["1", "2", "3", "4"]);
  expect(joined(whole, points(2, 3, 4))).toHaveLength(4);
  expect(joined(whole, [])).toBe(whole);
});
