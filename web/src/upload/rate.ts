// Speed and time left of a transfer, from its last few seconds.

export type Sample = { at: number; bytes: number };
const windowMs = 5000;

/** Adds a sample and forgets what is older than the window (one older sample stays as its edge). */
export function addSample(samples: readonly Sample[], next: Sample): Sample[] {
  const last = samples.at(-1);
  // Fewer bytes than before: the server knew less than we thought. Measure anew.
  if (last && next.bytes < last.bytes) return [next];
  const all = [...samples, next];
  const edge = all.findLastIndex((sample) => sample.at <= next.at - windowMs);
  return edge > 0 ? all.slice(edge) : all;
}

/** Bytes per second; `null` before there is half a second to judge by. */
export function speed(samples: readonly Sample[]): number | null {
  const [first, last] = [samples[0], samples.at(-1)];
  if (!first || !last || last.at - first.at < 500) return null;
  return ((last.bytes - first.bytes) / (last.at - first.at)) * 1000;
}

export function secondsLeft(total: number, done: number, perSecond: number | null): number | null {
  if (!perSecond || perSecond <= 0) return null;
  return Math.max(0, total - done) / perSecond;
}
