// One figure over time: a line with its top and its alert line, told in words where the pointer or the arrows are.
import { type KeyboardEvent, type PointerEvent, useState } from "react";
import { isAlone, runs, top } from "./measure";

const [WIDTH, HEIGHT] = [600, 120];

export type SeriesProps = {
  name: string;
  values: readonly (number | null)[];
  /** When each step began. */
  times: readonly string[];
  words: (value: number | null) => string;
  /** What should not be exceeded. */
  line?: number;
  /** The axis reaches at least so far. */
  least?: number;
};

export function Series({ name, values, times, words, line, least = 0 }: SeriesProps) {
  const [at, setAt] = useState<number | null>(null);
  const last = values.length - 1;
  const shown = at === null ? null : Math.min(at, last);
  // The alert line stands clear of the top.
  const highest = top(values, Math.max(least, (line ?? 0) * 1.5));
  const y = (value: number) => (1 - Math.min(value, highest) / highest) * 100;
  const value = shown === null ? null : (values[shown] ?? null);
  const known = values.filter((one) => one !== null);

  const point = (event: PointerEvent<HTMLElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    const share = box.width > 0 ? (event.clientX - box.left) / box.width : 1;
    setAt(Math.min(last, Math.max(0, Math.round(share * last))));
  };
  const press = (event: KeyboardEvent<HTMLElement>) => {
    const from = shown ?? last;
    const to = { ArrowLeft: from - 1, ArrowRight: from + 1, Home: 0, End: last }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    setAt(Math.min(last, Math.max(0, to)));
  };
  const told = shown ?? last;
  return (
    <figure className="series">
      <figcaption>
        <span>{name}</span>
        <span className="series-told" data-empty={shown === null || undefined}>
          {shown === null
            ? line === undefined
              ? ""
              : `alert over ${words(line)}`
            : `${clock(times[shown])}: ${words(value)}`}
        </span>
      </figcaption>
      <div
        className="series-plot"
        role="slider"
        tabIndex={0}
        aria-label={`${name} over time`}
        aria-valuemin={0}
        aria-valuemax={Math.max(0, last)}
        aria-valuenow={Math.max(0, told)}
        aria-valuetext={`${clock(times[told])}: ${words(values[told] ?? null)}`}
        onPointerMove={point}
        onPointerDown={point}
        onPointerLeave={() => setAt(null)}
        onBlur={() => setAt(null)}
        onKeyDown={press}
      >
        <span className="series-top" aria-hidden="true">
          {words(highest)}
        </span>
        <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
          <line className="base" x1="0" x2={WIDTH} y1={HEIGHT} y2={HEIGHT} />
          {line !== undefined && (
            <line className="limit" x1="0" x2={WIDTH} y1={(y(line) / 100) * HEIGHT} y2={(y(line) / 100) * HEIGHT} />
          )}
          {runs(values, highest, WIDTH, HEIGHT).map((run) => (
            <path key={run} d={run} />
          ))}
        </svg>
        {values.map((one, step) =>
          one !== null && isAlone(values, step) ? (
            <i key={times[step]} className="series-dot" style={placed(step, last, y(one))} />
          ) : null,
        )}
        {shown !== null && (
          <>
            <i className="series-at" style={placed(shown, last)} />
            {value !== null && <i className="series-dot" style={placed(shown, last, y(value))} />}
          </>
        )}
        {known.length === 0 && <span className="series-none">nothing to tell</span>}
      </div>
      <div className="series-axis" aria-hidden="true">
        <span>{clock(times[0])}</span>
        <span>{clock(times[Math.floor(last / 2)])}</span>
        <span>{clock(times[last])}</span>
      </div>
    </figure>
  );
}

const placed = (step: number, last: number, top?: number) => ({
  insetInlineStart: `${last > 0 ? (step / last) * 100 : 0}%`,
  ...(top === undefined ? {} : { insetBlockStart: `${top}%` }),
});

function clock(time: string | undefined): string {
  return time === undefined ? "" : new Date(time).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
}
