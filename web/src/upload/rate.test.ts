// Speed and time left.
import { expect, it } from "vitest";
import { addSample, type Sample, secondsLeft, speed } from "./rate";

const feed = (pairs: [number, number][]) =>
  pairs.reduce<Sample[]>((all, [at, bytes]) => addSample(all, { at, bytes }), []);

it("needs half a second", () => {
  expect(
    speed(
      feed([
        [0, 0],
        [400, 100],
      ]),
    ),
  ).toBeNull();
  expect(
    speed(
      feed([
        [0, 0],
        [500, 100],
      ]),
    ),
  ).toBe(200);
});

it("looks at the last five seconds only", () => {
  const slowThenFast = feed([
    [0, 0],
    [10_000, 1000],
    [15_000, 51_000],
    [16_000, 61_000],
  ]);
  expect(speed(slowThenFast)).toBe(10_000);
});

it("starts anew when the server had less than we thought", () => {
  const samples = feed([
    [0, 0],
    [1000, 5000],
    [2000, 3000],
  ]);
  expect(samples).toEqual([{ at: 2000, bytes: 3000 }]);
  expect(speed(samples)).toBeNull();
});

it("tells the time left", () => {
  expect(secondsLeft(1000, 500, 100)).toBe(5);
  expect(secondsLeft(1000, 1200, 100)).toBe(0);
  expect(secondsLeft(1000, 0, 0)).toBeNull();
  expect(secondsLeft(1000, 0, null)).toBeNull();
});
