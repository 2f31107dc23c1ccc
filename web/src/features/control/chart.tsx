// The farm's time chart: who worked on what, and when. Bars are drawn in percent of the width, so that one drawing fits all.
import { type KeyboardEvent, memo, useLayoutEffect, useMemo, useRef, useState } from "react";
import type { Farm } from "../../api/types";
import { exact } from "../../lib/format";
import { When } from "../../ui/basics";
import { type Group, groups, type Placed, ticks } from "./lanes";
import { cpuTime, hasFailed, kindName, outcomes, series, seriesOf, workerName } from "./words";

const LANE = 18;
const GAP = 4;

const hour = (at: number) => new Date(at).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });

const second = (at: number) => new Date(at).toLocaleTimeString("en-GB");

/** What a bar is, for ears and for the line below the chart. */
function inWords(bar: Placed): string {
  const taken = cpuTime((bar.ended - bar.started) / 1000);
  const end = bar.outcome === null ? `at work for ${taken}` : `${outcomes[bar.outcome]}, took ${taken}`;
  const cpu = bar.cpuMs ? `, CPU ${cpuTime(bar.cpuMs / 1000)}` : "";
  return `${kindName(bar.kind)}${bar.title ? ` of ${bar.title}` : ""}. ${end}${cpu}.`;
}

export function Chart({ farm }: { farm: Farm }) {
  const [since, at] = [Date.parse(farm.since), Date.parse(farm.at)];
  const all = useMemo(() => groups(farm), [farm]);
  const order = useMemo(() => all.flatMap((group) => group.bars), [all]);
  const byKey = useMemo(() => new Map(order.map((bar) => [bar.key, bar])), [order]);
  const [chosen, setChosen] = useState<string | null>(null);
  const shown = chosen === null ? undefined : byKey.get(chosen);
  const current = shown?.key ?? order[0]?.key ?? null;
  const box = useRef<HTMLDivElement>(null);
  // Where there is no room for all of it, the latest is what people want to see.
  useLayoutEffect(() => {
    if (box.current) box.current.scrollLeft = box.current.scrollWidth;
  }, []);
  const shownKinds = new Set(order.map((bar) => seriesOf(bar.kind)));
  const failures = order.filter((bar) => bar.outcome !== null && hasFailed(bar.outcome)).length;

  const keyOf = (target: EventTarget) =>
    target instanceof Element ? (target.closest<SVGElement>("[data-bar]")?.dataset.bar ?? null) : null;
  const look = (target: EventTarget) => {
    const key = keyOf(target);
    if (key) setChosen(key);
  };
  const onKeyDown = (event: KeyboardEvent<HTMLElement>) => {
    const from = order.findIndex((bar) => bar.key === keyOf(event.target));
    if (from < 0) return;
    const to = { ArrowLeft: from - 1, ArrowRight: from + 1, Home: 0, End: order.length - 1 }[event.key];
    const next = to === undefined ? undefined : order[to];
    if (!next) return;
    event.preventDefault();
    event.currentTarget.querySelector<SVGElement>(`[data-bar="${CSS.escape(next.key)}"]`)?.focus();
  };

  return (
    <div className="timechart">
      <ul className="legend-list" aria-label="Colours">
        {series
          .filter(({ of }) => shownKinds.has(of))
          .map(({ of, name }) => (
            <li key={of}>
              <i className="swatch" data-series={of} />
              {name}
            </li>
          ))}
        {failures > 0 && (
          <li>
            <i className="swatch" data-failed />
            Failed
          </li>
        )}
      </ul>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: hears of the bars within, which take the focus */}
      <div
        ref={box}
        className="timechart-scroll"
        onPointerOver={(event) => look(event.target)}
        onClick={(event) => look(event.target)}
        onFocus={(event) => look(event.target)}
        onKeyDown={onKeyDown}
      >
        <div className="timechart-inside">
          {all.map((group) => (
            <Lanes key={group.worker} group={group} since={since} at={at} chosen={shown?.key ?? null} tab={current} />
          ))}
          <div className="timechart-axis" aria-hidden="true">
            {ticks(since, at).map((tick) => {
              const share = (tick - since) / (at - since);
              // At the edges the words stay inside.
              const translate = share > 0.97 ? "-100%" : share < 0.03 ? "0" : "-50%";
              return (
                <span key={tick} style={{ insetInlineStart: `${share * 100}%`, translate }}>
                  {hour(tick)}
                </span>
              );
            })}
          </div>
        </div>
      </div>
      <div className="timechart-words" data-empty={!shown || undefined}>
        {shown ? (
          <>
            <p>
              <i className="swatch" data-series={seriesOf(shown.kind)} />
              <b>{shown.title ?? kindName(shown.kind)}</b>
              <span className="muted">
                {workerName(shown.worker)}, {second(shown.started)} to{" "}
                {shown.outcome === null ? "now" : second(shown.ended)}
              </span>
            </p>
            <p className="small">{inWords(shown)}</p>
            {shown.error && <p className="small bad">{shown.error}</p>}
          </>
        ) : (
          <p className="small">Point at a bar, or go through them with Tab and the arrow keys, to see what it is.</p>
        )}
      </div>
      <AsTable farm={farm} />
    </div>
  );
}

const Lanes = memo(function Lanes(props: {
  group: Group;
  since: number;
  at: number;
  chosen: string | null;
  tab: string | null;
}) {
  const { group, since, at, chosen, tab } = props;
  const share = (time: number) => Math.min(100, Math.max(0, ((time - since) / (at - since)) * 100));
  const height = group.lanes * (LANE + GAP) + GAP;
  const name = workerName(group.worker);
  return (
    <div className="timechart-worker">
      <div className="timechart-name" title={group.worker}>
        {name}
        {!group.isThere && <span className="muted"> is gone</span>}
      </div>
      <svg height={height} role="group" aria-label={`${name}: ${group.bars.length} attempts`}>
        {Array.from({ length: group.lanes }, (_, lane) => (
          <rect key={lane} className="lane" x="0" width="100%" y={GAP + lane * (LANE + GAP)} height={LANE} rx="3" />
        ))}
        {ticks(since, at).map((tick) => (
          <line key={tick} className="grid" x1={`${share(tick)}%`} x2={`${share(tick)}%`} y1="0" y2={height} />
        ))}
        {group.bars.map((bar) => {
          const [from, to] = [share(bar.started), share(bar.ended)];
          const failed = bar.outcome !== null && hasFailed(bar.outcome);
          const y = GAP + bar.lane * (LANE + GAP);
          return (
            // biome-ignore lint/a11y/noInteractiveElementToNoninteractiveRole: one bar at a time takes the focus, arrows move it
            <g
              key={bar.key}
              className="bar-of"
              data-bar={bar.key}
              data-series={seriesOf(bar.kind)}
              data-failed={failed || undefined}
              data-open={bar.outcome === null || undefined}
              data-chosen={bar.key === chosen || undefined}
              tabIndex={bar.key === tab ? 0 : -1}
              role="img"
              aria-label={inWords(bar)}
            >
              <rect
                x={`${from}%`}
                y={y}
                width={`${to - from}%`}
                style={{ width: `max(3px, calc(${to - from}% - 1px))` }}
                height={LANE}
                rx="3"
              />
              {failed && (
                <svg x={`${(from + to) / 2}%`} y={y + LANE / 2} overflow="visible" aria-hidden="true">
                  <path className="cross" d="M-4 -4L4 4M-4 4L4 -4" />
                </svg>
              )}
            </g>
          );
        })}
      </svg>
    </div>
  );
});

/** The same for those who read rather than look. */
function AsTable({ farm }: { farm: Farm }) {
  const [open, setOpen] = useState(false);
  const [most, setMost] = useState(50);
  return (
    <details className="timechart-table" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>The attempts as a table</summary>
      {open && (
        <>
          <table className="sheet folds">
            <thead>
              <tr>
                <th scope="col">Work</th>
                <th scope="col">Worker</th>
                <th scope="col">Outcome</th>
                <th scope="col">Ended</th>
                <th scope="col" className="number">
                  Took
                </th>
                <th scope="col" className="number">
                  CPU
                </th>
              </tr>
            </thead>
            <tbody>
              {farm.attempts.slice(0, most).map((attempt) => (
                <tr key={`${attempt.job_id} ${attempt.started_at}`}>
                  <th scope="row" className="name">
                    {kindName(attempt.kind)}
                    {attempt.video && ` of ${attempt.video.title}`}
                  </th>
                  <td className="name" data-label="by">
                    {workerName(attempt.worker)}
                  </td>
                  <td className={hasFailed(attempt.outcome) ? "bad whole" : "whole"}>{outcomes[attempt.outcome]}</td>
                  <td className="when muted" title={exact(attempt.ended_at)}>
                    <When at={attempt.ended_at} />
                  </td>
                  <td className="number" data-label="took">
                    {cpuTime((Date.parse(attempt.ended_at) - Date.parse(attempt.started_at)) / 1000)}
                  </td>
                  <td className="number" data-label="CPU">
                    {cpuTime(attempt.cpu_ms / 1000)}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
          {farm.attempts.length > most && (
            <button type="button" className="btn" onClick={() => setMost(most + 200)}>
              Show more
            </button>
          )}
        </>
      )}
    </details>
  );
}
