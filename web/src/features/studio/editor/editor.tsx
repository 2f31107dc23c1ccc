// The title editor: one draft over several tabs, saved as one edit; deleting with undo.
import "../studio.css";
import "./editor.css";
import { Tabs } from "radix-ui";
import { type ReactNode, useEffect, useRef } from "react";
import { Link, useLocation, useSearch } from "wouter";
import { useVideoEvents } from "../../../api/events";
import { Problem } from "../../../api/problem";
import { useVideo } from "../../../api/queries";
import type { Video } from "../../../api/types";
import { clock } from "../../../lib/format";
import { warmWatch } from "../../../player/warm";
import { useUnsaved } from "../../../shell/guard";
import { NotFound } from "../../../shell/notfound";
import { Button, Failure, Notice, Skeleton, useTitle, When } from "../../../ui/basics";
import { Icon } from "../../../ui/icon";
import { Poster } from "../../../ui/poster";
import { remove, restore } from "../actions";
import { Duplicate } from "../duplicate";
import { StateOf, VisibilityOf } from "../state";
import { Artwork } from "./artwork";
import { Availability } from "./availability";
import { Details } from "./details";
import { type Form, useDraft } from "./draft";
import { History } from "./history";
import { Source } from "./source";

type Tab = {
  id: string;
  label: string;
  /** Fields of the draft that it shows: a tab with a fault is marked and opened. */
  fields: readonly string[];
  content: (video: Video, form: Form) => ReactNode;
};

/** In the order shown. The first is what the address without `?tab=` opens. */
const tabs: readonly Tab[] = [
  {
    id: "details",
    label: "Details",
    fields: [
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
    ],
    content: (_, form) => <Details form={form} />,
  },
  {
    id: "availability",
    label: "Availability",
    fields: ["visibility", "publish_at", "available_from", "available_until", "countries"],
    content: (_, form) => <Availability form={form} />,
  },
  {
    id: "artwork",
    label: "Artwork",
    fields: [],
    content: (video) => <Artwork video={video} />,
  },
  { id: "source", label: "Source", fields: [], content: (video) => <Source video={video} /> },
  {
    id: "history",
    label: "History",
    fields: [],
    content: (video, form) => <History video={video} form={form} />,
  },
];

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
  const [path, navigate] = useLocation();
  const asked = new URLSearchParams(useSearch()).get("tab");
  const open = tabs.find((tab) => tab.id === asked) ?? tabs[0];
  const show = (id: string) => navigate(id === tabs[0]?.id ? path : `${path}?tab=${id}`, { replace: true });
  const form = useDraft(video);
  useUnsaved(form.dirty);
  // On a narrow screen the tabs scroll: the open one is in view.
  const list = useRef<HTMLDivElement>(null);
  const shown = open?.id;
  useEffect(() => {
    const tab = shown && list.current?.querySelector<HTMLElement>('[data-state="active"]');
    if (tab && list.current)
      list.current.scrollLeft = tab.offsetLeft + tab.offsetWidth / 2 - list.current.offsetWidth / 2;
  }, [shown]);
  const trashed = video.deleted_at !== null;
  const wrong = (tab: Tab) => tab.fields.some((field) => form.fields[field]);
  return (
    <form
      className="page"
      onSubmit={(event) => {
        event.preventDefault();
        void form.save().then((fields) => {
          const first = tabs.find((tab) => tab.fields.some((field) => fields[field]));
          if (first && !open?.fields.some((field) => fields[field])) show(first.id);
        });
      }}
    >
      <div className="page-head">
        <Link href="/studio" className="btn quiet icon" aria-label="Back to the library">
          <Icon name="left" />
        </Link>
        <h1 className="editor-title">{video.title}</h1>
        <StateOf video={video} />
        <span className="push" />
        {video.event && (
          <Link href={`/studio/live/${video.id}`} className="btn">
            <Icon name="live" />
            Live event
          </Link>
        )}
        {video.state === "ready" && (
          <Link
            href={`/watch/${video.id}`}
            className="btn"
            onPointerEnter={() => warmWatch()}
            onClick={() => warmWatch(video.id, video.live)}
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
      {video.state === "failed" && open?.id !== "source" && (
        <Notice tone="bad">
          <div className="line">
            <span className="why">{video.error ?? "This title could not be prepared."}</span>
            <Button size="small" onClick={() => show("source")}>
              See the steps
            </Button>
          </div>
        </Notice>
      )}
      <Duplicate video={video} onDeleted={() => navigate("/studio")} />
      {form.conflict && <Conflict form={form} video={video} />}
      {form.failure && <Notice tone="bad">{form.failure}</Notice>}
      <Tabs.Root value={open?.id ?? ""} onValueChange={show} className="editor">
        <div className="stack">
          <Tabs.List className="tabs" aria-label="Parts of the title" ref={list}>
            {tabs.map((tab) => (
              <Tabs.Trigger key={tab.id} value={tab.id} className="tab">
                {tab.label}
                {wrong(tab) && (
                  <span className="bad-text">
                    <Icon name="warning" size={16} />
                    <span className="sr">needs attention</span>
                  </span>
                )}
              </Tabs.Trigger>
            ))}
          </Tabs.List>
          {tabs.map((tab) => (
            <Tabs.Content key={tab.id} value={tab.id} className="stack" tabIndex={-1}>
              {tab.content(video, form)}
            </Tabs.Content>
          ))}
        </div>
        <Aside video={video} form={form} />
      </Tabs.Root>
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

/** What stays in view whatever the tab: the picture, the facts, the way to the trash. */
function Aside({ video, form }: { video: Video; form: Form }) {
  const [, navigate] = useLocation();
  return (
    <div className="stack editor-aside">
      <section className="panel" aria-label="Preview">
        <Poster video={video} sizes="400px" />
        <dl className="facts-list">
          <dt>Visibility</dt>
          <dd>
            <VisibilityOf video={video} />
          </dd>
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
      {video.deleted_at === null && (
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
  );
}

function Conflict({ form, video }: { form: Form; video: Video }) {
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
