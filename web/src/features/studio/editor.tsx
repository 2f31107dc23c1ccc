// The title editor: details, visibility, poster, what was made of the file, and deleting with undo.
import "./studio.css";
import { useQuery } from "@tanstack/react-query";
import { Link, useLocation } from "wouter";
import * as api from "../../api/calls";
import { useVideoEvents } from "../../api/events";
import { Problem } from "../../api/problem";
import { keys, useVideo } from "../../api/queries";
import type { Video } from "../../api/types";
import { bitrate, bytes, clock } from "../../lib/format";
import { warmWatch } from "../../player/warm";
import { useUnsaved } from "../../shell/guard";
import { NotFound } from "../../shell/notfound";
import { Area, Button, Choices, Failure, Field, Notice, Skeleton, useTitle, When } from "../../ui/basics";
import { Icon } from "../../ui/icon";
import { Poster } from "../../ui/poster";
import { cancelWork, remove, restore, retryWork } from "./actions";
import { type Draft, useDraft } from "./draft";
import { StateOf, visibilities } from "./state";
import { Steps } from "./steps";

export default function EditorPage({ id }: { id: string }) {
  const query = useVideo(id);
  useTitle(query.data?.title ?? "Edit");
  useVideoEvents(id, query.isSuccess);
  if (query.isPending)
    return (
      <div className="page" role="status" aria-label="Loading">
        <Skeleton width="40%" height="32px" />
        <div className="editor">
          <Skeleton height="480px" />
          <Skeleton height="320px" />
        </div>
      </div>
    );
  if (query.isError || !query.data.can_manage) {
    const gone =
      !query.isError || (query.error instanceof Problem && (query.error.status === 404 || query.error.status === 403));
    if (gone) return <NotFound what="This title cannot be edited" why="It does not exist, or is not yours." />;
    return (
      <div className="page">
        <Failure whole what="The title could not be loaded" error={query.error} retry={() => void query.refetch()} />
      </div>
    );
  }
  return <Editor video={query.data} />;
}

function Editor({ video }: { video: Video }) {
  const form = useDraft(video);
  const [, navigate] = useLocation();
  useUnsaved(form.dirty);
  const trashed = video.deleted_at !== null;
  const busy =
    video.state === "uploading" || video.state === "processing" || (video.state === "ready" && !video.complete);
  return (
    <form
      className="page"
      onSubmit={(event) => {
        event.preventDefault();
        void form.save();
      }}
    >
      <div className="page-head">
        <Link href="/studio" className="btn quiet icon" aria-label="Back to the library">
          <Icon name="left" />
        </Link>
        <h1 className="editor-title">{video.title}</h1>
        <StateOf video={video} />
        <span className="push" />
        {video.state === "ready" && (
          <Link
            href={`/watch/${video.id}`}
            className="btn"
            onPointerEnter={() => warmWatch()}
            onClick={() => warmWatch(video.id)}
          >
            <Icon name="play" />
            Watch
          </Link>
        )}
        <Button type="submit" look="primary" className="save-top" disabled={!form.dirty || trashed} busy={form.busy}>
          Save
        </Button>
      </div>
      {trashed && (
        <Notice tone="accent" icon="trash">
          <div className="line">
            This title is in the trash.
            <Button size="small" className="push" onClick={() => void restore(video)}>
              Restore
            </Button>
          </div>
        </Notice>
      )}
      {form.conflict && <Conflict form={form} video={video} />}
      {form.failure && <Notice tone="bad">{form.failure}</Notice>}
      <div className="editor">
        <div className="stack">
          <section className="panel" aria-labelledby="details">
            <h2 id="details">Details</h2>
            <Field
              label="Title"
              required
              maxLength={200}
              value={form.draft.title}
              wrong={form.fields.title}
              onChange={(event) => form.set({ title: event.target.value })}
            />
            <Area
              label="Description"
              rows={6}
              maxLength={10_000}
              value={form.draft.description}
              onValue={(description) => form.set({ description })}
            />
            <Field
              label="Credit"
              maxLength={1000}
              hint="Who made it and under which licence, when that must be told. Shown below the video."
              value={form.draft.attribution}
              wrong={form.fields.attribution}
              onChange={(event) => form.set({ attribution: event.target.value })}
            />
          </section>
          <PosterChooser video={video} draft={form.draft} set={form.set} />
          <Renditions video={video} />
        </div>
        <div className="stack">
          <section className="panel" aria-label="Preview">
            <Poster video={video} sizes="400px" />
            <dl className="facts-list">
              <dt>Length</dt>
              <dd>{video.duration_ms ? clock(video.duration_ms) : "–"}</dd>
              <dt>Picture</dt>
              <dd>{video.width && video.height ? `${video.width} × ${video.height}` : "–"}</dd>
              <dt>Added</dt>
              <dd>
                <When at={video.created_at} />
              </dd>
            </dl>
          </section>
          <section className="panel" aria-label="Visibility">
            <Choices
              legend="Visibility"
              value={form.draft.visibility}
              onValue={(visibility) => form.set({ visibility })}
              options={(["public", "unlisted", "private"] as const).map((value) => ({ value, ...visibilities[value] }))}
            />
          </section>
          {video.steps && video.steps.length > 0 && (
            <section className="panel" aria-labelledby="steps">
              <header>
                <h2 id="steps">Steps</h2>
                {busy && (
                  <Button size="small" onClick={() => void cancelWork(video)}>
                    Cancel
                  </Button>
                )}
                {(video.state === "failed" || video.state === "cancelled") && (
                  <Button size="small" icon="retry" onClick={() => void retryWork(video)}>
                    Try again
                  </Button>
                )}
              </header>
              {video.state === "failed" && <Notice tone="bad">{video.error ?? "It failed."}</Notice>}
              <Steps steps={video.steps} />
            </section>
          )}
          {!trashed && (
            <section className="panel" aria-labelledby="delete">
              <h2 id="delete">Delete</h2>
              <p className="muted small">The title goes to the trash, where it can be restored.</p>
              <Button
                look="danger"
                icon="trash"
                onClick={() =>
                  void remove(video).then((done) => {
                    if (!done) return;
                    form.reset();
                    queueMicrotask(() => navigate("/studio"));
                  })
                }
              >
                Delete title
              </Button>
            </section>
          )}
        </div>
      </div>
      {form.dirty && (
        <section className="save-bar" aria-label="Unsaved changes">
          <span>{form.restored ? "Your unsaved changes are back" : "Unsaved changes"}</span>
          <Button look="quiet" className="push" onClick={form.reset}>
            Discard
          </Button>
          <Button type="submit" look="primary" busy={form.busy}>
            Save
          </Button>
        </section>
      )}
    </form>
  );
}

function Conflict({ form, video }: { form: ReturnType<typeof useDraft>; video: Video }) {
  return (
    <Notice tone="bad">
      <b>Someone else saved this title while you were editing.</b>
      <p>Nothing of yours is lost. Their title is now “{video.title}”.</p>
      <div className="line" style={{ marginTop: 8 }}>
        <Button size="small" onClick={form.reset}>
          Take theirs
        </Button>
        <Button size="small" look="primary" onClick={() => void form.save()}>
          Save mine over it
        </Button>
      </div>
    </Notice>
  );
}

function PosterChooser({ video, draft, set }: { video: Video; draft: Draft; set: (change: Partial<Draft>) => void }) {
  const posters = useQuery({
    queryKey: [...keys.posters(video.id), video.poster_url, video.complete],
    queryFn: () => api.posters(video.id),
  });
  const chosen = draft.poster_id ?? posters.data?.find((poster) => poster.chosen)?.id;
  return (
    <section className="panel" aria-labelledby="poster">
      <h2 id="poster">Poster</h2>
      {posters.isPending ? (
        <div className="posters" role="status" aria-label="Loading">
          {[1, 2, 3].map((one) => (
            <Skeleton key={one} ratio="16 / 9" />
          ))}
        </div>
      ) : posters.isError ? (
        <Failure what="The pictures could not be loaded" error={posters.error} retry={() => void posters.refetch()} />
      ) : posters.data.length === 0 ? (
        <p className="muted small">Pictures appear here when the video has been looked through.</p>
      ) : (
        <div className="posters" role="radiogroup" aria-labelledby="poster">
          {posters.data.map((poster) => (
            <label key={poster.id} className="poster-choice">
              <input
                type="radio"
                name="poster"
                className="sr"
                checked={poster.id === chosen}
                onChange={() => set({ poster_id: poster.id })}
              />
              <span className="poster">
                <img
                  src={poster.url.replace(/\/1280\.jpg$/, "/640.jpg")}
                  alt={`Frame at ${clock(poster.at_ms)}`}
                  loading="lazy"
                />
                <span className="length">{clock(poster.at_ms)}</span>
              </span>
            </label>
          ))}
        </div>
      )}
    </section>
  );
}

function Renditions({ video }: { video: Video }) {
  const list = useQuery({
    queryKey: [...keys.renditions(video.id), video.complete, video.state],
    queryFn: () => api.renditions(video.id),
  });
  return (
    <section className="panel" aria-labelledby="renditions">
      <h2 id="renditions">Renditions</h2>
      {list.isPending ? (
        <Skeleton height="128px" />
      ) : list.isError ? (
        <Failure what="The renditions could not be loaded" error={list.error} retry={() => void list.refetch()} />
      ) : list.data.length === 0 ? (
        <p className="muted small">None yet. The first appears when the first part has been encoded.</p>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable region must be reachable by keyboard
        <section className="scroll-x" tabIndex={0} aria-label="Table of renditions">
          <table className="plain">
            <thead>
              <tr>
                <th scope="col">Rendition</th>
                <th scope="col">Codec</th>
                <th scope="col">Picture</th>
                <th scope="col">Bit rate</th>
                <th scope="col">Size</th>
              </tr>
            </thead>
            <tbody>
              {list.data.map((one) => (
                <tr key={one.id}>
                  <th scope="row">{one.label}</th>
                  <td>
                    <code>{one.codec}</code>
                  </td>
                  <td>{one.width && one.height ? `${one.width} × ${one.height}` : "–"}</td>
                  <td>{bitrate(one.bitrate_bps)}</td>
                  <td>{bytes(one.bytes)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
    </section>
  );
}
