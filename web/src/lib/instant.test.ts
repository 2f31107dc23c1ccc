// Instants survive the way through an input, whatever the time zone of the machine.
import { expect, it } from "vitest";
import { fromLocal, toLocal } from "./instant";

it("reads back what it shows", () => {
  for (const instant of ["2026-01-01T00:00:00.000Z", "2026-07-01T21:30:00.000Z", "1999-12-31T23:59:00.000Z"])
    expect(fromLocal(toLocal(instant))).toBe(instant);
});

it("takes nothing for nothing", () => {
  expect(toLocal(null)).toBe("");
  expect(toLocal("nonsense")).toBe("");
  for (const text of ["", "2026", "2026-13-01T00:00", "tomorrow"]) expect(fromLocal(text)).toBeNull();
});
