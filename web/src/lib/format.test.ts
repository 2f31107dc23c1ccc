// What people read: clocks, sizes, rates, times.
import { describe, expect, it } from "vitest";
import { ago, bitrate, bytes, clock, countdown, left, percent, spokenClock, timeLeft, titleFromFile } from "./format";

describe("clock", () => {
  it.each([
    [0, "0:00"],
    [999, "0:00"],
    [61_000, "1:01"],
    [3_599_999, "59:59"],
    [3_723_000, "1:02:03"],
    [-5, "0:00"],
  ])("%d ms is %s", (ms, text) => expect(clock(ms)).toBe(text));
  it("speaks", () => {
    expect(spokenClock(3_661_000)).toBe("1 hour 1 minute 1 second");
    expect(spokenClock(0)).toBe("0 seconds");
  });
});

describe("units", () => {
  it.each([
    [0, "0 B"],
    [999, "999 B"],
    [1000, "1 kB"],
    [22_718_509, "22.7 MB"],
    [999_999, "1 MB"],
    [107_374_182_400, "107 GB"],
  ])("%d bytes are %s", (n, text) => expect(bytes(n)).toBe(text));
  it("rates", () => {
    expect(bitrate(2_500_000)).toBe("2.5 Mb/s");
    expect(bitrate(128_000)).toBe("128 kb/s");
  });
  it("time left", () => {
    expect(timeLeft(0.2)).toBe("1 s left");
    expect(timeLeft(59.4)).toBe("59 s left");
    expect(timeLeft(90)).toBe("2 min left");
    expect(timeLeft(7800)).toBe("2 h 10 min left");
    expect(timeLeft(Number.POSITIVE_INFINITY)).toBe("");
  });
  it("percent stays in its bounds", () => {
    expect(percent(5, 0)).toBe(0);
    expect(percent(15, 10)).toBe(100);
  });
});

describe("ago", () => {
  const now = Date.parse("2026-01-10T12:00:00Z");
  it.each([
    ["2026-01-10T11:59:30Z", "just now"],
    ["2026-01-10T11:00:00Z", "1 hour ago"],
    ["2026-01-09T11:00:00Z", "yesterday"],
    ["2025-01-09T11:00:00Z", "last year"],
  ])("%s is %s", (then, text) => expect(ago(then, now)).toBe(text));
});

it("makes a title out of a file name", () => {
  expect(titleFromFile("my_holiday-film.final.mp4")).toBe("My holiday film final");
  expect(titleFromFile(".mp4")).toBe(".mp4");
});

describe("left", () => {
  const now = Date.parse("2026-01-01T00:00:00Z");
  it.each([
    ["2026-01-31T00:00:00Z", "30 days left"],
    ["2026-01-02T01:00:00Z", "2 days left"],
    ["2026-01-01T23:00:00Z", "23 hours left"],
    ["2026-01-01T01:00:00Z", "1 hour left"],
    ["2026-01-01T00:20:00Z", "less than an hour left"],
    ["2025-12-31T00:00:00Z", "any moment now"],
  ])("until %s is %s", (until, text) => expect(left(until, now)).toBe(text));
});

describe("the countdown", () => {
  const at = "2026-12-24T18:00:00Z";
  const before = (seconds: number) => countdown(at, Date.parse(at) - seconds * 1000);
  it("has three parts from the largest one on", () => {
    expect(before(2 * 86_400 + 3 * 3600 + 60)).toEqual([
      { value: 2, unit: "days" },
      { value: 3, unit: "hours" },
      { value: 1, unit: "minute" },
    ]);
    expect(before(61)).toEqual([
      { value: 1, unit: "minute" },
      { value: 1, unit: "second" },
    ]);
  });
  it("ends", () => {
    expect([before(0), before(-5), countdown("nonsense", 0)]).toEqual([[], [], []]);
  });
});
