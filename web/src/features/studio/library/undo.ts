// The edits that undo a bulk edit: each title's own values of the fields that were changed.
import type { Bulk, Edit } from "../../../api/calls";
import type { BulkAnswer, Video } from "../../../api/types";

type Name = keyof Edit & keyof Video;

/** The fields that a bulk edit touches. */
export function touched(form: Bulk): Name[] {
  const names = new Set(Object.keys(form.changes ?? {}) as Name[]);
  if (form.add_tags?.length || form.remove_tags?.length) names.add("tags");
  if (form.add_genres?.length || form.remove_genres?.length) names.add("genres");
  // A schedule is visibility and time together.
  if (names.has("visibility") || names.has("publish_at")) names.add("visibility").add("publish_at");
  return [...names];
}

/** `before`: the titles as they were. Only those that were changed and that nobody has edited since are put back. */
export function undoOf(form: Bulk, before: readonly Video[], answer: BulkAnswer): Bulk {
  const names = touched(form);
  const edits = answer.results.flatMap(({ ok, video }) => {
    const old = before.find((one) => one.id === video?.id);
    if (!ok || !video || !old) return [];
    const changes = Object.fromEntries(
      names.filter((name) => name !== "publish_at" || old.visibility === "scheduled").map((name) => [name, old[name]]),
    ) as Edit;
    return [{ id: video.id, revision: video.revision, changes }];
  });
  return { edits };
}
