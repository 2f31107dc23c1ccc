// The player on the page: the picture, what lies over it, and the control bar.
import { type CSSProperties, type ReactNode, useCallback, useEffect, useRef, useState } from "react";
import { preferences } from "../lib/preferences";
import { focusMovedByKey, neverPointed } from "../lib/spatial";
import { useStore } from "../lib/store";
import { Button } from "../ui/basics";
import { LateDialog } from "../ui/dialog";
import { Icon } from "../ui/icon";
import { CaptionStyleForm } from "./caption-style";
import { captionProperties } from "./captions";
import { Controls } from "./controls";
import type { Failed } from "./errors";
import { keyHelp, press } from "./keys";
import "./frame.css";
import "./player.css";
import { useMediaSession } from "./mediasession";
import type { PlayerSession } from "./session";
import { Stats } from "./stats";

type Props = {
  session: PlayerSession;
  title: string;
  artist: string;
  poster: string | null;
  onNext?: (() => void) | undefined;
  /** What is shown instead of the player's own words for a failure, if anything. */
  refused?: (failed: Failed, again: () => void) => ReactNode;
  children?: ReactNode;
};

export function Player({ session, title, artist, poster, onNext, refused, children }: Props) {
  useMediaSession(session, { title, artist, picture: poster, onNext });
  const state = useStore(session.state);
  const frame = useRef<HTMLDivElement>(null);
  const stage = useRef<HTMLDivElement>(null);
  const { style } = useStore(preferences);
  const [full, setFull] = useState(false);
  const [help, setHelp] = useState(false);
  const [stats, setStats] = useState(false);
  const [look, setLook] = useState(false);
  const [menu, setMenu] = useState(false);
  const [said, setSaid] = useState<{ text: string; n: number } | null>(null);
  const { awake, wake } = useAwake(!state.paused && !menu && !help && !look && state.phase === "ready");

  useEffect(() => {
    if (stage.current) session.show(stage.current);
  }, [session]);

  const toggleFull = useCallback(() => {
    const element = frame.current as (HTMLDivElement & { webkitRequestFullscreen?: () => void }) | null;
    const video = session.video as HTMLVideoElement & { webkitEnterFullscreen?: () => void };
    if (document.fullscreenElement) void document.exitFullscreen();
    else if (element?.requestFullscreen) void element.requestFullscreen().catch(() => {});
    else video.webkitEnterFullscreen?.();
  }, [session]);

  const say = useCallback((text: string) => setSaid((old) => ({ text, n: (old?.n ?? 0) + 1 })), []);
  useEffect(() => {
    if (!said) return;
    const timer = setTimeout(() => setSaid(null), 900);
    return () => clearTimeout(timer);
  }, [said]);

  useEffect(() => {
    const stop = new AbortController();
    const changed = () => setFull(document.fullscreenElement === frame.current);
    document.addEventListener("fullscreenchange", changed, stop);
    const down = (event: KeyboardEvent) => {
      const target = event.target as HTMLElement;
      if (
        event.defaultPrevented ||
        target.closest("input, textarea, select, [role=menu], [role=dialog], [contenteditable]")
      )
        return;
      // Buttons and links keep their own keys, sliders their arrows.
      if ((event.key === " " || event.key === "Enter") && target.closest("button, a")) return;
      if (target.getAttribute("role") === "slider" && /^(Arrow|Home|End)/.test(event.key)) return;
      // Who walks by arrows walks through the controls as well; only from the picture itself do arrows seek.
      if (event.key.startsWith("Arrow")) {
        const walking = focusMovedByKey() && target.closest(".controls, .stats, .player-failed, .next-card");
        const remote = neverPointed() && /^Arrow(Up|Down)$/.test(event.key);
        if (walking || remote) return wake();
      }
      // Outside the player the arrows up and down scroll the page.
      if (/^(ArrowUp|ArrowDown|Home|End)$/.test(event.key) && !frame.current?.contains(target)) return;
      if (press(event, session, { full: toggleFull, help: () => setHelp(true), said: say })) {
        event.preventDefault();
        wake();
      }
    };
    document.addEventListener("keydown", down, stop);
    return () => stop.abort();
  }, [session, toggleFull, say, wake]);

  const refusal = state.failed && refused?.(state.failed, () => session.again());
  const covered = state.phase === "loading" && state.position === 0;
  return (
    <section
      className="player"
      ref={frame}
      aria-label={`Player: ${title}`}
      data-awake={awake || undefined}
      data-phase={state.phase}
      style={captionProperties(style) as CSSProperties}
      onPointerMove={wake}
      onFocus={wake}
    >
      <div ref={stage}>{covered && poster && <Still src={poster} />}</div>
      <Surface session={session} paused={state.paused} wake={wake} awake={awake} onFull={toggleFull} say={say} />
      {full && <div className="player-title">{title}</div>}
      {state.phase !== "failed" && (state.waiting || state.phase === "loading") && <Waiting />}
      {said && (
        <div className="player-said" key={said.n}>
          {said.text}
        </div>
      )}
      <div className="sr" aria-live="polite">
        {said?.text}
      </div>
      {state.autoplay === "muted" && (
        <Button className="unmute" look="primary" onClick={() => session.toggleMute()}>
          <Icon name="muted" /> Tap to unmute
        </Button>
      )}
      {state.autoplay === "refused" && state.paused && (
        <button type="button" className="big-play" aria-label={`Play ${title}`} onClick={() => session.toggle()}>
          <Icon name="play" size={40} />
        </button>
      )}
      {refusal}
      {state.failed && !refusal && (
        <div className="player-failed" role="alert">
          <Icon name="warning" size={40} />
          <h2>This cannot be played right now</h2>
          <p>{state.failed.text}</p>
          <div className="line">
            {state.failed.retry && (
              <Button look="primary" icon="retry" onClick={() => session.retry()}>
                Try again
              </Button>
            )}
            <span className="code">Code {state.failed.code}</span>
          </div>
        </div>
      )}
      {stats && <Stats session={session} onClose={() => setStats(false)} />}
      {children}
      {state.phase !== "failed" && (
        <Controls
          session={session}
          frame={frame}
          full={full}
          onFull={toggleFull}
          onHelp={() => setHelp(true)}
          onStats={() => setStats((on) => !on)}
          onStyle={() => setLook(true)}
          onMenu={setMenu}
        />
      )}
      <LateDialog
        open={look}
        onClose={() => setLook(false)}
        title="How captions look"
        container={full ? frame.current : null}
      >
        <CaptionStyleForm />
      </LateDialog>
      <LateDialog open={help} onClose={() => setHelp(false)} title="Keyboard" container={full ? frame.current : null}>
        <dl className="key-help">
          {keyHelp.map(([keys, what]) => (
            <div key={keys}>
              <dt>
                {keys
                  .split(" ")
                  .map((key, index) =>
                    /^[a-z–]/.test(key) ? <span key={index}>{key}</span> : <kbd key={index}>{key}</kbd>,
                  )}
              </dt>
              <dd>{what}</dd>
            </div>
          ))}
        </dl>
      </LateDialog>
    </section>
  );
}

/** The title's picture in the player's place until the first frame is. */
export const Still = ({ src }: { src: string }) => (
  <img className="still" src={src} alt="" decoding="sync" fetchPriority="high" />
);

/** Controls stay while something moves, and fade after a moment of rest. */
function useAwake(mayRest: boolean) {
  const [awake, setAwake] = useState(true);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const rest = useRef(mayRest);
  rest.current = mayRest;
  const wake = useCallback(() => {
    setAwake(true);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => rest.current && setAwake(false), 2600);
  }, []);
  useEffect(() => {
    if (mayRest) wake();
    else {
      clearTimeout(timer.current);
      setAwake(true);
    }
    return () => clearTimeout(timer.current);
  }, [mayRest, wake]);
  return { awake, wake };
}

/** A spinner after 300 ms: shorter waits show nothing. */
function Waiting() {
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), 300);
    return () => clearTimeout(timer);
  }, []);
  return late ? (
    <div className="player-waiting" role="status">
      <span className="spinner" />
      <span className="sr">Loading</span>
    </div>
  ) : null;
}

type SurfaceProps = {
  session: PlayerSession;
  paused: boolean;
  awake: boolean;
  wake: () => void;
  onFull: () => void;
  say: (text: string) => void;
};

/** The picture as a target: a mouse click plays or pauses, a double click fills the screen; a touch shows the
 *  controls, a double touch left or right skips ten seconds. */
function Surface({ session, awake, wake, onFull, say }: SurfaceProps) {
  const last = useRef({ at: 0, x: 0 });
  const pending = useRef<ReturnType<typeof setTimeout>>(undefined);
  return (
    <div
      className="surface"
      onPointerUp={(event) => {
        if (event.button !== 0) return;
        const double = event.timeStamp - last.current.at < 280;
        last.current = { at: double ? 0 : event.timeStamp, x: event.clientX };
        if (event.pointerType === "mouse") {
          clearTimeout(pending.current);
          if (double) onFull();
          else pending.current = setTimeout(() => session.toggle(), 200);
          return;
        }
        const box = event.currentTarget.getBoundingClientRect();
        const side = (event.clientX - box.left) / box.width;
        if (double && (side < 0.35 || side > 0.65)) {
          session.skip(side < 0.5 ? -10 : 10);
          say(side < 0.5 ? "−10 s" : "+10 s");
        } else if (awake && !double) session.state.get().autoplay === "muted" && session.toggleMute();
        wake();
      }}
    />
  );
}
