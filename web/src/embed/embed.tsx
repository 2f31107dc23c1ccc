// The embedded player: a picture and a button until somebody presses play, then the player; a link back to the title.
import { useCallback, useEffect, useRef, useState } from "react";
import { playback, video as readVideo } from "../api/calls";
import { inWords } from "../api/problem";
import type { Video } from "../api/types";
import { useStore } from "../lib/store";
import { Player } from "../player/player";
import { PlayerSession } from "../player/session";
import { Icon } from "../ui/icon";
import { pictureAt } from "../ui/picture";
import { type Command, connect, type Told } from "./messages";
import type { Options } from "./options";

export function Embed({ options }: { options: Options }) {
  const [video, setVideo] = useState<Video | null>(null);
  const [failed, setFailed] = useState<unknown>(null);
  const [session, setSession] = useState<PlayerSession | null>(null);
  const known = useRef<Video | null>(null);
  const running = useRef<PlayerSession | null>(null);

  const start = useCallback(() => {
    if (running.current) return running.current;
    const started = new PlayerSession((after) => playback(options.id, after), {
      // Others' pages begin where they say, not where this browser stopped elsewhere.
      startAt: options.start ?? 0,
      // Where it plays by itself, the viewer waits since the page was opened.
      ...(options.autoplay ? {} : { since: performance.now() }),
    });
    started.durationMs = known.current?.duration_ms ?? 0;
    if (options.muted) started.video.muted = true;
    running.current = started;
    setSession(started);
    return started;
  }, [options]);

  useEffect(() => {
    let gone = false;
    readVideo(options.id).then(
      (found) => {
        if (gone) return;
        known.current = found;
        if (running.current) running.current.durationMs = found.duration_ms ?? 0;
        setVideo(found);
        document.title = found.title;
      },
      (error) => !gone && setFailed(error),
    );
    if (options.autoplay) start();
    return () => {
      gone = true;
    };
  }, [options, start]);

  useFrame(options, session, start);

  const link = `/watch/${encodeURIComponent(options.id)}`;
  if (failed !== null)
    return (
      <div className="embed embed-failed" role="alert">
        <Icon name="warning" size={40} />
        <h1>This video cannot be played here</h1>
        <p>{inWords(failed)}</p>
      </div>
    );
  const poster = video?.artwork.poster ? pictureAt(video.artwork.poster.url, 1280) : null;
  return (
    <div className="embed" data-bare={!options.controls || undefined}>
      {session ? (
        <Player session={session} title={video?.title ?? ""} artist={video?.owner.name ?? ""} poster={poster} />
      ) : (
        <button type="button" className="embed-start" onClick={() => start()}>
          {poster && <img src={poster} alt="" />}
          <span className="big-play">
            <Icon name="play" size={40} />
          </span>
          <span className="sr">Play {video?.title}</span>
        </button>
      )}
      {options.controls && video && (
        <a className="embed-title" href={link} target="_blank" rel="noopener" data-over={session ? true : undefined}>
          {video.title}
          <Icon name="out" size={16} />
          <span className="sr">(opens in a new tab)</span>
        </a>
      )}
    </div>
  );
}

/** Obeys the framing page and tells it what happens. */
function useFrame(options: Options, session: PlayerSession | null, start: () => PlayerSession) {
  const tell = useRef<(told: Told) => void>(() => {});
  const say = useCallback((event: Told["event"], from: PlayerSession | null, code?: string) => {
    const state = from?.state.get();
    tell.current({
      event,
      position: state?.position ?? 0,
      duration: state?.duration ?? 0,
      volume: state?.volume ?? 1,
      muted: state?.muted ?? false,
      paused: state?.paused ?? true,
      ...(code ? { code } : {}),
    });
  }, []);
  useEffect(() => {
    let current: PlayerSession | null = null;
    const obey = (command: Command) => {
      if (command.command === "listen") return say("ready", current);
      current ??= start();
      const { video } = current;
      if (command.command === "play") void video.play().catch(() => {});
      else if (command.command === "pause") video.pause();
      else if (command.command === "seek") current.seek(command.seconds);
      else if (command.command === "volume") current.setVolume(command.volume);
      else video.muted = command.command === "mute";
    };
    tell.current = connect(options.origin, obey);
  }, [options, start, say]);
  useEffect(() => {
    if (!session) return;
    const stop = new AbortController();
    const on = (name: string, event: Told["event"]) =>
      session.video.addEventListener(name, () => say(event, session), { signal: stop.signal });
    on("playing", "play");
    on("pause", "pause");
    on("timeupdate", "time");
    on("seeked", "seek");
    on("ended", "ended");
    on("volumechange", "volume");
    return () => stop.abort();
  }, [session, say]);
  const failure = useFailure(session);
  useEffect(() => {
    if (failure) say("error", session, failure);
  }, [failure, session, say]);
}

const nothing = { get: () => null, set: () => {}, subscribe: () => () => {} };

function useFailure(session: PlayerSession | null): string | undefined {
  const state = useStore<{ failed: { code: string | number } | null } | null>(
    session ? (session.state as never) : nothing,
  );
  return state?.failed ? String(state.failed.code) : undefined;
}
