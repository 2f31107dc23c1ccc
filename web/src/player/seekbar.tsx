// The seek bar: what is played, buffered and not there yet; hover and drag show a picture of the moment.
import { type PointerEvent, useRef, useState } from "react";
import { clock, spokenClock } from "../lib/format";
import { useStore } from "../lib/store";
import { type Tile, tileAt } from "../lib/vtt";
import { liveSlackSeconds, type PlayerSession } from "./session";

export function SeekBar({ session }: { session: PlayerSession }) {
  const state = useStore(session.state);
  const bar = useRef<HTMLDivElement>(null);
  const [hover, setHover] = useState<number | null>(null);
  const [drag, setDrag] = useState<number | null>(null);
  const { duration, available, from, live } = state;
  const span = duration - from;
  const part = (seconds: number) => `${span > 0 ? Math.min(100, Math.max(0, ((seconds - from) / span) * 100)) : 0}%`;

  const timeAt = (event: PointerEvent) => {
    const box = bar.current?.getBoundingClientRect();
    if (!box || duration <= 0) return 0;
    const time = from + ((event.clientX - box.left) / box.width) * span;
    return Math.min(Math.max(from, time), available || duration);
  };
  const keys: Record<string, () => void> = {
    ArrowLeft: () => session.skip(-5),
    ArrowRight: () => session.skip(5),
    PageUp: () => session.skip(60),
    PageDown: () => session.skip(-60),
    Home: () => session.seek(from),
    End: () => session.seek(available || duration),
  };
  const shown = drag ?? hover;
  const at = drag ?? state.position;
  return (
    <div
      className="seek"
      ref={bar}
      role="slider"
      tabIndex={0}
      aria-label="Seek"
      aria-valuemin={Math.round(from)}
      aria-valuemax={Math.round(duration)}
      aria-valuenow={Math.round(at)}
      aria-valuetext={
        live ? spokenBehind(duration - at) : `${spokenClock(at * 1000)} of ${spokenClock(duration * 1000)}`
      }
      data-drag={drag !== null || undefined}
      onKeyDown={(event) => {
        const act = keys[event.key];
        if (!act || event.altKey || event.ctrlKey || event.metaKey) return;
        event.preventDefault();
        act();
      }}
      onPointerDown={(event) => {
        if (event.button !== 0 || duration <= 0) return;
        event.currentTarget.setPointerCapture(event.pointerId);
        setDrag(timeAt(event));
      }}
      onPointerMove={(event) => {
        const time = timeAt(event);
        if (drag !== null) setDrag(time);
        else if (event.pointerType === "mouse") setHover(time);
      }}
      onPointerUp={(event) => {
        if (drag === null) return;
        session.seek(timeAt(event));
        setDrag(null);
      }}
      onPointerCancel={() => setDrag(null)}
      onPointerLeave={() => setHover(null)}
    >
      <div className="rail">
        {available < duration - 0.5 && <i className="missing" style={{ left: part(available), right: 0 }} />}
        {state.buffered.map((range) => (
          <i
            className="buffered"
            key={range.start}
            style={{ left: part(range.start), width: part(from + range.end - Math.max(from, range.start)) }}
          />
        ))}
        {hover !== null && drag === null && <i className="ahead" style={{ width: part(hover) }} />}
        <i className="played" style={{ width: part(at) }} />
      </div>
      <i className="thumb" style={{ left: part(at) }} />
      {shown !== null && duration > 0 && (
        <Preview
          session={session}
          tile={tileAt(state.tiles, shown)}
          words={live ? `−${clock((duration - shown) * 1000)}` : clock(shown * 1000)}
          left={part(shown)}
        />
      )}
    </div>
  );
}

const spokenBehind = (seconds: number) =>
  seconds < liveSlackSeconds ? "live" : `${spokenClock(seconds * 1000)} behind live`;

type PreviewProps = { session: PlayerSession; tile: Tile | null; words: string; left: string };

function Preview({ session, tile, words, left }: PreviewProps) {
  const [misses, setMisses] = useState(0);
  const addresses = tile ? session.pictureAt(tile.url) : [];
  const width = tile?.w ?? 56;
  return (
    <div
      className="preview"
      style={{ left: `clamp(${width / 2}px, ${left}, calc(100% - ${width / 2}px))` }}
      aria-hidden="true"
    >
      {tile && (
        <span style={{ width: tile.w, height: tile.h }}>
          <img
            src={addresses[Math.min(misses, addresses.length - 1)]}
            alt=""
            style={{ transform: `translate(-${tile.x}px, -${tile.y}px)` }}
            onError={() => setMisses(misses + 1)}
          />
        </span>
      )}
      <b>{words}</b>
    </div>
  );
}
