// What the reference reads out of the OpenAPI document.
import { expect, test } from "vitest";
import document from "../../api/openapi.json";
import { readDocument, typeOf } from "./openapi";

test("our own document is read in full", () => {
  const { tags } = readDocument(document);
  const operations = tags.flatMap((tag) => tag.operations);
  const written = Object.values(document.paths).flatMap((item) => Object.keys(item));
  expect(operations.length).toBe(written.length);
  for (const operation of operations) {
    expect(operation.summary, operation.id).not.toBe("");
    expect(operation.answers.length, operation.id).toBeGreaterThan(3);
    for (const answer of operation.answers) expect(answer.description, operation.id).not.toBe("");
  }
  const edit = operations.find((operation) => operation.id === "videos_edit");
  expect(edit?.parameters.map((parameter) => parameter.name)).toContain("If-Match");
  const fields = Object.entries(edit?.body?.schema?.properties ?? {});
  expect(fields.map(([name]) => name)).toContain("title");
  expect(edit?.body?.example).toHaveProperty("title");
});

test("types are told in words", () => {
  expect(typeOf({ type: ["string", "null"], format: "date-time" })).toBe("date-time");
  expect(typeOf({ type: "array", items: { type: "integer" } })).toBe("list of integer");
  expect(typeOf({ type: "string", enum: ["a", "b"] })).toBe('one of "a", "b"');
});
