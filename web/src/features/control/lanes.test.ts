// How bars are laid out in lanes, and the words beside them.
import { expect, test } from "vitest";
import type { Farm } from "../../api/types";
import { type Bar, groups, place, ticks } from "./lanes";
import { cpuTime, encoderName, seriesOf, workerName } from "./words";

const bar = (key: string, started: number, ended: number): Bar => ({
  key,
  worker: "w",
  kind: "chunk",
  title: null,
  outcome: "done",
  started,
  ended,
  cpuMs: 0,
  error: null,
});

test("bars that overlap lie in different lanes, and lanes are used again", () => {
  const placed = place([bar("c", 2000, 3000), bar("a", 0, 2000), bar("b", 1000, 5000), bar("d", 3100, 4000)]);
  expect(placed.map(({ key, lane }) => [key, lane])).toEqual([
    ["a", 0],
    ["b", 1],
    ["c", 0],
    ["d", 0],
  ]);
});

test("workers have as many lanes as slots, also when they did nothing; those that are gone stay in the chart", () => {
  const worker = { name: "idle", slots: 3, jobs: [] };
  const attempt = {
    job_id: "1",
    worker: "gone",
    kind: "audio",
    video: null,
    outcome: "dead",
    started_at: "2026-01-01T00:10:00Z",
    ended_at: "2026-01-01T00:20:00Z",
    cpu_ms: 1,
    error: "no",
  };
  const farm = {
    since: "2026-01-01T00:00:00Z",
    at: "2026-01-01T01:00:00Z",
    workers: [worker],
    attempts: [attempt],
  } as unknown as Farm;
  expect(groups(farm).map(({ worker, lanes, isThere, bars }) => [worker, lanes, isThere, bars.length])).toEqual([
    ["idle", 3, true, 0],
    ["gone", 1, false, 1],
  ]);
});

test("the axis has a handful of full hours or minutes", () => {
  const at = Date.parse("2026-01-01T12:34:00Z");
  for (const hours of [1, 6, 24]) {
    const list = ticks(at - hours * 3_600_000, at);
    expect(list.length).toBeGreaterThan(4);
    expect(list.length).toBeLessThan(10);
    expect(list.every((tick) => tick % 600_000 === 0 && tick <= at)).toBe(true);
  }
});

test("words are short", () => {
  expect(workerName("farm-1")).toBe("farm-1");
  const machine = "0123456789abcdef0123456789abcdef";
  expect(workerName(`${machine} 01234567-89ab-cdef-0123-456789abcdef:/var/lib/kinora/work/worker0`)).toBe(
    "012345 work/worker0",
  );
  expect([seriesOf("audio-opus"), seriesOf("chunk-av1"), seriesOf("purge")]).toEqual(["audio", "chunk-av1", "other"]);
  expect([3.26, 45, 600, 7200].map(cpuTime)).toEqual(["3.3 s", "45 s", "10 min", "2 h"]);
});

test("encoders in hardware are named for people", () => {
  expect(encoderName("h264_nvenc")).toBe("H.264 by NVENC");
  expect(encoderName("hevc_vaapi:10")).toBe("HEVC by VAAPI, 10 bits");
});
