// The figures of quality in words, and what counts as too bad.
import type { Quality, QualityFigures } from "../../api/types";
import { bitrate } from "../../lib/format";

export const none = "–";

/** A time to the first frame: `480 ms`, `1.6 s`. */
export function startup(ms: number | null): string {
  if (ms === null) return none;
  return ms < 995 ? `${Math.round(ms)} ms` : `${Number((ms / 1000).toFixed(ms < 9950 ? 1 : 0))} s`;
}

/** A small share: `0 %`, `< 0.01 %`, `0.42 %`, `12 %`. */
export function share(ratio: number | null): string {
  if (ratio === null) return none;
  const percent = ratio * 100;
  if (percent === 0) return "0 %";
  if (percent < 0.01) return "< 0.01 %";
  return `${Number(percent.toFixed(percent < 0.995 ? 2 : percent < 9.95 ? 1 : 0))} %`;
}

export const rate = (bps: number | null) => (bps === null ? none : bitrate(bps));

export const perMinute = (n: number | null) =>
  n === null ? none : n === 0 ? "0" : n < 0.05 ? "< 0.1" : String(Number(n.toFixed(1)));

/** Viewers on average: whole ones, or a tenth of a few. */
export const viewers = (n: number) =>
  n === 0 || n >= 9.95 ? String(Math.round(n)) : n < 0.05 ? "< 0.1" : n.toFixed(1);

export type Tone = "bad" | "warn" | undefined;

/** Over the line is bad, close to it a warning. */
export function tone(value: number | null, line: number): Tone {
  if (value === null || value <= line * 0.75) return undefined;
  return value > line ? "bad" : "warn";
}

export const tones = (figures: QualityFigures, limits: Quality["limits"]) => ({
  startup: tone(figures.startup_p95_ms, limits.startup_ms),
  rebuffer: tone(figures.rebuffer_ratio, limits.rebuffer_ratio),
  failures: tone(figures.start_failure_ratio, limits.start_failure_ratio),
});

/** A round number at or above the highest value, for the top of an axis. */
export function top(values: readonly (number | null)[], least: number): number {
  const most = Math.max(least, ...values.map((value) => value ?? 0));
  if (most <= 0) return 1;
  const size = 10 ** Math.floor(Math.log10(most));
  const step = [1, 1.5, 2, 2.5, 3, 4, 5, 7.5, 10].find((one) => one * size >= most * 0.9999) ?? 10;
  return step * size;
}

/** A value with nothing on either side, which no line shows. */
export const isAlone = (values: readonly (number | null)[], at: number) =>
  values[at] != null && values[at - 1] == null && values[at + 1] == null;

/** Lines through the points that have a value, each a run without gaps; in units of the drawing. */
export function runs(values: readonly (number | null)[], highest: number, width: number, height: number): string[] {
  const step = values.length > 1 ? width / (values.length - 1) : 0;
  const lines: string[][] = [];
  let run: string[] | null = null;
  values.forEach((value, at) => {
    if (value === null) {
      run = null;
      return;
    }
    if (!run) {
      run = [];
      lines.push(run);
    }
    run.push(`${(at * step).toFixed(1)},${(height - (Math.min(value, highest) / highest) * height).toFixed(1)}`);
  });
  return lines.filter((points) => points.length > 1).map((points) => `M${points.join("L")}`);
}
