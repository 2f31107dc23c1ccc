// Cutting a title: a preview that plays what stays, a strip of pictures with two handles, and what it will cost.
import "./trim.css";
import { type KeyboardEvent, type PointerEvent, type ReactNode, useEffect, useRef, useState } from "react";
import * as api from "../../../api/calls";
import { inWords } from "../../../api/problem";
import { queryClient } from "../../../api/queries";
import type { Trimmed, Video } from "../../../api/types";
import { clock } from "../../../lib/format";
import { useStore } from "../../../lib/store";
import { tileAt } from "../../../lib/vtt";
import { PlayerSession } from "../../../player/session";
import { Button, Notice } from "../../../ui/basics";
import { toast } from "../../../ui/toast";
import { cutOut, exactClock, isWhole, keepOnly, length, next, type Part } from "./cuts";
import { Time } from "./time";
import { versionsKey } from "./versions";

const strip = 10;

export default function Trim({ video, onClose }: { video: Video; onClose: () => void }) {
  const duration = video.duration_ms ?? 0;
  const [keep, setKeep] = useState<readonly Part[]>([{ start_ms: 0, end_ms: duration }]);
  const [chosen, setChosen] = useState<Part>({ start_ms: 0, end_ms: duration });
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<string>();
  const session = useSession(video);
  const cost = useCost(video.id, keep, isWhole(keep, duration));
  const all = chosen.start_ms <= 0 && chosen.end_ms >= duration;
  const change = (keep: readonly Part[]) => {
    setKeep(keep);
    setChosen({ start_ms: 0, end_ms: duration });
  };
  const save = async () => {
    setBusy(true);
    try {
      await api.trimVideo(video.id, { keep: [...keep], dry_run: false });
      void queryClient.invalidateQueries({ queryKey: versionsKey(video.id) });
      toast("The cut version is being made. The title plays as it did until it is complete.");
      onClose();
    } catch (error) {
      setFailure(inWords(error));
      setBusy(false);
    }
  };
  return (
    <div className="trim">
      {session && <Preview session={session} keep={keep} />}
      {session && (
        <Strip
          session={session}
          duration={duration}
          keep={keep}
          chosen={chosen}
          onChosen={(part, at) => {
            setChosen(part);
            session.seek(at / 1000);
          }}
        />
      )}
      <div className="trim-fields">
        <Time
          label="From"
          value={chosen.start_ms}
          onValue={(ms) => setChosen({ ...chosen, start_ms: Math.min(ms, chosen.end_ms - 100) })}
          onHere={session ? () => session.video.currentTime * 1000 : undefined}
        />
        <Time
          label="To"
          value={chosen.end_ms}
          onValue={(ms) => setChosen({ ...chosen, end_ms: Math.min(duration, Math.max(ms, chosen.start_ms + 100)) })}
          onHere={session ? () => session.video.currentTime * 1000 : undefined}
        />
      </div>
      <div className="line">
        <Button disabled={all} onClick={() => change(keepOnly(keep, chosen))}>
          Keep only this
        </Button>
        <Button disabled={all} onClick={() => change(cutOut(keep, chosen))}>
          Cut this out
        </Button>
        <Button
          look="quiet"
          disabled={isWhole(keep, duration)}
          onClick={() => change([{ start_ms: 0, end_ms: duration }])}
        >
          Start over
        </Button>
      </div>
      <p className="small muted" role="status">
        {keep.length === 0 ? "Nothing would be left." : cost.words}
      </p>
      {(failure || cost.failure) && <Notice tone="bad">{failure ?? cost.failure}</Notice>}
      <div className="line">
        <Button look="primary" busy={busy} disabled={!cost.told} onClick={() => void save()}>
          {cost.told ? `Trim to ${clock(cost.told.duration_ms)}` : "Trim"}
        </Button>
        <Button look="quiet" onClick={onClose}>
          Cancel
        </Button>
      </div>
    </div>
  );
}

/** A player of its own, which begins paused and ends with the panel. */
function useSession(video: Video): PlayerSession | null {
  const [session, setSession] = useState<PlayerSession | null>(null);
  const { id } = video;
  useEffect(() => {
    const made = new PlayerSession(() => api.look(id), { startAt: 0, untold: true });
    // Nobody asked for it to play yet.
    made.video.addEventListener("playing", () => made.video.pause(), { once: true });
    setSession(made);
    return () => made.close();
  }, [id]);
  return session;
}

/** What the server would do, asked for when the parts have been the same for a moment. */
function useCost(id: string, keep: readonly Part[], whole: boolean) {
  const [told, setTold] = useState<Trimmed | null>(null);
  const [failure, setFailure] = useState<string>();
  useEffect(() => {
    setTold(null);
    setFailure(undefined);
    if (whole || keep.length === 0) return;
    let current = true;
    const timer = setTimeout(() => {
      api.trimVideo(id, { keep: [...keep], dry_run: true }).then(
        (told) => current && setTold(told),
        (error: unknown) => current && setFailure(inWords(error)),
      );
    }, 250);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [id, keep, whole]);
  const words = whole
    ? "Choose a part with the handles, then keep only it or cut it out."
    : told
      ? `${clock(told.duration_ms)} stay. ${
          told.segments_encoded === 0
            ? "Nothing has to be encoded again."
            : `${(told.encoded_ms / 1000).toFixed(1)} s at the cuts are encoded again; all else stays as it is.`
        }`
      : `${clock(length(keep))} stay.`;
  return { told, failure, words };
}

function Preview({ session, keep }: { session: PlayerSession; keep: readonly Part[] }) {
  const stage = useRef<HTMLDivElement>(null);
  const state = useStore(session.state);
  useEffect(() => {
    stage.current?.prepend(session.stage);
  }, [session]);
  // While it plays, what is cut away is passed over.
  useEffect(() => {
    if (state.paused) return;
    const at = state.position * 1000;
    const to = next(keep, at);
    if (to === null) session.video.pause();
    else if (to > at + 50) session.seek(to / 1000);
  }, [session, keep, state.position, state.paused]);
  return (
    <div className="trim-preview" ref={stage}>
      {state.failed && <Notice tone="bad">{state.failed.text}</Notice>}
      <div className="trim-bar">
        <Button
          size="small"
          icon={state.paused ? "play" : "pause"}
          aria-label={state.paused ? "Play what stays" : "Pause"}
          onClick={() => session.toggle()}
        />
        <span className="small">{exactClock(state.position * 1000)}</span>
      </div>
    </div>
  );
}

type StripProps = {
  session: PlayerSession;
  duration: number;
  keep: readonly Part[];
  chosen: Part;
  onChosen: (part: Part, at: number) => void;
};

function Strip({ session, duration, keep, chosen, onChosen }: StripProps) {
  const { tiles, position } = useStore(session.state);
  const box = useRef<HTMLDivElement>(null);
  const part = (ms: number) => `${duration > 0 ? (Math.min(ms, duration) / duration) * 100 : 0}%`;
  const at = (event: PointerEvent) => {
    const rect = box.current?.getBoundingClientRect();
    if (!rect) return 0;
    return Math.round(Math.min(1, Math.max(0, (event.clientX - rect.left) / rect.width)) * duration);
  };
  const move = (side: "start_ms" | "end_ms", ms: number) => {
    const to =
      side === "start_ms"
        ? Math.min(Math.max(0, ms), chosen.end_ms - 100)
        : Math.max(Math.min(duration, ms), chosen.start_ms + 100);
    onChosen({ ...chosen, [side]: to }, to);
  };
  const handle = (side: "start_ms" | "end_ms", label: string): ReactNode => (
    <div
      className="trim-handle"
      data-side={side}
      role="slider"
      tabIndex={0}
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={duration}
      aria-valuenow={chosen[side]}
      aria-valuetext={exactClock(chosen[side])}
      style={{ left: part(chosen[side]) }}
      onPointerDown={(event) => {
        event.stopPropagation();
        event.currentTarget.setPointerCapture(event.pointerId);
      }}
      onPointerMove={(event) => {
        if (event.currentTarget.hasPointerCapture(event.pointerId)) move(side, at(event));
      }}
      onKeyDown={(event) => {
        const by = stepOf(event);
        if (by === null) return;
        event.preventDefault();
        event.stopPropagation();
        move(side, Number.isFinite(by) ? chosen[side] + by : by < 0 ? 0 : duration);
      }}
    />
  );
  return (
    <div
      className="trim-strip"
      ref={box}
      onPointerDown={(event) => event.button === 0 && session.seek(at(event) / 1000)}
    >
      <div className="trim-tiles" aria-hidden="true">
        {Array.from({ length: strip }, (_, n) => {
          const tile = tileAt(tiles, (((n + 0.5) / strip) * duration) / 1000);
          const place = `${tile?.url ?? ""}-${n}`;
          return (
            <span key={place}>
              {tile && (
                <i
                  style={{
                    width: tile.w,
                    height: tile.h,
                    backgroundImage: `url("${tile.url}")`,
                    backgroundPosition: `-${tile.x}px -${tile.y}px`,
                  }}
                />
              )}
            </span>
          );
        })}
      </div>
      {gone(keep, duration).map((hole) => (
        <div
          key={hole.start_ms}
          className="trim-gone"
          style={{ left: part(hole.start_ms), width: part(hole.end_ms - hole.start_ms) }}
        />
      ))}
      <div
        className="trim-chosen"
        style={{ left: part(chosen.start_ms), width: part(chosen.end_ms - chosen.start_ms) }}
      />
      <div className="trim-at" style={{ left: part(position * 1000) }} />
      {handle("start_ms", "Beginning of the part")}
      {handle("end_ms", "End of the part")}
    </div>
  );
}

/** How far a key moves a handle: a frame, a second with Shift, ten with Page Up and Page Down. */
function stepOf(event: KeyboardEvent): number | null {
  const by = event.shiftKey ? 1000 : 40;
  const steps: Record<string, number> = {
    ArrowLeft: -by,
    ArrowDown: -by,
    ArrowRight: by,
    ArrowUp: by,
    PageDown: -10_000,
    PageUp: 10_000,
    Home: Number.NEGATIVE_INFINITY,
    End: Number.POSITIVE_INFINITY,
  };
  return steps[event.key] ?? null;
}

function gone(keep: readonly Part[], duration: number): Part[] {
  return cutOutAll([{ start_ms: 0, end_ms: duration }], keep);
}

const cutOutAll = (from: Part[], parts: readonly Part[]) => parts.reduce((rest, part) => cutOut(rest, part), from);
