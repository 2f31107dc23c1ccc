// Who changed what of the title, when; each value can be brought back.
import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import * as api from "../../../api/calls";
import { inWords } from "../../../api/problem";
import { keys, listsChanged, queryClient, updateVideo } from "../../../api/queries";
import type { Change, Video } from "../../../api/types";
import { exact } from "../../../lib/format";
import { countryName, languageName } from "../../../lib/names";
import { Button, Empty, Failure, Skeleton, When } from "../../../ui/basics";
import { toast } from "../../../ui/toast";
import { visibilities } from "../state";
import type { Form } from "./draft";

const names: Record<string, string> = {
  title: "Title",
  description: "Description",
  attribution: "Credit",
  kind: "Kind",
  genres: "Genres",
  tags: "Tags",
  cast: "Cast",
  directors: "Directors",
  language: "Spoken language",
  release_year: "Release year",
  maturity_rating: "Maturity rating",
  visibility: "Visibility",
  publish_at: "Becomes public",
  available_from: "Plays from",
  available_until: "Plays until",
  countries: "Countries",
  poster_id: "Poster",
};

/** A stored value as people read it. */
export function shown(field: string, value: unknown): string {
  if (value === null || value === "" || (Array.isArray(value) && value.length === 0)) return "nothing";
  if (Array.isArray(value)) {
    const one = (item: unknown) => {
      if (typeof item === "object" && item !== null && "name" in item) {
        const { name, role } = item as { name: string; role?: string };
        return role ? `${name} (${role})` : name;
      }
      return field === "countries" ? countryName(String(item)) : String(item);
    };
    return value.map(one).join(", ");
  }
  const text = String(value);
  if (["publish_at", "available_from", "available_until"].includes(field)) return exact(text);
  if (field === "language") return languageName(text);
  if (field === "visibility") return visibilities[text as Video["visibility"]]?.label ?? text;
  if (field === "poster_id") return "another picture";
  return text;
}

/** Can the value before this change be set by itself? */
function restorable(change: Change): boolean {
  if (!(change.field in names)) return false;
  if (change.field === "poster_id") return change.from !== null;
  // A schedule has passed or needs its time: that is set in its own tab.
  return change.field !== "publish_at" && !(change.field === "visibility" && change.from === "scheduled");
}

/** Changes of one edit together. */
function edits(changes: readonly Change[]): Change[][] {
  const groups: Change[][] = [];
  for (const change of changes) {
    const last = groups.at(-1);
    if (last?.[0]?.revision === change.revision) last.push(change);
    else groups.push([change]);
  }
  return groups;
}

export function History({ video, form }: { video: Video; form: Form }) {
  const [busy, setBusy] = useState("");
  const list = useInfiniteQuery({
    queryKey: [...keys.changes(video.id), video.revision],
    queryFn: ({ pageParam }) => api.changes(video.id, pageParam),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    placeholderData: (before) => before,
  });
  const restore = async (change: Change) => {
    setBusy(change.id);
    try {
      const edit = { [change.field]: change.from } as api.Edit;
      updateVideo(await api.editVideo(video.id, edit, video.revision));
      listsChanged();
      toast(`${names[change.field]} is as it was.`);
    } catch (error) {
      toast(`It was not restored. ${inWords(error)}`);
    } finally {
      setBusy("");
      void queryClient.invalidateQueries({ queryKey: keys.changes(video.id) });
    }
  };
  const groups = edits(list.data?.pages.flatMap((page) => page.items) ?? []);
  return (
    <section className="panel" aria-labelledby="history">
      <h2 id="history">History</h2>
      {form.dirty && groups.length > 0 && (
        <p className="muted small">Save or discard your changes to restore a value from here.</p>
      )}
      {list.isPending ? (
        <Skeleton height="160px" />
      ) : list.isError ? (
        <Failure what="The history could not be loaded" error={list.error} retry={() => void list.refetch()} />
      ) : groups.length === 0 ? (
        <Empty icon="history" title="Nothing was changed yet">
          Every edit appears here with what it replaced.
        </Empty>
      ) : (
        <ol className="edits">
          {groups.map((changes) => (
            <li key={changes[0]?.id}>
              <header>
                <b>{changes[0]?.by ? (changes[0].by.name ?? "A former member") : "Kinora"}</b>
                <span className="muted small">{changes[0] && <When at={changes[0].at} />}</span>
              </header>
              <ul>
                {changes.map((change) => (
                  <li key={change.id}>
                    <What change={change} />
                    {restorable(change) && (
                      <Button
                        size="small"
                        look="quiet"
                        disabled={form.dirty || video.deleted_at !== null}
                        busy={busy === change.id}
                        aria-label={`Restore ${names[change.field]} to ${shown(change.field, change.from)}`}
                        onClick={() => void restore(change)}
                      >
                        Restore
                      </Button>
                    )}
                  </li>
                ))}
              </ul>
            </li>
          ))}
        </ol>
      )}
      {list.hasNextPage && (
        <Button busy={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
          Show more
        </Button>
      )}
    </section>
  );
}

function What({ change }: { change: Change }) {
  if (change.field === "trashed")
    return <span className="what">{change.to ? "Moved to the trash" : "Taken out of the trash"}</span>;
  return (
    <span className="what">
      <span className="small muted">{names[change.field] ?? change.field}</span>
      <span>
        <del>{shown(change.field, change.from)}</del> <ins>{shown(change.field, change.to)}</ins>
      </span>
    </span>
  );
}
