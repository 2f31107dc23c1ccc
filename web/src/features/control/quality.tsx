// How playbacks go: start-up, rebuffering, failures, bitrate; over time, by edge, by title. Asked again every two seconds.
import "./control.css";
import "./quality.css";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Link, useLocation, useSearch } from "wouter";
import * as api from "../../api/calls";
import { inWords } from "../../api/problem";
import { keys } from "../../api/queries";
import type { Quality, QualityFigures, QualityWindow } from "../../api/types";
import { Failure, Notice, Skeleton, useTitle } from "../../ui/basics";
import { Segments } from "../../ui/segments";
import { perMinute, rate, share, startup, tones, viewers } from "./measure";
import { Part, Tile } from "./parts";
import { Series } from "./series";
import { ControlTabs } from "./tabs";

// Sums are stored every two seconds: what a player told is here in less than five.
const EVERY_MS = 2000;
const windows = [
  { value: "5m", label: "5 min" },
  { value: "1h", label: "1 h" },
  { value: "24h", label: "24 h" },
] as const;
const inLongWords: Record<QualityWindow, string> = {
  "5m": "the last five minutes",
  "1h": "the last hour",
  "24h": "the last 24 hours",
};

export default function QualityPage() {
  useTitle("Quality");
  const search = useSearch();
  const [, navigate] = useLocation();
  const asked = new URLSearchParams(search).get("window");
  const window: QualityWindow = windows.find(({ value }) => value === asked)?.value ?? "1h";
  const query = useQuery({
    queryKey: keys.quality(window),
    queryFn: () => api.quality(window),
    refetchInterval: EVERY_MS,
    placeholderData: keepPreviousData,
  });
  return (
    <div className="page">
      <div className="page-head">
        <h1>Quality</h1>
        <ControlTabs />
      </div>
      {query.isPending ? (
        <Waits />
      ) : query.data ? (
        <>
          {query.isError && (
            <Notice tone="bad">What you see is from before: {inWords(query.error)} It is asked again by itself.</Notice>
          )}
          <Segments
            quiet
            label="How far back"
            value={window}
            options={windows}
            onValue={(value) =>
              navigate(value === "1h" ? "/control/quality" : `/control/quality?window=${value}`, { replace: true })
            }
          />
          <Whole quality={query.data} window={window} />
        </>
      ) : (
        <Failure what="The quality could not be loaded" error={query.error} retry={() => void query.refetch()} />
      )}
    </div>
  );
}

function Whole({ quality, window }: { quality: Quality; window: QualityWindow }) {
  const { total, titles } = quality;
  const quiet = titles.length === 0 && quality.playing_sessions === 0;
  return (
    <>
      <Tiles quality={quality} />
      {quiet ? (
        <Part title="Nobody watched" wide>
          <p className="muted">
            No player told of a playback in {inLongWords[window]}. As soon as somebody watches, its start-up, stalls and
            bitrate are here within seconds.
          </p>
        </Part>
      ) : (
        <div className="control">
          <OverTime quality={quality} />
          <Part title="By edge" wide>
            <Table
              of="Edge"
              quality={quality}
              rows={quality.edges.map((row) => ({ ...row, key: row.edge, name: edgeName(row.edge) }))}
            />
          </Part>
          <Part title="By title" wide>
            <Table
              of="Title"
              quality={quality}
              rows={titles.map((row) => ({
                ...row,
                key: row.video_id ?? "",
                name:
                  row.video_id && row.title !== null ? (
                    <Link href={`/studio/videos/${row.video_id}`}>{row.title}</Link>
                  ) : (
                    "A title that is gone"
                  ),
              }))}
            />
          </Part>
        </div>
      )}
      {total.errors > 0 && (
        <p className="clock-note">
          Players told of {total.errors.toLocaleString("en")} {total.errors === 1 ? "error" : "errors"} and{" "}
          {total.dropped_frames.toLocaleString("en")} dropped frames.
        </p>
      )}
    </>
  );
}

const edgeName = (edge: string) =>
  edge === "origin" ? "Origin, no edge between" : edge === "other" ? "Other edges" : edge;

function Tiles({ quality }: { quality: Quality }) {
  const { total, limits } = quality;
  const tone = tones(total, limits);
  const starts = total.starts + total.start_failures;
  return (
    <dl className="tiles">
      <Tile
        name="Playing now"
        figure={quality.playing_sessions.toLocaleString("en")}
        note={of(total.starts, "start")}
      />
      <Tile
        name="Start-up, 95 of 100"
        figure={startup(total.startup_p95_ms)}
        tone={tone.startup}
        note={total.startup_p50_ms === null ? "nothing started" : `half within ${startup(total.startup_p50_ms)}`}
      />
      <Tile
        name="Rebuffering"
        figure={share(total.rebuffer_ratio)}
        tone={tone.rebuffer}
        note={total.rebuffer_ratio === null ? "nothing played" : `of the time, ${of(total.stalls, "stall")}`}
      />
      <Tile
        name="Start failures"
        figure={share(total.start_failure_ratio)}
        tone={tone.failures}
        note={starts === 0 ? "nothing started" : `${total.start_failures} of ${starts.toLocaleString("en")}`}
      />
      <Tile
        name="Bitrate"
        figure={rate(total.mean_bitrate_bps)}
        note={
          total.switches_per_minute === null
            ? "nothing played"
            : `${perMinute(total.switches_per_minute)} switches a minute`
        }
      />
    </dl>
  );
}

const of = (n: number, what: string) => `${n.toLocaleString("en")} ${what}${n === 1 ? "" : "s"}`;

function OverTime({ quality }: { quality: Quality }) {
  const { series, limits } = quality;
  const times = series.map((step) => step.at);
  const values = (pick: (figures: QualityFigures) => number | null) => series.map((step) => pick(step.figures));
  return (
    <Part title="Over time" wide>
      <div className="quality-series">
        <Series
          name="Viewers"
          times={times}
          values={series.map((step) => step.viewers)}
          words={(value) => viewers(value ?? 0)}
          least={1}
        />
        <Series
          name="Start-up, 95 of 100"
          times={times}
          values={values((figures) => figures.startup_p95_ms)}
          words={startup}
          line={limits.startup_ms}
        />
        <Series
          name="Rebuffering"
          times={times}
          values={values((figures) => figures.rebuffer_ratio)}
          words={share}
          line={limits.rebuffer_ratio}
        />
        <Series
          name="Start failures"
          times={times}
          values={values((figures) => figures.start_failure_ratio)}
          words={share}
          line={limits.start_failure_ratio}
        />
        <Series
          name="Bitrate"
          times={times}
          values={values((figures) => figures.mean_bitrate_bps)}
          words={rate}
          least={1_000_000}
        />
        <Series
          name="Switches a minute"
          times={times}
          values={values((figures) => figures.switches_per_minute)}
          words={perMinute}
          least={1}
        />
      </div>
    </Part>
  );
}

type Row = { key: string; name: React.ReactNode; playing_sessions: number; figures: QualityFigures };

function Table({ of, rows, quality }: { of: string; rows: readonly Row[]; quality: Quality }) {
  if (rows.length === 0) return <p className="muted">Nothing yet.</p>;
  return (
    <table className="sheet folds figures">
      <thead>
        <tr>
          <th scope="col">{of}</th>
          {["Now", "Starts", "Failed", "Start-up, half", "95 of 100", "Rebuffering", "Bitrate", "Switches/min"].map(
            (column) => (
              <th key={column} scope="col" className="number">
                {column}
              </th>
            ),
          )}
        </tr>
      </thead>
      <tbody>
        {rows.map(({ key, name, playing_sessions, figures }) => {
          const tone = tones(figures, quality.limits);
          return (
            <tr key={key}>
              <th scope="row" className="name">
                {name}
              </th>
              <td className="number" data-label="now">
                {playing_sessions.toLocaleString("en")}
              </td>
              <td className="number" data-label="starts">
                {figures.starts.toLocaleString("en")}
              </td>
              <td className="number" data-label="failed" data-tone={tone.failures}>
                {share(figures.start_failure_ratio)}
              </td>
              <td className="number" data-label="start-up, half">
                {startup(figures.startup_p50_ms)}
              </td>
              <td className="number" data-label="95 of 100" data-tone={tone.startup}>
                {startup(figures.startup_p95_ms)}
              </td>
              <td className="number" data-label="rebuffering" data-tone={tone.rebuffer}>
                {share(figures.rebuffer_ratio)}
              </td>
              <td className="number" data-label="bitrate">
                {rate(figures.mean_bitrate_bps)}
              </td>
              <td className="number" data-label="switches/min">
                {perMinute(figures.switches_per_minute)}
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

function Waits() {
  return (
    <div className="stack" role="status" aria-label="Loading">
      <div className="tiles">
        {[1, 2, 3, 4, 5].map((tile) => (
          <Skeleton key={tile} height="136px" />
        ))}
      </div>
      <Skeleton height="420px" />
      <Skeleton height="160px" />
    </div>
  );
}
