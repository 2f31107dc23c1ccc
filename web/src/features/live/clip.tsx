// Clips of an event, live or over: a small player, a beginning and an end, a title. Nothing is encoded, so that a clip goes from
// border to border of segments.
import { type KeyboardEvent, useEffect, useRef, useState } from "react";
import { Link } from "wouter";
import { look } from "../../api/calls";
import { createClip } from "../../api/live";
import { inWords, Problem } from "../../api/problem";
import { listsChanged } from "../../api/queries";
import type { LiveEvent, Visibility } from "../../api/types";
import { clock, spokenClock } from "../../lib/format";
import { askEdges, attempts, Edges } from "../../player/edges";
import { loadShaka } from "../../player/warm";
import { Button, Field, Notice } from "../../ui/basics";
import { Select } from "../../ui/inputs";
import { Time } from "../studio/editor/time";
import { visibilities } from "../studio/state";

/** What a clip has at first, and how far a key moves, milliseconds. */
const usual = 30_000;
const step = 200;

type Made = { id: string; title: string; from_ms: number; to_ms: number };

export function Clips({ event }: { event: LiveEvent }) {
  const [open, setOpen] = useState(false);
  const [made, setMade] = useState<readonly Made[]>([]);
  return (
    <section className="panel clip" aria-labelledby="clips">
      <h2 id="clips">Clips</h2>
      <p className="muted small">
        A clip is a title of its own, which stays when the {event.state === "live" ? "event" : "recording"} is deleted.
        Nothing is encoded again: it begins and ends where segments do, up to two seconds earlier and later than you
        choose.
      </p>
      <div role="status" className="stack" hidden={made.length === 0}>
        {made.map((clip) => (
          <Notice key={clip.id} tone="accent" icon="check">
            <span>
              <Link href={`/studio/videos/${clip.id}`}>{clip.title}</Link> goes from {clock(clip.from_ms)} to{" "}
              {clock(clip.to_ms)}, and can be watched in a moment.
            </span>
          </Notice>
        ))}
      </div>
      {open ? (
        <Form
          event={event}
          onMade={(clip) => {
            setMade((old) => [clip, ...old]);
            setOpen(false);
            listsChanged();
          }}
          onClose={() => setOpen(false)}
        />
      ) : (
        <div>
          <Button icon="film" onClick={() => setOpen(true)}>
            Make a clip
          </Button>
        </div>
      )}
    </section>
  );
}

function Form({ event, onMade, onClose }: { event: LiveEvent; onMade: (clip: Made) => void; onClose: () => void }) {
  const live = event.state === "live";
  const screen = useRef<HTMLVideoElement>(null);
  const { range, failed } = usePlayer(event.id, screen);
  const [at, setAt] = useState(0);
  const [playing, setPlaying] = useState(false);
  const [marks, setMarks] = useState<{ from: number; to: number } | null>(null);
  const [title, setTitle] = useState("");
  const [visibility, setVisibility] = useState<Visibility>("private");
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState<Record<string, string>>({});
  const [failure, setFailure] = useState("");
  useEffect(() => {
    if (!range || marks) return;
    const from = live ? Math.max(range.start, range.end - usual) : range.start;
    setMarks({ from, to: Math.min(range.end, from + usual) });
    if (screen.current) screen.current.currentTime = from / 1000;
  }, [range, marks, live]);
  const here = () => Math.round((screen.current?.currentTime ?? 0) * 1000);
  const seek = (ms: number) => {
    if (screen.current) screen.current.currentTime = ms / 1000;
    setAt(ms);
  };
  const begin = (from: number) => setMarks((old) => ({ from, to: Math.max(old?.to ?? 0, from + 1000) }));
  const end = (to: number) => setMarks((old) => ({ from: Math.max(0, Math.min(old?.from ?? 0, to - 1000)), to }));
  const toggle = () => {
    const video = screen.current;
    if (video?.paused) void video.play().catch(() => {});
    else video?.pause();
  };
  const save = async () => {
    if (!marks) return;
    setBusy(true);
    setFailure("");
    setWrong({});
    try {
      const form = { from_ms: marks.from, to_ms: marks.to, title, visibility };
      onMade({ title, ...(await createClip(event.id, form)) });
    } catch (error) {
      const fields = error instanceof Problem ? error.fields : {};
      setWrong(fields);
      if (Object.keys(fields).length === 0) setFailure(inWords(error));
      setBusy(false);
    }
  };
  const key = (event: KeyboardEvent<HTMLElement>) => {
    const writes =
      event.target instanceof HTMLElement && event.target.closest("input:not([type=range]), select, button");
    const does: Record<string, () => void> = { " ": toggle, k: toggle, i: () => begin(here()), o: () => end(here()) };
    const act = does[event.key.toLowerCase()];
    if (!act || writes || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act();
  };
  if (failed) return <Notice tone="bad">{failed}</Notice>;
  const span = range ? Math.max(1, range.end - range.start) : 1;
  const place = (ms: number) => Math.min(100, Math.max(0, ((ms - (range?.start ?? 0)) / span) * 100));
  return (
    <form
      className="stack clip"
      noValidate
      onKeyDown={key}
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      <video
        ref={screen}
        playsInline
        tabIndex={-1}
        aria-label="Preview of the clip"
        onTimeUpdate={() => setAt(here())}
        onSeeked={() => setAt(here())}
        onPlay={() => setPlaying(true)}
        onPause={() => setPlaying(false)}
      />
      <div className="clip-bar">
        <Button
          icon={playing ? "pause" : "play"}
          aria-label={playing ? "Pause" : "Play"}
          aria-keyshortcuts="Space"
          onClick={toggle}
        />
        <span className="clip-line">
          <input
            type="range"
            aria-label="Position"
            min={range?.start ?? 0}
            max={range?.end ?? 0}
            step={step}
            value={at}
            disabled={!range}
            aria-valuetext={spokenClock(at)}
            onChange={(event) => seek(Number(event.target.value))}
          />
          {marks && (
            <span
              className="clip-part"
              style={{ left: `${place(marks.from)}%`, width: `${place(marks.to) - place(marks.from)}%` }}
            />
          )}
        </span>
        <span className="small muted">{clock(at)}</span>
      </div>
      <div className="clip-fields">
        <Time label="Begins at" value={marks?.from ?? 0} onValue={begin} onHere={here} />
        <Time label="Ends at" value={marks?.to ?? 0} onValue={end} onHere={here} />
      </div>
      {(wrong.from_ms || wrong.to_ms) && <Notice tone="bad">{wrong.from_ms ?? wrong.to_ms}</Notice>}
      <p className="small muted">
        Keys: <kbd>Space</kbd> plays, <kbd>I</kbd> begins the clip here, <kbd>O</kbd> ends it.
      </p>
      <div className="clip-fields">
        <Field
          label="Title of the clip"
          value={title}
          maxLength={200}
          wrong={wrong.title}
          onChange={(event) => setTitle(event.target.value)}
        />
        <Select
          label="Visibility"
          value={visibility}
          onValue={(value) => setVisibility(value as Visibility)}
          options={(["private", "unlisted", "public"] as const).map((value) => ({
            value,
            label: visibilities[value].label,
          }))}
        />
      </div>
      {failure && <Notice tone="bad">{failure}</Notice>}
      <div className="line">
        <Button type="submit" look="primary" busy={busy} disabled={!marks || !title.trim()}>
          {marks ? `Make a clip of ${clock(marks.to - marks.from)}` : "Make a clip"}
        </Button>
        <Button look="quiet" onClick={onClose}>
          Cancel
        </Button>
      </div>
    </form>
  );
}

/** A player whose time line is the event's, and how far that can be seen, milliseconds. */
function usePlayer(id: string, screen: { current: HTMLVideoElement | null }) {
  const [range, setRange] = useState<{ start: number; end: number } | null>(null);
  const [failed, setFailed] = useState("");
  useEffect(() => {
    let closed = false;
    let close = () => {};
    const open = async () => {
      // DASH: its time line begins with the event, also for those who come late.
      const [{ default: shaka }, playback] = await Promise.all([loadShaka(), look(id)]);
      if (closed || !screen.current) return;
      const player = new shaka.Player();
      const ask = () => {
        const { start, end } = player.seekRange();
        // Whole steps, which a slider counts from its beginning.
        if (end > start)
          setRange({ start: Math.ceil((start * 1000) / step) * step, end: Math.floor((end * 1000) / step) * step });
      };
      const timer = setInterval(ask, 1000);
      close = () => {
        clearInterval(timer);
        void player.destroy();
      };
      await player.attach(screen.current);
      const edges = new Edges(playback.edges);
      player.configure(attempts(edges));
      askEdges(player, () => edges);
      await player.load(playback.dash_url);
      ask();
    };
    open().catch((error: unknown) => !closed && setFailed(inWords(error)));
    return () => {
      closed = true;
      close();
    };
  }, [id, screen]);
  return { range, failed };
}
