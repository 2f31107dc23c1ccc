// What stays of a title, as a list of parts in milliseconds, and how it is told and typed. Pure.

export type Part = { start_ms: number; end_ms: number };

/** Parts shorter than this are let go: no one means them. */
const least = 100;

const sane = (parts: readonly Part[]) => parts.filter((part) => part.end_ms - part.start_ms >= least);

/** Only what lies within `part` stays. */
export const keepOnly = (keep: readonly Part[], part: Part): Part[] =>
  sane(
    keep.map((one) => ({
      start_ms: Math.max(one.start_ms, part.start_ms),
      end_ms: Math.min(one.end_ms, part.end_ms),
    })),
  );

/** What lies within `part` goes. */
export const cutOut = (keep: readonly Part[], part: Part): Part[] =>
  sane(
    keep.flatMap((one) => [
      { start_ms: one.start_ms, end_ms: Math.min(one.end_ms, part.start_ms) },
      { start_ms: Math.max(one.start_ms, part.end_ms), end_ms: one.end_ms },
    ]),
  );

export const length = (keep: readonly Part[]) => keep.reduce((sum, part) => sum + part.end_ms - part.start_ms, 0);

export const isWhole = (keep: readonly Part[], duration: number) => length(keep) >= duration;

/** Where to go on from `at` when only what stays is shown; `null` after the last part. */
export function next(keep: readonly Part[], at: number): number | null {
  for (const part of keep) {
    if (at < part.start_ms) return part.start_ms;
    if (at < part.end_ms) return at;
  }
  return null;
}

/** `1:02:03.450` */
export function exactClock(ms: number): string {
  const whole = Math.max(0, Math.round(ms));
  const two = (n: number) => String(n).padStart(2, "0");
  const [hours, minutes, seconds] = [
    Math.floor(whole / 3_600_000),
    Math.floor(whole / 60_000) % 60,
    Math.floor(whole / 1000) % 60,
  ];
  const rest = String(whole % 1000).padStart(3, "0");
  return `${hours > 0 ? `${hours}:${two(minutes)}` : minutes}:${two(seconds)}.${rest}`;
}

/** Reads `90`, `1:30`, `1:02:03.45`; `null` when it is no time. */
export function readClock(text: string): number | null {
  const match = /^(?:(?:(\d{1,3}):)?(\d{1,3}):)?(\d{1,5})(?:[.,](\d{1,3}))?$/.exec(text.trim());
  if (!match) return null;
  const [, hours = "0", minutes = "0", seconds = "0", rest = ""] = match;
  return (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1000 + Number(rest.padEnd(3, "0"));
}
