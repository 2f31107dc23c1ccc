// Failures of playback in words.
import { expect, it } from "vitest";
import { Problem } from "../api/problem";
import { explain, statusOf } from "./errors";

const bad = (status: number) => ({ severity: 2, category: 1, code: 1001, data: ["http://x/1.m4s", status] });

it("tells an expired permission from a missing part and a failing server", () => {
  expect(statusOf(bad(403))).toBe(403);
  expect(explain(bad(403))).toEqual({
    text: expect.stringContaining("permission"),
    code: "PLAY-1001-403",
    retry: true,
  });
  expect(explain(bad(404)).text).toContain("missing");
  expect(explain(bad(503)).text).toContain("server failed");
});

it("tells a lost connection", () => {
  expect(explain({ category: 1, code: 1002 })).toEqual({
    text: expect.stringContaining("connection"),
    code: "PLAY-1002",
    retry: true,
  });
});

it("offers no retry where none can help", () => {
  expect(explain(new Problem(404, "", "")).retry).toBe(false);
  expect(explain({ category: 4, code: 4032 }).retry).toBe(false);
});

it("has words for anything", () => {
  expect(explain(undefined).code).toBe("APP-1");
});
