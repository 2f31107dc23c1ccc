// Failures become sentences whatever the server sends.
import { expect, it } from "vitest";
import { inWords, problemOf } from "./problem";

it("keeps the server's words", () => {
  const problem = problemOf(422, { title: "Invalid", detail: "The name is empty.", field: "name" });
  expect(problem.message).toBe("The name is empty.");
  expect(problem.fields).toEqual({ name: "The name is empty." });
});

it("keeps each field's own words, the code and the time", () => {
  const errors = [
    { field: "title", detail: "Too long." },
    { field: "tags", detail: "Too many." },
  ];
  expect(problemOf(422, { detail: "Too long. And 1 more to mend.", field: "title", errors }).fields).toEqual({
    title: "Too long.",
    tags: "Too many.",
  });
  const later = problemOf(403, { code: "not_yet_available", available_from: "2026-01-01T00:00:00.000Z" });
  expect([later.code, later.at]).toEqual(["not_yet_available", "2026-01-01T00:00:00.000Z"]);
});

it("finds words of its own for bodies that are no problem document", () => {
  for (const body of [undefined, null, "<html>", 7, []])
    expect(problemOf(404, body).message).toContain("does not exist");
  expect(problemOf(500, {}).message).toContain("Nothing was changed");
  expect(problemOf(418, {}).message).toBe("The request failed.");
});

it("says something about anything thrown", () => {
  expect(inWords(new Error("x"))).toBe("x");
  expect(inWords("x")).toBe("Something went wrong.");
});
