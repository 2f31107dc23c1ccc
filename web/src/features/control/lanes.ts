// Attempts and jobs at work, laid out for the time chart: one group for each worker, one lane for each slot.
import type { Attempt, Farm } from "../../api/types";

export type Bar = {
  key: string;
  worker: string;
  kind: string;
  title: string | null;
  /** `null`: at work. */
  outcome: Attempt["outcome"] | null;
  started: number;
  ended: number;
  cpuMs: number | null;
  error: string | null;
};
export type Placed = Bar & { lane: number };
export type Group = { worker: string; lanes: number; bars: Placed[]; isThere: boolean };

/** Clocks of workers differ a little, and one job follows the other at once. */
const TOUCH_MS = 250;

/** Each bar in the first lane that is free, in the order in which they began. */
export function place(bars: readonly Bar[]): Placed[] {
  const free: number[] = [];
  return [...bars]
    .sort((a, b) => a.started - b.started || a.key.localeCompare(b.key))
    .map((bar) => {
      let lane = free.findIndex((until) => until <= bar.started + TOUCH_MS);
      if (lane < 0) lane = free.length;
      free[lane] = bar.ended;
      return { ...bar, lane };
    });
}

export function groups(farm: Farm): Group[] {
  const [since, at] = [Date.parse(farm.since), Date.parse(farm.at)];
  const bars = new Map<string, Bar[]>(farm.workers.map((worker) => [worker.name, []]));
  const add = (bar: Bar) => {
    const list = bars.get(bar.worker);
    if (list) list.push(bar);
    else bars.set(bar.worker, [bar]);
  };
  for (const attempt of farm.attempts)
    add({
      key: `${attempt.job_id} ${attempt.started_at}`,
      worker: attempt.worker,
      kind: attempt.kind,
      title: attempt.video?.title ?? null,
      outcome: attempt.outcome,
      started: Date.parse(attempt.started_at),
      ended: Date.parse(attempt.ended_at),
      cpuMs: attempt.cpu_ms,
      error: attempt.error,
    });
  for (const worker of farm.workers)
    for (const job of worker.jobs)
      add({
        key: `${job.id} now`,
        worker: worker.name,
        kind: job.kind,
        title: job.video?.title ?? null,
        outcome: null,
        started: Math.min(Date.parse(job.since), at),
        ended: at,
        cpuMs: null,
        error: null,
      });
  return [...bars].map(([worker, list]) => {
    const placed = place(list.filter((bar) => bar.ended >= since));
    const known = farm.workers.find((other) => other.name === worker);
    const lanes = Math.max(1, known?.slots ?? 0, ...placed.map((bar) => bar.lane + 1));
    return { worker, lanes, bars: placed, isThere: known !== undefined };
  });
}

/** Instants of the axis, on full minutes or hours of the viewer's clock. */
export function ticks(since: number, at: number): number[] {
  const hours = (at - since) / 3_600_000;
  const step = (hours <= 1.5 ? 10 : hours <= 8 ? 60 : 180) * 60_000;
  const zone = new Date(at).getTimezoneOffset() * 60_000;
  const list: number[] = [];
  for (let tick = Math.ceil((since - zone) / step) * step + zone; tick <= at; tick += step) list.push(tick);
  return list;
}
