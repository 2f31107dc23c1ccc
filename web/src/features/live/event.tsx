// One live event: waiting for an encoder, live with how it goes, over. And its settings.
import "../studio/studio.css";
import "../control/control.css";
import "../control/quality.css";
import "./live.css";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { Link, useLocation, useSearch } from "wouter";
import { useVideoEvents } from "../../api/events";
import * as api from "../../api/live";
import { inWords, Problem } from "../../api/problem";
import { keys, listsChanged, queryClient, updateVideo } from "../../api/queries";
import type { LiveEvent } from "../../api/types";
import { clock, startName } from "../../lib/format";
import { NotFound } from "../../shell/notfound";
import { Button, Failure, Notice, Skeleton, useTitle, When } from "../../ui/basics";
import { Icon } from "../../ui/icon";
import { Confirm } from "../../ui/overlay";
import { Poster } from "../../ui/poster";
import { toast } from "../../ui/toast";
import { restore } from "../studio/actions";
import { VisibilityOf } from "../studio/state";
import { Clips } from "./clip";
import { changesOf, draftOf, EventForm } from "./form";
import { Going } from "./health";
import { IngestPanel } from "./ingest";
import { StateOfEvent } from "./list";
import { Preview } from "./preview";
import { dvrName, latencies } from "./words";

const everyMs = 10_000;

const refresh = (id: string) => {
  listsChanged();
  return queryClient.invalidateQueries({ queryKey: keys.event(id) });
};

export default function EventPage({ id }: { id: string }) {
  const query = useQuery({
    queryKey: keys.event(id),
    queryFn: () => api.event(id),
    // Who watches changes by itself.
    refetchInterval: (query) => (query.state.data?.state === "live" ? everyMs : false),
  });
  const event = query.data;
  useTitle(event?.video.title);
  // The title tells when the event begins, is changed, and ends.
  useVideoEvents(id, event !== undefined, (video) => {
    if (video.revision !== event?.video.revision) void queryClient.invalidateQueries({ queryKey: keys.event(id) });
  });
  if (query.isPending)
    return (
      <div className="page" role="status" aria-label="Loading">
        <Skeleton width="320px" height="40px" />
        <div className="editor">
          <Skeleton height="480px" />
          <Skeleton height="320px" />
        </div>
      </div>
    );
  if (query.isError) {
    const gone = query.error instanceof Problem && [403, 404].includes(query.error.status);
    if (gone) return <NotFound what="There is no such event" why="It does not exist, or is not yours." />;
    return (
      <div className="page">
        <Failure whole what="The event could not be loaded" error={query.error} retry={() => void query.refetch()} />
      </div>
    );
  }
  return <Whole event={query.data} />;
}

function Whole({ event }: { event: LiveEvent }) {
  const [path, navigate] = useLocation();
  const settings = new URLSearchParams(useSearch()).get("tab") === "settings";
  const trashed = event.video.deleted_at !== null;
  return (
    <div className="page">
      <div className="page-head">
        <Link href="/studio/live" className="btn quiet icon" aria-label="Back to your events">
          <Icon name="left" />
        </Link>
        <h1 className="editor-title">{event.video.title}</h1>
        <StateOfEvent event={event} />
        <span className="push" />
        {!trashed && (
          <Link className="btn" href={`/watch/${event.id}`}>
            <Icon name="play" />
            Watch page
          </Link>
        )}
        {event.state === "live" && <End event={event} />}
      </div>
      {trashed && (
        <Notice tone="accent" icon="trash">
          <div className="line">
            This event is in the trash.
            <Button
              size="small"
              className="push"
              onClick={() => void restore(event.video).then(() => refresh(event.id))}
            >
              Restore
            </Button>
          </div>
        </Notice>
      )}
      <div className="segmented live-tabs" role="radiogroup" aria-label="View">
        <button type="button" role="radio" aria-checked={!settings} onClick={() => navigate(path, { replace: true })}>
          <Icon name="live" size={16} />
          Broadcast
        </button>
        <button
          type="button"
          role="radio"
          aria-checked={settings}
          onClick={() => navigate(`${path}?tab=settings`, { replace: true })}
        >
          <Icon name="gear" size={16} />
          Settings
        </button>
      </div>
      <div className="editor">
        {settings ? <Settings event={event} /> : <Broadcast event={event} />}
        <Aside event={event} />
      </div>
    </div>
  );
}

function Broadcast({ event }: { event: LiveEvent }) {
  const trashed = event.video.deleted_at !== null;
  const open = !trashed && (event.state === "upcoming" || event.state === "live");
  const going = api.useGoing(event.id, open);
  const sends = Boolean(going?.health?.publishers.length);
  const begun = going?.health?.state === "live";
  // Somebody has begun or stopped to send, or can be seen from now on: the rest of the page learns it.
  const news = going !== undefined && (sends !== event.connected || (begun && event.state === "upcoming"));
  useEffect(() => {
    if (!news) return;
    const ask = () => void queryClient.invalidateQueries({ queryKey: keys.event(event.id), exact: true });
    ask();
    const timer = setInterval(ask, 2000);
    return () => clearInterval(timer);
  }, [news, event.id]);
  if (event.state === "ended") return <Over event={event} />;
  if (trashed) return <div className="stack" />;
  return (
    <div className="stack">
      {event.ending && (
        <Notice tone="accent">
          The event is ending. The last seconds are being written
          {event.connected ? "." : "; no server has it just now, and it ends as soon as one takes it up."}
        </Notice>
      )}
      {event.state === "live" && <Preview event={event} />}
      {event.state === "live" && <Clips event={event} />}
      {sends && going?.health ? (
        <Going health={going.health} points={going.points} />
      ) : (
        <Waiting event={event} lost={event.state === "live"} />
      )}
      <IngestPanel event={event} folded={sends} />
    </div>
  );
}

function Waiting({ event, lost }: { event: LiveEvent; lost: boolean }) {
  return (
    <section className="panel live-waiting" aria-label="Encoder" role="status">
      <span className="live-pulse" aria-hidden="true" data-lost={lost || undefined} />
      <div>
        <h2>{lost ? "Your encoder is gone" : "Waiting for your encoder"}</h2>
        <p className="muted">
          {lost
            ? "The event stays live for a while. It goes on as soon as the encoder is back, or ends when you end it."
            : event.starts_at
              ? `Announced for ${startName(event.starts_at)}. It is live from the moment your picture arrives, earlier or later.`
              : "It is live from the moment your picture arrives."}
        </p>
      </div>
    </section>
  );
}

function Over({ event }: { event: LiveEvent }) {
  const { video } = event;
  const kept = video.state !== "ended";
  return (
    <div className="stack">
      <section className="panel" aria-label="Over">
        <h2>This event is over</h2>
        <p className="muted">
          {video.event?.ended_at && (
            <>
              It ended <When at={video.event.ended_at} />.{" "}
            </>
          )}
          {kept
            ? "Its recording is an ordinary title now: it can be watched, edited and shared like any other."
            : "It was not recorded. Those who were watching could see it to its end."}
        </p>
        {kept && (
          <div className="line">
            <Link className="btn primary" href={`/watch/${event.id}`}>
              <Icon name="play" />
              Watch the recording
            </Link>
            <Link className="btn" href={`/studio/videos/${event.id}`}>
              <Icon name="edit" />
              Edit the recording
            </Link>
          </div>
        )}
      </section>
      {kept && video.deleted_at === null && <Clips event={event} />}
    </div>
  );
}

function End({ event }: { event: LiveEvent }) {
  const [asked, setAsked] = useState(false);
  const [busy, setBusy] = useState(false);
  const end = async () => {
    setBusy(true);
    try {
      queryClient.setQueryData(keys.event(event.id), await api.endEvent(event.id));
      toast("The event is ending.");
    } catch (error) {
      toast(`It could not be ended. ${inWords(error)}`);
    }
    await refresh(event.id);
    setBusy(false);
  };
  return (
    <>
      <Button look="danger" busy={busy} disabled={event.ending} onClick={() => setAsked(true)}>
        {event.ending ? "Ending…" : "End event"}
      </Button>
      <Confirm
        open={asked}
        title="End the event?"
        yes="End event"
        no="Keep going"
        danger
        onAnswer={(yes) => {
          setAsked(false);
          if (yes) void end();
        }}
      >
        It ends for everybody who is watching, and cannot be begun again.{" "}
        {event.record ? "The recording stays." : "Nothing of it is kept."}
      </Confirm>
    </>
  );
}

function Settings({ event }: { event: LiveEvent }) {
  const [, navigate] = useLocation();
  const from = draftOf(event);
  return (
    <div className="stack">
      <EventForm
        // What somebody else has saved meanwhile begins the form anew.
        key={event.video.revision}
        from={from}
        state={event.state}
        save="Save"
        changed
        onSave={async (draft) => {
          const saved = await api.editEvent(event.id, event.video.revision, changesOf(from, draft));
          queryClient.setQueryData(keys.event(event.id), saved);
          updateVideo(saved.video);
          listsChanged();
          toast("Saved.");
        }}
      />
      {event.video.deleted_at === null && <Delete event={event} onDeleted={() => navigate("/studio/live")} />}
    </div>
  );
}

function Delete({ event, onDeleted }: { event: LiveEvent; onDeleted: () => void }) {
  const [busy, setBusy] = useState(false);
  const live = event.state === "live";
  const remove = async () => {
    setBusy(true);
    try {
      const gone = await api.deleteEvent(event.id);
      listsChanged();
      queryClient.setQueryData(keys.event(event.id), gone);
      toast(`“${event.video.title}” is in the trash.`, {
        label: "Undo",
        run: () => void restore(event.video).then(() => refresh(event.id)),
      });
      onDeleted();
    } catch (error) {
      toast(`It could not be deleted. ${inWords(error)}`);
      setBusy(false);
    }
  };
  return (
    <section className="panel" aria-labelledby="delete">
      <h2 id="delete">Delete</h2>
      <p className="muted small">
        {live ? "A live event has to end first." : "The event goes to the trash, where it can be restored."}
      </p>
      <div>
        <Button look="danger" icon="trash" busy={busy} disabled={live} onClick={() => void remove()}>
          Delete event
        </Button>
      </div>
    </section>
  );
}

/** What stays in view: the picture and the facts. */
function Aside({ event }: { event: LiveEvent }) {
  const { video } = event;
  const told = video.event;
  return (
    <div className="stack editor-aside">
      <section className="panel" aria-label="About the event">
        <Poster video={{ ...video, live: false }} sizes="400px" />
        <Link className="btn small live-picture" href={`/studio/videos/${event.id}?tab=artwork`}>
          <Icon name="edit" size={16} />
          {video.artwork.poster ? "Change the picture" : "Add a picture"}
        </Link>
        <dl className="facts-list">
          <dt>{told?.started_at ? "Started" : "Starts"}</dt>
          <dd>
            {told?.started_at ? (
              <When at={told.started_at} />
            ) : event.starts_at ? (
              startName(event.starts_at)
            ) : (
              "No time announced"
            )}
          </dd>
          {event.state === "live" && (
            <>
              <dt>Watching</dt>
              <dd>{told?.viewers == null ? "–" : told.viewers.toLocaleString("en")}</dd>
            </>
          )}
          {video.duration_ms && (
            <>
              <dt>Length</dt>
              <dd>{clock(video.duration_ms)}</dd>
            </>
          )}
          <dt>Visibility</dt>
          <dd>
            <VisibilityOf video={video} />
          </dd>
          <dt>Delay</dt>
          <dd>{latencies[event.latency].label}</dd>
          <dt>Going back</dt>
          <dd>{dvrName(event.dvr_seconds)}</dd>
          <dt>Recording</dt>
          <dd>{event.record ? "Kept" : "Not kept"}</dd>
        </dl>
      </section>
    </div>
  );
}
