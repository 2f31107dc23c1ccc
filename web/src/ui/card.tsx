// A title as a card: its picture, which grows and begins to move when looked at for a moment; name, rating, length,
// progress; and a menu with what else can be done.
import { type ReactNode, useEffect, useRef } from "react";
import { Link, useLocation } from "wouter";
import type { Video } from "../api/types";
import { percent, spokenClock } from "../lib/format";
import { isFar, mayPreview } from "../lib/preferences";
import { useListSwitch } from "../titles/list";
import { left, warming } from "../titles/play";
import { Skeleton } from "./basics";
import { Icon } from "./icon";
import { MenuButton } from "./menu";
import type { MenuEntry } from "./overlay";
import { Poster } from "./poster";
import { toast } from "./toast";

/** How long a card is looked at before it moves. */
const dwellMs = 650;

type Props = { video: Video; note?: ReactNode; sizes?: string; menu?: readonly MenuEntry[]; eager?: boolean };

export function Card({ video, note, sizes = "(max-width: 700px) 68vw, 344px", menu, eager }: Props) {
  const warm = warming(video);
  const { poster, begin, end } = usePreview(video);
  const { maturity_rating } = video;
  const label = [
    video.title,
    video.live ? "live now" : "",
    `by ${video.owner.name}`,
    maturity_rating ? `rated ${maturity_rating}` : "",
    video.duration_ms ? spokenClock(video.duration_ms) : "",
    video.progress
      ? `${Math.round(percent(video.progress.position_ms, video.progress.duration_ms))} percent watched`
      : "",
  ];
  // Across the room one chooses first and plays then; near by a press plays.
  const href = isFar() ? `/title/${video.id}` : `/watch/${video.id}`;
  return (
    <article className="card">
      <Link
        href={href}
        className="card-link"
        aria-label={label.filter(Boolean).join(", ")}
        {...warm}
        onPointerEnter={(event) => {
          warm.onPointerEnter();
          if (event.pointerType === "mouse") begin();
        }}
        onPointerLeave={end}
        onFocus={(event) => {
          warm.onFocus();
          if (event.currentTarget.matches(":focus-visible")) begin();
        }}
        onBlur={end}
        onClick={() => {
          end();
          if (!isFar()) warm.onClick();
        }}
      >
        <Poster video={video} sizes={sizes} ref={poster} eager={eager ?? false}>
          <span className="play">
            <Icon name="play" size={22} />
          </span>
        </Poster>
      </Link>
      <div className="card-text">
        <div>
          <span className="name">{video.title}</span>
          <span className="by">
            {maturity_rating && <span className="rating">{maturity_rating}</span>}
            {note ?? video.owner.name}
          </span>
        </div>
        <CardMenu video={video} more={menu ?? []} />
      </div>
    </article>
  );
}

function CardMenu({ video, more }: { video: Video; more: readonly MenuEntry[] }) {
  const { on, press } = useListSwitch(video);
  const [, navigate] = useLocation();
  const copy = () =>
    void navigator.clipboard.writeText(`${location.origin}/watch/${video.id}`).then(
      () => toast("The link is copied."),
      () => toast("The browser did not allow copying."),
    );
  return (
    <MenuButton
      className="card-more"
      label={`More for ${video.title}`}
      aside
      items={[
        { label: left(video) > 0 ? "Resume" : "Play", icon: "play", onSelect: () => navigate(`/watch/${video.id}`) },
        { label: "Details", icon: "info", onSelect: () => navigate(`/title/${video.id}`) },
        { label: on ? "Take off my list" : "Add to my list", icon: on ? "check" : "plus", onSelect: press },
        { label: "Copy link", icon: "link", onSelect: copy },
        ...(more.length > 0 ? (["line"] as const) : []),
        ...more,
      ]}
    >
      <Icon name="more" />
    </MenuButton>
  );
}

/** Plays a muted piece over the picture after a moment of looking, until one looks away. */
function usePreview(video: Video) {
  const poster = useRef<HTMLSpanElement>(null);
  const looking = useRef<AbortController | null>(null);
  const end = () => {
    looking.current?.abort();
    looking.current = null;
  };
  useEffect(() => () => looking.current?.abort(), []);
  const begin = () => {
    end();
    if (!mayPreview() || video.state !== "ready") return;
    const look = new AbortController();
    looking.current = look;
    const timer = setTimeout(async () => {
      const { preview } = await import("../player/preview");
      if (!look.signal.aborted && poster.current) void preview(poster.current, video, look.signal);
    }, dwellMs);
    look.signal.addEventListener("abort", () => clearTimeout(timer));
  };
  return { poster, begin, end };
}

export function CardSkeleton() {
  return (
    <div className="card" aria-hidden="true">
      <Skeleton ratio="16 / 9" />
      <div className="stack" style={{ gap: 8 }}>
        <Skeleton width="80%" height="17px" />
        <Skeleton width="45%" height="14px" />
      </div>
    </div>
  );
}
