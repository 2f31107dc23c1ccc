// Ranges of rows.
import { expect, it } from "vitest";
import { between } from "./selection";

const shown = ["a", "b", "c", "d"];

it("takes everything between two rows, either way", () => {
  expect(between(shown, "b", "d")).toEqual(["b", "c", "d"]);
  expect(between(shown, "d", "b")).toEqual(["b", "c", "d"]);
  expect(between(shown, "c", "c")).toEqual(["c"]);
});

it("takes the row alone when there is nothing to begin from", () => {
  expect(between(shown, null, "c")).toEqual(["c"]);
  expect(between(shown, "gone", "c")).toEqual(["c"]);
});
