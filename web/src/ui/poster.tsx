// A title's picture, its card, and a row of cards that scrolls by wheel, touch, arrows and buttons.
import { type KeyboardEvent, type ReactNode, useCallback, useEffect, useRef, useState } from "react";
import { Link } from "wouter";
import type { Video } from "../api/types";
import { clock, percent, spokenClock } from "../lib/format";
import { warmWatch } from "../player/warm";
import { Button, Skeleton } from "./basics";
import { Icon } from "./icon";

type Width = 320 | 640 | 1280;

/** The address of the poster in a width; the API's `poster_url` names one of them. */
export function posterAt(url: string, width: Width): string {
  return url.replace(/\/(320|640|1280)\.jpg$/, `/${width}.jpg`);
}

export function Poster({ video, sizes, eager }: { video: Video; sizes: string; eager?: boolean }) {
  const seen = video.progress ? percent(video.progress.position_ms, video.progress.duration_ms) : 0;
  return (
    <span className="poster">
      {video.poster_url ? (
        <img
          src={posterAt(video.poster_url, 640)}
          srcSet={([320, 640, 1280] as const).map((w) => `${posterAt(video.poster_url ?? "", w)} ${w}w`).join(", ")}
          sizes={sizes}
          alt=""
          loading={eager ? "eager" : "lazy"}
          decoding="async"
        />
      ) : (
        <span className="blank">
          <Icon name="film" size={32} />
        </span>
      )}
      {video.duration_ms ? <span className="length">{clock(video.duration_ms)}</span> : null}
      {seen > 0 && (
        <span className="watched">
          <i style={{ width: `${seen}%` }} />
        </span>
      )}
    </span>
  );
}

export function Card({ video, note }: { video: Video; note?: ReactNode }) {
  const label = [
    video.title,
    `by ${video.owner.name}`,
    video.duration_ms ? spokenClock(video.duration_ms) : "",
    video.progress
      ? `${Math.round(percent(video.progress.position_ms, video.progress.duration_ms))} percent watched`
      : "",
  ];
  return (
    <Link
      href={`/watch/${video.id}`}
      className="card"
      aria-label={label.filter(Boolean).join(", ")}
      onPointerEnter={() => warmWatch()}
      onFocus={() => warmWatch()}
      onClick={() => warmWatch(video.id)}
    >
      <span style={{ position: "relative", display: "block" }}>
        <Poster video={video} sizes="(max-width: 700px) 68vw, 344px" />
        <span className="play">
          <Icon name="play" size={40} />
        </span>
      </span>
      <span>
        <span className="name">{video.title}</span>
        <span className="by" style={{ display: "block" }}>
          {note ?? video.owner.name}
        </span>
      </span>
    </Link>
  );
}

/** Arrow keys inside rows: along the row, and to the same place of the row above or below. */
function arrowKeys(event: KeyboardEvent<HTMLElement>) {
  const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 0, ArrowUp: 0 }[event.key];
  const card = (event.target as HTMLElement).closest<HTMLElement>(".card");
  if (step === undefined || !card || event.altKey || event.ctrlKey || event.metaKey) return;
  let next: HTMLElement | null | undefined;
  if (step !== 0) {
    const cards = [...event.currentTarget.querySelectorAll<HTMLElement>(".card")];
    next = cards[cards.indexOf(card) + step];
  } else {
    const tracks = [...document.querySelectorAll<HTMLElement>(".row .track")];
    const at = tracks.indexOf(event.currentTarget);
    const other = tracks[at + (event.key === "ArrowDown" ? 1 : -1)];
    const x = card.getBoundingClientRect().left;
    const near = (element: HTMLElement) => Math.abs(element.getBoundingClientRect().left - x);
    next = other && [...other.querySelectorAll<HTMLElement>(".card")].sort((a, b) => near(a) - near(b))[0];
  }
  if (!next) return;
  event.preventDefault();
  next.focus({ preventScroll: true });
  next.scrollIntoView({ block: "nearest", inline: "nearest", behavior: "smooth" });
}

export function Row({ title, children }: { title: string; children: ReactNode }) {
  const track = useRef<HTMLUListElement>(null);
  const [ends, setEnds] = useState({ start: true, end: true });
  const look = useCallback(() => {
    const element = track.current;
    if (!element) return;
    const start = element.scrollLeft < 8;
    const end = element.scrollLeft + element.clientWidth > element.scrollWidth - 8;
    setEnds((old) => (old.start === start && old.end === end ? old : { start, end }));
  }, []);
  useEffect(() => {
    look();
    const watcher = new ResizeObserver(look);
    if (track.current) watcher.observe(track.current);
    return () => watcher.disconnect();
  }, [look]);
  const page = (way: number) =>
    track.current?.scrollBy({ left: way * track.current.clientWidth * 0.85, behavior: "smooth" });
  return (
    <section className="row" aria-label={title}>
      <header>
        <h2>{title}</h2>
        {!(ends.start && ends.end) && (
          <div className="arrows">
            <Button
              look="quiet"
              icon="left"
              aria-label={`Scroll ${title} back`}
              disabled={ends.start}
              onClick={() => page(-1)}
            />
            <Button
              look="quiet"
              icon="right"
              aria-label={`Scroll ${title} on`}
              disabled={ends.end}
              onClick={() => page(1)}
            />
          </div>
        )}
      </header>
      <ul className="track" ref={track} onScroll={look} onKeyDown={arrowKeys}>
        {children}
      </ul>
    </section>
  );
}

export function CardSkeleton() {
  return (
    <div className="card" aria-hidden="true">
      <Skeleton ratio="16 / 9" />
      <Skeleton width="80%" height="18px" />
      <Skeleton width="45%" height="14px" />
    </div>
  );
}
