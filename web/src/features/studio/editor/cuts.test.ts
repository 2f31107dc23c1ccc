// Parts that stay, and times as they are typed.
import { expect, test } from "vitest";
import { cutOut, exactClock, isWhole, keepOnly, length, next, readClock } from "./cuts";

const part = (start_ms: number, end_ms: number) => ({ start_ms, end_ms });

test("parts are kept and cut out", () => {
  const whole = [part(0, 10_000)];
  expect(isWhole(whole, 10_000)).toBe(true);
  const trimmed = keepOnly(whole, part(1000, 9000));
  expect(trimmed).toEqual([part(1000, 9000)]);
  const holed = cutOut(trimmed, part(3000, 4000));
  expect(holed).toEqual([part(1000, 3000), part(4000, 9000)]);
  expect(length(holed)).toBe(7000);
  expect(cutOut(holed, part(2000, 5000))).toEqual([part(1000, 2000), part(5000, 9000)]);
  expect(cutOut(holed, part(0, 10_000))).toEqual([]);
  expect(keepOnly(holed, part(3500, 8000))).toEqual([part(4000, 8000)]);
  expect(cutOut(whole, part(50, 10_000))).toEqual([]);
});

test("playing goes on with what stays", () => {
  const keep = [part(1000, 3000), part(4000, 9000)];
  expect([0, 1000, 2999, 3000, 8999, 9000].map((at) => next(keep, at))).toEqual([1000, 1000, 2999, 4000, 8999, null]);
});

test("times are told and read", () => {
  expect([0, 61_040, 3_723_450].map(exactClock)).toEqual(["0:00.000", "1:01.040", "1:02:03.450"]);
  expect(["90", "1:30", "1:02:03.45", " 0:01,5 ", ".5", "a", "1:2:3:4", ""].map(readClock)).toEqual([
    90_000,
    90_000,
    3_723_450,
    1500,
    null,
    null,
    null,
    null,
  ]);
});
