// The link that plays a title, which readies the player as soon as a pointer or the focus comes near.
import type { ReactNode } from "react";
import { Link } from "wouter";
import type { Video } from "../api/types";
import { percent } from "../lib/format";
import { warmWatch } from "../player/warm";
import { Icon } from "../ui/icon";

/** Handlers for whatever leads to the watch page. */
export const warming = ({ id, live, state }: Pick<Video, "id" | "live" | "state">) => ({
  onPointerEnter: () => warmWatch(undefined, live),
  onPointerDown: () => warmWatch(undefined, live),
  onFocus: () => warmWatch(undefined, live),
  // What is to come cannot be asked for.
  onClick: () => warmWatch(state === "upcoming" ? undefined : id, live),
});

/** Milliseconds left of a title that was begun; 0 otherwise. */
export function left(video: Video): number {
  const seen = video.progress;
  // What is live goes on at the present.
  if (!seen || seen.position_ms <= 0 || video.live) return 0;
  return percent(seen.position_ms, seen.duration_ms) > 95 ? 0 : seen.duration_ms - seen.position_ms;
}

export function PlayLink({ video, children }: { video: Video; children?: ReactNode }) {
  return (
    <Link href={`/watch/${video.id}`} className="btn primary large" {...warming(video)}>
      <Icon name="play" />
      {children ?? (video.live ? "Watch live" : left(video) > 0 ? "Resume" : "Play")}
    </Link>
  );
}
