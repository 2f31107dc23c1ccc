// The edit that the dialog's choices stand for: what is left as it is is not sent.
import { expect, it } from "vitest";
import { type Chosen, editOf, nothing } from "./changes";

const edit = (chosen: Partial<Chosen>) => editOf({ ...nothing, ...chosen });
const lists = { add_genres: [], add_tags: [], remove_tags: [] };
const at = "2030-01-01T00:00:00.000Z";

it("is none while nothing is chosen", () => {
  expect(edit({})).toBeNull();
  expect(edit({ addTags: ["a"] })).toEqual({ ...lists, add_tags: ["a"] });
});

it("names only what is changed", () => {
  expect(edit({ visibility: "private", rating: "PG" })?.changes).toEqual({
    visibility: "private",
    maturity_rating: "PG",
  });
});

it("schedules with a time, and only with one", () => {
  expect(edit({ visibility: "scheduled" })).toBeNull();
  expect(edit({ visibility: "scheduled", publishAt: at })?.changes).toEqual({
    visibility: "scheduled",
    publish_at: at,
  });
  expect(edit({ visibility: "public", publishAt: at })?.changes).toEqual({ visibility: "public" });
});

it("sets both ends of the time in which titles play, or neither", () => {
  expect(edit({ plays: "between" })).toBeNull();
  expect(edit({ plays: "between", until: at })?.changes).toEqual({ available_from: null, available_until: at });
  expect(edit({ plays: "always", until: at })?.changes).toEqual({ available_from: null, available_until: null });
});

it("says where titles play", () => {
  expect(edit({ where: "only" })).toBeNull();
  expect(edit({ where: "only", countries: ["AT"] })?.changes).toEqual({ countries: ["AT"] });
  expect(edit({ where: "everywhere", countries: ["AT"] })?.changes).toEqual({ countries: null });
});
