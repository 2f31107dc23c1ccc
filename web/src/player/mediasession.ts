// What the system's own controls show and do: lock screen, headset buttons, media keys.
import { useEffect } from "react";
import type { PlayerSession } from "./session";

export type Shown = { title: string; artist: string; picture: string | null; onNext?: (() => void) | undefined };

export function useMediaSession(session: PlayerSession, { title, artist, picture, onNext }: Shown) {
  useEffect(() => {
    const system = navigator.mediaSession;
    if (!system || !title) return;
    system.metadata = new MediaMetadata({
      title,
      artist,
      artwork: picture ? [{ src: new URL(picture, location.href).href }] : [],
    });
    const acts: [MediaSessionAction, MediaSessionActionHandler | null][] = [
      ["play", () => void session.video.play().catch(() => {})],
      ["pause", () => session.video.pause()],
      ["seekbackward", (details) => session.skip(-(details.seekOffset ?? 10))],
      ["seekforward", (details) => session.skip(details.seekOffset ?? 10)],
      ["seekto", (details) => details.seekTime !== undefined && session.seek(details.seekTime)],
      ["nexttrack", onNext ?? null],
    ];
    const set = (action: MediaSessionAction, handler: MediaSessionActionHandler | null) => {
      try {
        system.setActionHandler(action, handler);
      } catch {
        // Not every browser knows every action.
      }
    };
    for (const [action, handler] of acts) set(action, handler);
    return () => {
      system.metadata = null;
      for (const [action] of acts) set(action, null);
    };
  }, [session, title, artist, picture, onNext]);

  useEffect(() => {
    const system = navigator.mediaSession;
    if (!system?.setPositionState) return;
    const tell = () => {
      const { duration, position, rate } = session.state.get();
      system.playbackState = session.video.paused ? "paused" : "playing";
      if (duration > 0 && position <= duration) system.setPositionState({ duration, position, playbackRate: rate });
    };
    const stop = new AbortController();
    for (const name of ["play", "pause", "seeked", "ratechange", "durationchange"])
      session.video.addEventListener(name, tell, stop);
    return () => {
      stop.abort();
      system.playbackState = "none";
    };
  }, [session]);
}
