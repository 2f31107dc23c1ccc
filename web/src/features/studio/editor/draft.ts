// The editor's unsaved changes: only what differs is sent, based on the revision that was read. A draft outlives the
// back button and a reload of the tab.
import { useEffect, useState } from "react";
import * as api from "../../../api/calls";
import { inWords, Problem } from "../../../api/problem";
import { keys, listsChanged, queryClient, updateVideo } from "../../../api/queries";
import type { Video } from "../../../api/types";
import { toast } from "../../../ui/toast";

/** The fields that the editor edits, by their names in the API. */
const names = [
  "title",
  "description",
  "attribution",
  "kind",
  "genres",
  "tags",
  "cast",
  "directors",
  "language",
  "release_year",
  "maturity_rating",
  "visibility",
  "publish_at",
  "available_from",
  "available_until",
  "countries",
] as const satisfies readonly (keyof Video & keyof api.Edit)[];
type Name = (typeof names)[number];
type Words = Pick<Video, Name>;
export type Draft = Words;
export type Form = ReturnType<typeof useDraft>;
type Kept = { revision: number; words: Words; change: Partial<Draft> };

const wordsOf = (of: Words): Words => Object.fromEntries(names.map((name) => [name, of[name]])) as Words;
const equal = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);
const same = (a: Words, b: Words) => equal(wordsOf(a), wordsOf(b));

const storage = (id: string) => `kinora-draft ${id}`;

function read(id: string): Kept | null {
  try {
    const kept = JSON.parse(sessionStorage.getItem(storage(id)) ?? "null") as Kept | null;
    return kept &&
      typeof kept.revision === "number" &&
      typeof kept.words === "object" &&
      typeof kept.change === "object"
      ? kept
      : null;
  } catch {
    return null;
  }
}
function write(id: string, kept: Kept | null) {
  try {
    if (kept) sessionStorage.setItem(storage(id), JSON.stringify(kept));
    else sessionStorage.removeItem(storage(id));
  } catch {
    // The draft then lives as long as the page.
  }
}

export function useDraft(video: Video) {
  const [former] = useState(() => read(video.id));
  const [change, setChange] = useState<Partial<Draft>>(former?.change ?? {});
  const [base, setBase] = useState(former ?? { revision: video.revision, words: wordsOf(video) });
  const [busy, setBusy] = useState(false);
  const [conflict, setConflict] = useState(false);
  const [error, setError] = useState<unknown>(null);

  const saved: Draft = wordsOf(video);
  const draft: Draft = { ...saved, ...change };
  const changed = Object.fromEntries(
    Object.entries(change).filter(([name, value]) => !equal(value, saved[name as keyof Draft])),
  ) as Partial<Draft>;
  const dirty = Object.keys(changed).length > 0;

  // Without changes of ours, progress and other people's edits are simply taken over.
  useEffect(() => {
    if (!dirty) setBase({ revision: video.revision, words: wordsOf(video) });
  }, [dirty, video]);
  const text = JSON.stringify(changed);
  useEffect(
    () =>
      write(
        video.id,
        text === "{}"
          ? null
          : { revision: base.revision, words: base.words, change: JSON.parse(text) as Partial<Draft> },
      ),
    [video.id, text, base],
  );

  const reset = () => {
    setChange({});
    setConflict(false);
    setError(null);
  };
  /** Gives the fields that are wrong; none when all is saved. */
  const save = async (): Promise<Record<string, string>> => {
    if (!dirty || busy) return {};
    setBusy(true);
    setError(null);
    try {
      const edit: api.Edit = { ...changed };
      // A time to publish belongs to a schedule alone.
      if (draft.visibility !== "scheduled") delete edit.publish_at;
      const after = await api.editVideo(video.id, edit, base.revision).catch(async (failed: unknown) => {
        // The workflow moves the revision too. When nobody touched the words, ours simply go on top.
        if (!(failed instanceof Problem && failed.status === 412)) throw failed;
        const now = await api.video(video.id);
        if (!same(now, base.words)) throw failed;
        return api.editVideo(video.id, edit, now.revision);
      });
      updateVideo(after);
      setBase({ revision: after.revision, words: wordsOf(after) });
      reset();
      listsChanged();
      void queryClient.invalidateQueries({ queryKey: keys.changes(video.id) });
      toast("Saved.");
    } catch (failed) {
      if (failed instanceof Problem && failed.status === 412) {
        const theirs = await queryClient
          .fetchQuery({ queryKey: keys.video(video.id), queryFn: () => api.video(video.id), staleTime: 0 })
          .catch(() => null);
        if (theirs) setBase({ revision: theirs.revision, words: wordsOf(theirs) });
        setConflict(true);
      } else setError(failed);
      return failed instanceof Problem ? failed.fields : {};
    } finally {
      setBusy(false);
    }
    return {};
  };
  const fields = error instanceof Problem ? error.fields : {};
  return {
    draft,
    dirty,
    busy,
    conflict,
    fields,
    restored: former !== null,
    failure: error !== null && Object.keys(fields).length === 0 ? `It was not saved. ${inWords(error)}` : null,
    set: (more: Partial<Draft>) => setChange((now) => ({ ...now, ...more })),
    reset,
    save,
  };
}
