// An undo puts back what was there, title by title, and nothing else.
import { expect, it } from "vitest";
import type { BulkAnswer, Video } from "../../../api/types";
import { touched, undoOf } from "./undo";

const video = (id: string, more: Partial<Video>) =>
  ({ id, revision: 3, tags: [], visibility: "private", ...more }) as Video;

it("knows the fields that are touched", () => {
  expect(touched({ ids: ["a"], add_tags: ["x"], changes: { language: "de" } })).toEqual(["language", "tags"]);
  expect(touched({ ids: ["a"], changes: { visibility: "public" } })).toEqual(["visibility", "publish_at"]);
});

it("puts back each title's own values, at the revision that the edit made", () => {
  const before = [video("a", { tags: ["x"] }), video("b", {}), video("c", {})];
  const answer = {
    changed: 2,
    refused: 1,
    results: [
      { id: "a", ok: true, video: video("a", { revision: 4 }) },
      { id: "b", ok: false },
      { id: "c", ok: true, video: video("c", { revision: 9 }) },
    ],
  } as unknown as BulkAnswer;
  expect(undoOf({ ids: ["a", "b", "c"], add_tags: ["y"] }, before, answer).edits).toEqual([
    { id: "a", revision: 4, changes: { tags: ["x"] } },
    { id: "c", revision: 9, changes: { tags: [] } },
  ]);
});

it("gives a schedule its time back", () => {
  const at = "2030-01-01T00:00:00.000Z";
  const before = [video("a", { visibility: "scheduled", publish_at: at }), video("b", { publish_at: null })];
  const answer = {
    results: [
      { id: "a", ok: true, video: video("a", { revision: 4 }) },
      { id: "b", ok: true, video: video("b", { revision: 4 }) },
    ],
  } as unknown as BulkAnswer;
  const { edits } = undoOf({ ids: ["a", "b"], changes: { visibility: "public" } }, before, answer);
  expect(edits?.map((edit) => edit.changes)).toEqual([
    { visibility: "scheduled", publish_at: at },
    { visibility: "private" },
  ]);
});
