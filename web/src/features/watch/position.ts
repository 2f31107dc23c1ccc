// Tells the server where I am, so that any device can go on from there: every five seconds while something moves, at
// every pause, and when the page goes away.
import { useEffect } from "react";
import { savePosition } from "../../api/calls";
import { keys, queryClient } from "../../api/queries";
import type { PlayerSession } from "../../player/session";

const everyMs = 5000;

export function useKeepPosition(id: string, session: PlayerSession | null, signedIn: boolean) {
  useEffect(() => {
    if (!session || !signedIn) return;
    const { video } = session;
    const stop = new AbortController();
    let last = -1;
    let at = performance.now();
    const save = (leaving: boolean) => {
      const position = Math.round(video.currentTime * 1000);
      const duration = Math.round(session.state.get().duration * 1000);
      // Nothing to keep before the first frame, or when nothing moved since.
      if (video.readyState < 2 || duration <= 0 || position === last) return;
      last = position;
      at = performance.now();
      // A lost report is made good by the next one.
      savePosition(id, Math.min(position, duration), duration, leaving).catch(() => {});
    };
    video.addEventListener("timeupdate", () => performance.now() - at >= everyMs && save(false), stop);
    video.addEventListener("pause", () => save(false), stop);
    video.addEventListener("seeked", () => video.paused && save(false), stop);
    addEventListener("pagehide", () => save(true), stop);
    document.addEventListener("visibilitychange", () => document.hidden && save(true), stop);
    return () => {
      save(true);
      stop.abort();
      for (const key of [keys.home, keys.history]) void queryClient.invalidateQueries({ queryKey: key });
    };
  }, [id, session, signedIn]);
}
