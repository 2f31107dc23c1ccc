// Tells the server how a playback goes: a beat at the first frame, every ten seconds, at errors and at the end. Never in the
// playback's way: what cannot be sent waits in memory, and when that is full the oldest goes.
import type { components } from "../api/schema";

export type Beat = components["schemas"]["BeatBody"];
type Body = components["schemas"]["Beats"];

/** What the player shows at a moment; counts grow from the playback's begin. */
export type Reading = {
  bytes: number;
  droppedFrames: number;
  bitrate: number;
  height: number;
  /** Seconds ahead. */
  ahead: number;
};
/** What the viewer sees: a moving picture, one that waits for media, or neither by their own wish. */
export type Phase = "idle" | "playing" | "stalled";
/** What became of a batch: taken, never to be taken, or worth another try. */
export type Outcome = "done" | "refused" | "later";

export const everyMs = 10_000;
/** Beats that wait at most. */
export const most = 500;
/** Beats in one request; few enough for `sendBeacon`, which takes 64 KiB of all that is under way. */
const atOnce = 100;
const [firstPauseMs, longestPauseMs] = [2_000, 60_000];

export type Ways = {
  now: () => number;
  post: (body: string) => Promise<Outcome>;
  /** Hands a body to the browser, which sends it when the page is gone. */
  leave: (body: string) => boolean;
};

type Waiting = { token: string; at: number; beat: Omit<Beat, "age_ms"> };

export class Beats {
  private token: string | null = null;
  private seq = 0;
  private readonly queue: Waiting[] = [];
  private phase: Phase = "idle";
  private phaseSince = 0;
  private hasStarted = false;
  private sums = { playing: 0, stalled: 0, stalls: 0, switches: 0 };
  private last = { bytes: 0, droppedFrames: 0 };
  private edge: string | undefined;
  private under = false;
  private pauseMs = firstPauseMs;
  private notBefore = 0;

  constructor(
    private readonly read: () => Reading | null,
    private readonly ways: Ways = browser,
  ) {}

  /** A permission to play: beats belong to it from here on. */
  begin(address: string) {
    this.interval();
    this.token = tokenOf(address);
    this.seq = 0;
    this.last = { bytes: 0, droppedFrames: 0 };
  }

  /** The first frame is there. */
  started(startupMs: number) {
    if (this.hasStarted) return;
    this.hasStarted = true;
    this.phaseSince = this.ways.now();
    this.add({ kind: "start", startup_ms: Math.max(0, Math.round(startupMs)) });
    void this.flush();
  }

  /** The viewer sees something else than before. Waiting counts from the first frame on. */
  see(phase: Phase) {
    if (phase === this.phase) return;
    this.account();
    if (phase === "stalled" && this.hasStarted) this.sums.stalls += 1;
    this.phase = phase;
  }

  switched() {
    if (this.hasStarted) this.sums.switches += 1;
  }

  /** A media answer's `Cache-Status` (RFC 9211): the last cache in it is the one next to us. */
  heard(cacheStatus: string | undefined) {
    if (cacheStatus !== undefined) this.edge = edgeOf(cacheStatus);
  }

  failed(code: string, fatal: boolean) {
    this.interval();
    const plain = code.replace(/[^A-Za-z0-9._-]/g, "-").slice(0, 64) || "unknown";
    this.add({ kind: "error", code: plain, fatal, started: this.hasStarted });
    void this.flush();
  }

  /** To be called every ten seconds. */
  tick() {
    this.interval();
    void this.flush();
  }

  ended() {
    this.interval();
    this.add({ kind: "end" });
    void this.flush();
  }

  /** The page may be gone any moment. What the browser takes over stays in the queue: sent twice it counts once. */
  leave() {
    this.interval();
    for (let from = 0; from < this.queue.length; ) {
      const batch = this.batch(from);
      if (!this.ways.leave(this.body(batch))) return;
      from += batch.length;
    }
  }

  /** Sends what waits, unless something is under way or a failure asks for patience. */
  async flush(): Promise<void> {
    if (this.under || this.queue.length === 0 || this.ways.now() < this.notBefore) return;
    this.under = true;
    const batch = this.batch(0);
    const outcome = await this.ways.post(this.body(batch)).catch((): Outcome => "later");
    this.under = false;
    if (outcome === "later") {
      this.notBefore = this.ways.now() + this.pauseMs;
      this.pauseMs = Math.min(longestPauseMs, this.pauseMs * 2);
      return;
    }
    // Those at the front may have made room for newer ones meanwhile.
    const sent = new Set(batch);
    this.queue.splice(0, this.queue.length, ...this.queue.filter((one) => !sent.has(one)));
    this.pauseMs = firstPauseMs;
    return this.flush();
  }

  private account() {
    const now = this.ways.now();
    const passed = Math.max(0, now - this.phaseSince);
    if (this.hasStarted && this.phase !== "idle") this.sums[this.phase] += passed;
    this.phaseSince = now;
  }

  /** A beat of what went on since the last one, if anything did. */
  private interval() {
    this.account();
    const { playing, stalled, stalls, switches } = this.sums;
    if (this.token === null || (Math.round(playing) === 0 && Math.round(stalled) === 0)) return;
    const reading = this.read();
    const since = (now: number, before: number) => Math.max(0, Math.round(now < before ? now : now - before));
    this.add({
      kind: "play",
      playing_ms: Math.round(playing),
      stalled_ms: Math.round(stalled),
      stalls,
      switches,
      ...(reading && {
        bitrate_bps: Math.max(0, Math.round(reading.bitrate)),
        bytes: since(reading.bytes, this.last.bytes),
        dropped_frames: since(reading.droppedFrames, this.last.droppedFrames),
        buffer_ms: Math.max(0, Math.round(reading.ahead * 1000)),
        height: Math.max(0, Math.round(reading.height)),
      }),
    });
    if (reading) this.last = { bytes: reading.bytes, droppedFrames: reading.droppedFrames };
    this.sums = { playing: 0, stalled: 0, stalls: 0, switches: 0 };
  }

  private add(beat: Omit<Beat, "seq" | "age_ms">) {
    if (this.token === null) return;
    const edge = this.edge === undefined ? {} : { edge: this.edge };
    this.queue.push({ token: this.token, at: this.ways.now(), beat: { seq: this.seq++, ...edge, ...beat } });
    if (this.queue.length > most) this.queue.shift();
  }

  /** The beats from there on that can go together. */
  private batch(from: number): Waiting[] {
    const token = this.queue[from]?.token;
    const rest = this.queue.slice(from, from + atOnce);
    const other = rest.findIndex((one) => one.token !== token);
    return other < 0 ? rest : rest.slice(0, other);
  }

  private body(batch: readonly Waiting[]): string {
    const now = this.ways.now();
    const beats = batch.map(({ beat, at }) => ({ ...beat, age_ms: Math.max(0, Math.round(now - at)) }));
    return JSON.stringify({ v: 1, token: batch[0]?.token ?? "", beats } satisfies Body);
  }
}

/** The token in a media address: what follows `/media/`. */
export function tokenOf(address: string): string | null {
  return /\/media\/([^/]+)\//.exec(address)?.[1] ?? null;
}

/** The name of the cache nearest to the viewer, as the server takes it. */
export function edgeOf(cacheStatus: string): string | undefined {
  const name = cacheStatus.split(",").at(-1)?.split(";")[0]?.trim().replace(/^"|"$/g, "").toLowerCase();
  return name && /^[a-z0-9._-]{1,64}$/.test(name) ? name : undefined;
}

const address = "/api/v1/beats";
const browser: Ways = {
  now: () => performance.now(),
  async post(body) {
    const answer = await fetch(address, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
      credentials: "omit",
      priority: "low",
      signal: AbortSignal.timeout(15_000),
    });
    if (answer.ok) return "done";
    return answer.status >= 500 || answer.status === 429 || answer.status === 408 ? "later" : "refused";
  },
  leave: (body) => navigator.sendBeacon?.(address, body) ?? false,
};
