// When a playback's beats are told: whenever what the viewer sees changes, every ten seconds, and before the page may be gone.
import type { Store } from "../lib/store";
import { type Beats, everyMs } from "./beats";
import type { Snapshot } from "./session";

/** Follows a playback until `signal`. */
export function tell(
  beats: Beats,
  { state, video }: { state: Store<Snapshot>; video: HTMLVideoElement },
  signal: AbortSignal,
) {
  // What is waited for after a seek is the viewer's own doing.
  let sought = false;
  let playing = "";
  const look = () => {
    const now = state.get();
    sought = (sought || video.seeking) && (video.seeking || now.waiting);
    const still = now.paused || now.ended || sought || now.phase === "failed";
    beats.see(still ? "idle" : now.waiting ? "stalled" : "playing");
    const rung = now.playing ? `${now.playing.height} ${now.playing.bandwidth}` : playing;
    if (playing && rung !== playing) beats.switched();
    playing = rung;
  };
  const forget = state.subscribe(look);
  const ticking = setInterval(() => beats.tick(), everyMs);
  const leave = () => beats.leave();
  video.addEventListener("seeking", look, { signal });
  video.addEventListener("ended", () => beats.ended(), { signal });
  addEventListener("pagehide", leave, { signal });
  document.addEventListener("visibilitychange", () => document.hidden && leave(), { signal });
  signal.addEventListener("abort", () => {
    forget();
    clearInterval(ticking);
  });
}
