// What the watch page shows of a live event in the player's place or over its picture.
import { type ReactNode, useEffect, useState } from "react";
import type { Video } from "../../api/types";
import { countdown, startName } from "../../lib/format";
import { pictureAt, stillWidth } from "../../ui/picture";

/** An event that is to come: its picture, and how long it takes. */
export function Upcoming({ video }: { video: Video }) {
  const at = video.event?.starts_at ?? null;
  const now = useNow(at !== null);
  const left = at ? countdown(at, now) : [];
  return (
    <Over video={video}>
      <p className="event-kind">Live event</p>
      {at === null ? (
        <h2>It starts here by itself</h2>
      ) : left.length > 0 ? (
        <>
          <h2>
            Starts <time dateTime={at}>{startName(at)}</time>
          </h2>
          <p
            className="countdown"
            role="timer"
            aria-label={left.map(({ value, unit }) => `${value} ${unit}`).join(", ")}
          >
            {left.map(({ value, unit }) => (
              <span key={unit} aria-hidden="true">
                <b>{value}</b>
                {unit}
              </span>
            ))}
          </p>
        </>
      ) : (
        <h2>It should start any moment</h2>
      )}
      <p>
        {at !== null && left.length === 0
          ? `It was announced for ${startName(at)}. This page begins to play as soon as it is live.`
          : "You can leave this page open: it begins to play as soon as the event is live."}
      </p>
    </Over>
  );
}

/** An event of which nothing was kept. */
export function Ended({ video }: { video: Video }) {
  const at = video.event?.ended_at;
  return (
    <Over video={video}>
      <p className="event-kind">Live event</p>
      <h2>This event is over</h2>
      <p>{at ? `It ended on ${startName(at)}. ` : ""}No recording was kept.</p>
    </Over>
  );
}

function Over({ video, children }: { video: Video; children: ReactNode }) {
  const poster = video.artwork.banner ?? video.artwork.poster;
  return (
    <div className="player not-yet event-stage" data-awake>
      {poster && <img className="event-picture" src={pictureAt(poster.url, stillWidth)} alt="" />}
      <div>{children}</div>
    </div>
  );
}

/** Over the picture while it is live. */
export function OnAir({ video }: { video: Video }) {
  const viewers = video.event?.viewers;
  return (
    <div className="growing on-air-mark">
      <span className="live-badge">Live</span>
      {viewers != null && viewers > 0 && <span>{viewers.toLocaleString("en")} watching</span>}
    </div>
  );
}

/** The present, every second. */
function useNow(active: boolean): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (!active) return;
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [active]);
  return now;
}
