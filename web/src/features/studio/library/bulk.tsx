// Doing the same to many titles: the bar that appears with a selection, and what was refused.
import { useState } from "react";
import * as api from "../../../api/calls";
import { inWords } from "../../../api/problem";
import { keys, listsChanged, queryClient, updateVideo } from "../../../api/queries";
import type { BulkAnswer, Video } from "../../../api/types";
import { Button } from "../../../ui/basics";
import { Confirm, Dialog } from "../../../ui/overlay";
import { toast } from "../../../ui/toast";
import { ChangesForm } from "./changesform";
import type { Selection } from "./selection";
import { undoOf } from "./undo";

/** Most titles of one request. */
const MOST = 100;
const count = (n: number) => `${n} ${n === 1 ? "title" : "titles"}`;

type Refused = { title: string; why: string };

export function BulkBar({
  videos,
  selection,
  trash,
}: {
  videos: readonly Video[];
  selection: Selection;
  trash: boolean;
}) {
  const [editing, setEditing] = useState(false);
  const [asked, setAsked] = useState(false);
  const [busy, setBusy] = useState(false);
  const [refused, setRefused] = useState<Refused[]>([]);
  const chosen = videos.filter((video) => selection.has(video.id));
  const ids = chosen.map((video) => video.id);
  const tooMany = ids.length > MOST;

  /** `undo` makes what takes it back out of the answer; `null`: nothing does. */
  const run = async (form: api.Bulk, did: string, undo: ((answer: BulkAnswer) => api.Bulk) | null) => {
    setBusy(true);
    try {
      const answer = await send(form);
      setRefused(reasons(answer, chosen));
      if (answer.changed > 0) {
        const back = undo?.(answer);
        toast(
          `${count(answer.changed)} ${did}.`,
          back && {
            label: "Undo",
            run: () =>
              void send(back).then(
                (undone) => {
                  setRefused(reasons(undone, chosen));
                  toast(undone.refused ? `${count(undone.changed)} put back.` : "Undone.");
                },
                (error) => toast(`It could not be undone. ${inWords(error)}`),
              ),
          },
        );
        selection.all(false);
      }
      return true;
    } catch (error) {
      toast(`Nothing was changed. ${inWords(error)}`);
      return false;
    } finally {
      setBusy(false);
    }
  };
  const again = (action: "delete" | "restore") => (answer: BulkAnswer) => ({
    ids: answer.results.filter((result) => result.ok).map((result) => result.id),
    action,
  });

  return (
    <>
      {chosen.length > 0 && (
        <section className="save-bar bulk-bar" aria-label="Selected titles">
          <Button look="quiet" icon="close" aria-label="Select none" onClick={() => selection.all(false)} />
          <span role="status">{tooMany ? `${ids.length} selected, ${MOST} at most` : `${ids.length} selected`}</span>
          <span className="push" />
          {trash ? (
            <>
              <Button
                icon="retry"
                busy={busy}
                disabled={tooMany}
                onClick={() => void run({ ids, action: "restore" }, "restored", again("delete"))}
              >
                Restore
              </Button>
              <Button look="danger" icon="trash" disabled={busy || tooMany} onClick={() => setAsked(true)}>
                Delete for good
              </Button>
            </>
          ) : (
            <>
              <Button look="primary" icon="edit" disabled={busy || tooMany} onClick={() => setEditing(true)}>
                Edit
              </Button>
              <Button
                look="danger"
                icon="trash"
                busy={busy}
                disabled={tooMany}
                onClick={() => void run({ ids, action: "delete" }, "moved to the trash", again("restore"))}
              >
                Delete
              </Button>
            </>
          )}
        </section>
      )}
      <Dialog open={editing} onClose={() => setEditing(false)} title={`Edit ${count(ids.length)}`} wide>
        <ChangesForm
          busy={busy}
          onDone={async (form) => {
            const whole = { ...form, ids };
            if (await run(whole, "changed", (answer) => undoOf(whole, chosen, answer))) setEditing(false);
          }}
        />
      </Dialog>
      <Dialog open={refused.length > 0} onClose={() => setRefused([])} title={`${count(refused.length)} not changed`}>
        <ul className="refused">
          {refused.map(({ title, why }) => (
            <li key={title + why}>
              <b>{title}</b>
              <span>{why}</span>
            </li>
          ))}
        </ul>
      </Dialog>
      <Confirm
        open={asked}
        title={`Delete ${count(ids.length)} for good?`}
        yes="Delete for good"
        danger
        onAnswer={(yes) => {
          setAsked(false);
          if (yes) void run({ ids, action: "delete_forever" }, "gone for good", null);
        }}
      >
        Their original files and all their renditions are removed at once. This cannot be undone.
      </Confirm>
    </>
  );
}

async function send(form: api.Bulk): Promise<BulkAnswer> {
  const answer = await api.bulk(form);
  for (const { video } of answer.results) {
    if (!video) continue;
    updateVideo(video);
    void queryClient.invalidateQueries({ queryKey: keys.changes(video.id) });
  }
  listsChanged();
  return answer;
}

function reasons(answer: BulkAnswer, of: readonly Video[]): Refused[] {
  return answer.results
    .filter((result) => !result.ok)
    .map(({ id, problem }) => ({
      title: of.find((video) => video.id === id)?.title ?? "A title",
      why: problem?.errors?.map((error) => error.detail).join(" ") || problem?.detail || "It was refused.",
    }));
}
