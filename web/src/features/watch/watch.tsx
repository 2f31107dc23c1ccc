// Watch: the player and what is known about the title.
import "./watch.css";
import "../studio/studio.css";
import { startTransition, useCallback, useDeferredValue, useEffect, useState } from "react";
import { Link, useLocation } from "wouter";
import { isNotYet } from "../../api/early";
import { useVideoEvents } from "../../api/events";
import { Problem } from "../../api/problem";
import { keys, queryClient, useMe, useRelated, useVideo } from "../../api/queries";
import type { Video } from "../../api/types";
import { percent, startName } from "../../lib/format";
import { Crowded, isCrowded } from "../../player/crowded";
import type { Failed } from "../../player/errors";
import { Player, Still } from "../../player/player";
import type { PlayerSession } from "../../player/session";
import { drop, takeSession, warmWatch } from "../../player/warm";
import { NotFound } from "../../shell/notfound";
import { Facts } from "../../titles/backdrop";
import { ListButton } from "../../titles/list";
import { isRefusal, ManagerNotice, Refusal } from "../../titles/refusal";
import { Avatar, Bar, Button, Failure, Skeleton, useTitle, When } from "../../ui/basics";
import { Card, CardSkeleton } from "../../ui/card";
import { Icon } from "../../ui/icon";
import { firstPicture, pictureAt, stillWidth } from "../../ui/picture";
import { Share } from "../share/share";
import { Steps } from "../studio/steps";
import { Ended, OnAir, Upcoming } from "./event";
import { NextCard, useNext } from "./next";
import { useKeepPosition } from "./position";

const viewersEveryMs = 15_000;

export default function WatchPage({ id }: { id: string }) {
  const query = useVideo(id);
  const video = query.data;
  const me = useMe();
  useTitle(video?.title);
  const growing = video !== undefined && !video.complete && video.state !== "failed" && video.state !== "cancelled";
  useVideoEvents(id, growing);
  useViewers(video);
  // The player starts without waiting for the page's data; only a title known to have nothing yet holds it back.
  const playable = video === undefined ? !isNotYet(id) : video.state === "ready";
  useEffect(() => {
    if (!playable) drop();
  }, [playable]);
  // What lies around the picture waits for its first frame: on a narrow line they would share it.
  const [moving, setMoving] = useState(false);
  const moves = useCallback(() => startTransition(() => setMoving(true)), []);
  if (query.isError && !video) {
    const gone = query.error instanceof Problem && query.error.status === 404;
    if (gone)
      return (
        <NotFound
          what="This title cannot be watched"
          why={me ? "It does not exist, or is not yours to see." : "It does not exist, or you must sign in to see it."}
        />
      );
    if (query.error instanceof Problem && isRefusal(query.error)) return <Refusal problem={query.error} />;
    return (
      <div className="page">
        <Failure whole what="The title could not be loaded" error={query.error} retry={() => void query.refetch()} />
      </div>
    );
  }
  return (
    <div className="watch">
      <div className="theatre">
        {playable ? (
          <Playing id={id} video={video} moving={moving} onMoving={moves} />
        ) : video === undefined ? (
          <div className="player" />
        ) : video.state === "upcoming" ? (
          <Upcoming video={video} />
        ) : video.state === "ended" ? (
          <Ended video={video} />
        ) : (
          <NotYet video={video} />
        )}
      </div>
      <div className="watch-below">
        {video && (
          <div className="watch-notice">
            <ManagerNotice video={video} />
          </div>
        )}
        {video ? <About video={video} mine={video.can_manage} /> : <AboutSkeleton />}
        <More id={id} wait={playable && !moving} />
      </div>
    </div>
  );
}

/** Who watch come and go without a change of the title. */
function useViewers(video: Video | undefined) {
  const live = video?.live ? video.id : null;
  useEffect(() => {
    if (!live) return;
    const again = () => void queryClient.invalidateQueries({ queryKey: keys.video(live), exact: true });
    const timer = setInterval(again, viewersEveryMs);
    return () => clearInterval(timer);
  }, [live]);
}

type PlayingProps = { id: string; video: Video | undefined; moving: boolean; onMoving: () => void };

function Playing({ id, video, moving, onMoving }: PlayingProps) {
  const me = useMe();
  const [session, setSession] = useState<PlayerSession | null>(null);
  const [failed, setFailed] = useState<unknown>(null);
  useEffect(() => {
    let gone = false;
    let started: PlayerSession | null = null;
    takeSession(id).then(
      (ready) => {
        if (gone) return ready.close();
        started = ready;
        startTransition(() => setSession(ready));
      },
      (error) => !gone && setFailed(error),
    );
    return () => {
      gone = true;
      started?.close();
    };
  }, [id]);
  const duration = video?.duration_ms;
  useEffect(() => {
    if (session && duration) session.durationMs = duration;
  }, [session, duration]);
  // Of what is live there is nothing to come back to.
  useKeepPosition(id, session, Boolean(me) && video !== undefined && !video.live);
  useEffect(() => {
    if (!session) return;
    const look = () => {
      const { startMs, phase, autoplay } = session.state.get();
      if (startMs !== null || phase === "failed" || autoplay === "refused") onMoving();
    };
    look();
    return session.state.subscribe(look);
  }, [session, onMoving]);
  const next = useNext(id, moving);
  const [, navigate] = useLocation();
  const goOn = useCallback(() => {
    if (!next) return;
    warmWatch(next.id, next.live);
    navigate(`/watch/${next.id}`);
  }, [next, navigate]);
  if (failed) return <Failure what="The player could not be loaded" error={failed} retry={() => location.reload()} />;
  const art = video && firstPicture(video, true);
  const still = art ? pictureAt(art.url, stillWidth) : null;
  if (!session) return <div className="player">{still && <Still src={still} />}</div>;
  return (
    <Player
      session={session}
      title={video?.title ?? ""}
      artist={video?.owner.name ?? ""}
      poster={still}
      onNext={next ? goOn : undefined}
      refused={refused}
    >
      {video?.live ? <OnAir video={video} /> : video && !video.complete && <Growing video={video} />}
      {next && video?.complete && <NextCard session={session} next={next} goOn={goOn} />}
    </Player>
  );
}

/** Watched elsewhere: where, and how to end it there. */
const refused = ({ reason, text }: Failed, again: () => void) =>
  isCrowded(reason) ? <Crowded code={reason} text={text} again={again} /> : null;

function overall(video: Video): number | null {
  const running = (video.steps ?? []).filter(
    (step) => step.total > 0 && (step.name === "encode" || step.name === "audio"),
  );
  const total = running.reduce((sum, step) => sum + step.total, 0);
  return total > 0
    ? percent(
        running.reduce((sum, step) => sum + step.done, 0),
        total,
      )
    : null;
}

function Growing({ video }: { video: Video }) {
  const part = overall(video);
  return (
    <div className="growing" title="This title is still being prepared. What is ready can be watched already.">
      <span className="spinner" aria-hidden="true" />
      Still processing{part === null ? "" : ` · ${Math.floor(part)} %`}
    </div>
  );
}

const notYetWords: Record<string, string> = {
  uploading: "This title is being uploaded",
  processing: "This title is being prepared",
  failed: "This title could not be prepared",
  cancelled: "The preparation of this title was cancelled",
};

function NotYet({ video }: { video: Video }) {
  const busy = video.state === "uploading" || video.state === "processing";
  return (
    <div className="player not-yet" data-awake>
      <div>
        <h2>{notYetWords[video.state]}</h2>
        <p>
          {busy
            ? "It starts here by itself as soon as its first part is ready."
            : (video.error ?? "Nothing can be played.")}
        </p>
        {busy && <Bar value={overall(video)} label="Progress" />}
        {video.steps && <Steps steps={video.steps} />}
      </div>
    </div>
  );
}

function About({ video, mine }: { video: Video; mine: boolean }) {
  const [open, setOpen] = useState(false);
  const long = video.description.length > 320 || video.description.split("\n").length > 5;
  return (
    <article className="about-title">
      <div className="stack" style={{ gap: 6 }}>
        <h1>{video.title}</h1>
        <Facts video={video} owner={false} />
      </div>
      <div className="line byline">
        <Avatar name={video.owner.name} />
        <div>
          <b>{video.owner.name}</b>
          <div className="small muted">
            <Published video={video} />
            {video.visibility !== "public" && ` · ${video.visibility === "unlisted" ? "Unlisted" : "Private"}`}
          </div>
        </div>
        <span className="push" />
        <ListButton video={video} />
        <Link className="btn" href={`/title/${video.id}`}>
          <Icon name="info" />
          Details
        </Link>
        <Share video={video} />
        {mine && (
          <Link
            className="btn"
            href={video.state === "upcoming" || video.live ? `/studio/live/${video.id}` : `/studio/videos/${video.id}`}
          >
            <Icon name="edit" />
            Edit
          </Link>
        )}
      </div>
      {(video.description || video.attribution) && (
        <div className="panel about-text">
          {video.description && <p className={open || !long ? "" : "clamped"}>{video.description}</p>}
          {long && (
            <Button look="quiet" size="small" aria-expanded={open} onClick={() => setOpen(!open)}>
              {open ? "Show less" : "Show more"}
            </Button>
          )}
          {video.attribution && (
            <p className="small muted">
              <b>Credit</b> · {video.attribution}
            </p>
          )}
        </div>
      )}
    </article>
  );
}

function Published({ video }: { video: Video }) {
  const event = video.event;
  if (event?.state === "upcoming")
    return event.starts_at ? `Starts ${startName(event.starts_at)}` : "Starts when its time has come";
  if (event?.started_at && video.live)
    return (
      <>
        Live since <When at={event.started_at} />
      </>
    );
  if (event?.ended_at)
    return (
      <>
        Was live <When at={event.started_at ?? event.ended_at} />
      </>
    );
  return video.published_at ? <When at={video.published_at} /> : "Not published yet";
}

function More({ id, wait }: { id: string; wait: boolean }) {
  const related = useRelated(id, !wait);
  const next = useNext(id, !wait);
  // The cards are drawn in slices beside the film.
  const others = (useDeferredValue(related.data) ?? []).filter((video) => video.id !== next?.id).slice(0, 8);
  if (related.isPending || wait)
    return (
      <aside className="more" aria-label="More like this" aria-busy="true">
        <h2>Up next</h2>
        <ul>
          {[1, 2, 3, 4].map((card) => (
            <li key={card}>
              <CardSkeleton />
            </li>
          ))}
        </ul>
      </aside>
    );
  if (!next) return null;
  return (
    <aside className="more" aria-label="More like this">
      <h2>Up next</h2>
      <ul>
        <li>
          <Card video={next} sizes="176px" />
        </li>
      </ul>
      {others.length > 0 && <h2>More like this</h2>}
      <ul>
        {others.map((video) => (
          <li key={video.id}>
            <Card video={video} sizes="176px" />
          </li>
        ))}
      </ul>
    </aside>
  );
}

function AboutSkeleton() {
  return (
    <div className="about-title" role="status" aria-label="Loading">
      <Skeleton width="60%" height="32px" />
      <Skeleton width="240px" height="40px" />
      <Skeleton height="96px" />
    </div>
  );
}
