// A title's own page: what it is about, who made it, how to watch it, and what is like it.
import "./title.css";
import { type ReactNode, useState } from "react";
import { Link } from "wouter";
import { Problem } from "../../api/problem";
import { useMe, useRelated, useVideo } from "../../api/queries";
import type { Video } from "../../api/types";
import { clock, percent, startName } from "../../lib/format";
import { NotFound } from "../../shell/notfound";
import { Backdrop, Facts } from "../../titles/backdrop";
import { genreName, languageName, lengthName, sizeName } from "../../titles/extras";
import { ListButton } from "../../titles/list";
import { left, PlayLink } from "../../titles/play";
import { isRefusal, Refusal } from "../../titles/refusal";
import { Button, Failure, Notice, Skeleton, useTitle, When } from "../../ui/basics";
import { Card, CardSkeleton } from "../../ui/card";
import { Icon } from "../../ui/icon";
import { toast } from "../../ui/toast";

export default function TitlePage({ id }: { id: string }) {
  const query = useVideo(id);
  const me = useMe();
  const video = query.data;
  useTitle(video?.title);
  if (query.isError && !video) {
    if (query.error instanceof Problem && query.error.status === 404)
      return (
        <NotFound
          what="There is no such title"
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
  if (!video) return <TitleSkeleton />;
  return (
    <div className="title-page">
      <Backdrop video={video} tall>
        <Top video={video} />
      </Backdrop>
      <div className="title-body">
        <About video={video} />
        <MoreLikeThis id={id} />
      </div>
    </div>
  );
}

function Top({ video }: { video: Video }) {
  const rest = left(video);
  const seen = video.progress;
  const ready = video.state === "ready";
  return (
    <>
      <h1>{video.title}</h1>
      <Facts video={video} />
      {rest > 0 && seen && (
        <div className="resume">
          <span className="watched-line">
            <i style={{ width: `${percent(seen.position_ms, seen.duration_ms)}%` }} />
          </span>
          <span className="small">{lengthName(rest)} left</span>
        </div>
      )}
      {!ready && (
        <Notice tone="accent" icon="info">
          {notReady(video)}
        </Notice>
      )}
      <div className="actions">
        {ready && (
          <PlayLink video={video}>{rest > 0 && seen ? `Resume at ${clock(seen.position_ms)}` : undefined}</PlayLink>
        )}
        {ready && rest > 0 && (
          <Link href={`/watch/${video.id}?t=0`} className="btn large on-picture">
            <Icon name="retry" />
            From the start
          </Link>
        )}
        {video.state === "upcoming" && (
          <Link href={`/watch/${video.id}`} className="btn primary large">
            <Icon name="live" />
            Wait for it
          </Link>
        )}
        <ListButton video={video} large />
        <Button icon="link" size="large" className="on-picture" onClick={() => void share(video)}>
          Share
        </Button>
        {video.can_manage && (
          <Link className="btn large on-picture" href={`/studio/videos/${video.id}`}>
            <Icon name="edit" />
            Edit
          </Link>
        )}
      </div>
    </>
  );
}

function notReady(video: Video): string {
  const at = video.event?.starts_at;
  switch (video.state) {
    case "failed":
    case "cancelled":
      return video.error ?? "This title could not be prepared.";
    case "upcoming":
      return at ? `A live event. It starts ${startName(at)}.` : "A live event. Its time is not announced yet.";
    case "ended":
      return "This live event is over, and no recording was kept.";
    default:
      return "This title is still being prepared. It can be watched as soon as its first part is ready.";
  }
}

/** The system's own sheet where there is one, otherwise the clipboard. */
async function share(video: Video) {
  const url = `${location.origin}/title/${video.id}`;
  try {
    if (navigator.share && matchMedia("(hover: none)").matches) await navigator.share({ title: video.title, url });
    else {
      await navigator.clipboard.writeText(url);
      toast("The link is copied.");
    }
  } catch (error) {
    if (!(error instanceof DOMException && error.name === "AbortError")) toast("The browser did not allow sharing.");
  }
}

function About({ video }: { video: Video }) {
  const [open, setOpen] = useState(false);
  const long = video.description.length > 420 || video.description.split("\n").length > 6;
  return (
    <section className="about-grid" aria-label="About this title">
      <div className="synopsis">
        <h2>Synopsis</h2>
        {video.description ? (
          <p className={open || !long ? "" : "clamped"}>{video.description}</p>
        ) : (
          <p className="muted">Its creator has not written one yet.</p>
        )}
        {long && (
          <Button look="quiet" size="small" aria-expanded={open} onClick={() => setOpen(!open)}>
            {open ? "Show less" : "Show more"}
          </Button>
        )}
        {video.attribution && <p className="small muted">{video.attribution}</p>}
      </div>
      <Details video={video} />
    </section>
  );
}

function Details({ video }: { video: Video }) {
  const size = sizeName(video.width, video.height);
  const linked = (words: readonly string[], href: (word: string) => string, name = (word: string) => word) =>
    words.map((word) => (
      <Link key={word} href={href(word)} className="topic">
        {name(word)}
      </Link>
    ));
  const search = (word: string) => `/search?q=${encodeURIComponent(word)}`;
  const lines: [string, ReactNode][] = [
    ["Channel", <span key="owner">{video.owner.name}</span>],
    ["Directed by", video.directors.length ? linked(video.directors, search) : null],
    [
      "Genres",
      video.genres.length ? linked(video.genres, (id) => `/search?genre=${encodeURIComponent(id)}`, genreName) : null,
    ],
    ["Tags", video.tags.length ? linked(video.tags.slice(0, 12), search) : null],
    ["Language", video.language ? languageName(video.language) : null],
    ["Rating", video.maturity_rating ?? null],
    ["Year", video.release_year ?? null],
    ["Length", video.duration_ms ? lengthName(video.duration_ms) : null],
    ["Picture", size],
    ["Published", video.published_at ? <When key="at" at={video.published_at} /> : "Not yet"],
  ];
  return (
    <div className="stack">
      {video.cast.length > 0 && (
        <div>
          <h2>Cast</h2>
          <ul className="title-cast">
            {video.cast.slice(0, 24).map((one) => (
              <li key={`${one.name} ${one.role}`}>
                <Link href={search(one.name)}>{one.name}</Link>
                {one.role && <span className="muted"> · {one.role}</span>}
              </li>
            ))}
          </ul>
        </div>
      )}
      <dl className="details">
        {lines
          .filter(([, value]) => value !== null)
          .map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
      </dl>
    </div>
  );
}

function MoreLikeThis({ id }: { id: string }) {
  const related = useRelated(id);
  if (related.isSuccess && related.data.length === 0) return null;
  return (
    <section className="stack" aria-label="More like this">
      <h2>More like this</h2>
      {related.isError ? (
        <Failure what="Similar titles could not be loaded" error={related.error} retry={() => void related.refetch()} />
      ) : (
        <ul className="grid" aria-busy={related.isPending}>
          {related.isPending
            ? [1, 2, 3, 4].map((card) => (
                <li key={card}>
                  <CardSkeleton />
                </li>
              ))
            : related.data.map((video) => (
                <li key={video.id}>
                  <Card video={video} />
                </li>
              ))}
        </ul>
      )}
    </section>
  );
}

function TitleSkeleton() {
  return (
    <div className="title-page" role="status" aria-label="Loading">
      <div className="backdrop" data-tall>
        <div className="backdrop-text">
          <Skeleton width="min(480px, 70vw)" height="48px" />
          <Skeleton width="min(320px, 50vw)" height="20px" />
          <div className="actions">
            <Skeleton width="160px" height="48px" />
            <Skeleton width="128px" height="48px" />
          </div>
        </div>
      </div>
      <div className="title-body">
        <Skeleton height="120px" />
      </div>
    </div>
  );
}
