// How an event goes: figures, what could be better in words, and five minutes of it.
import type { Health, HealthPoint, Publisher } from "../../api/types";
import { bitrate } from "../../lib/format";
import { Notice, When } from "../../ui/basics";
import { Icon } from "../../ui/icon";
import { Tile } from "../control/parts";
import { Series } from "../control/series";

const onAirWords: Record<Health["on_air"], string> = {
  primary: "Viewers see the main encoder",
  backup: "Viewers see the backup encoder",
  slate: "Viewers see a still picture until an encoder is back",
  nothing: "Viewers see nothing yet",
};

const seconds = (ms: number | null | undefined) => (ms == null ? "–" : `${Math.round(ms / 100) / 10} s`);
const rate = (value: number | null | undefined) => (value == null ? "–" : value.toFixed(value % 1 ? 2 : 0));
const drift = (ms: number | null | undefined) => (ms == null ? "–" : `${ms > 0 ? "+" : ""}${ms} ms`);

/** Key frames farther apart make the beginning slow. */
const keysApartMs = 4500;

export function Going({ health, points }: { health: Health; points: readonly HealthPoint[] }) {
  const leading = health.publishers.find(({ slot }) => slot === health.on_air) ?? health.publishers[0];
  if (!leading) return null;
  const warnings = health.publishers.flatMap((one) => one.warnings.map((warning) => ({ ...warning, slot: one.slot })));
  const given = health.ladder.rungs.filter(({ on }) => !on).length;
  const slow = health.ladder.speed !== null && health.ladder.speed < 0.97;
  return (
    <>
      <section className="panel" aria-label="How it goes">
        <header>
          <h2>How it goes</h2>
          <span className={`pill ${health.on_air === "nothing" ? "busy" : "on-air"}`}>{onAirWords[health.on_air]}</span>
        </header>
        {warnings.length === 0 && !slow && given === 0 ? (
          <p className="live-well">
            <Icon name="check" />
            All is well.
          </p>
        ) : (
          <ul className="live-warnings">
            {warnings.map(({ code, words, slot }) => (
              <li key={`${slot} ${code}`}>
                <Notice tone="bad">
                  {health.publishers.length > 1 && <b>{slot === "backup" ? "Backup: " : "Main: "}</b>}
                  {words}
                </Notice>
              </li>
            ))}
            {slow && (
              <li>
                <Notice tone="bad">
                  The server encodes more slowly than the picture comes. Lower the resolution or the frame rate.
                </Notice>
              </li>
            )}
            {given > 0 && (
              <li>
                <Notice>
                  {given === 1 ? "One quality was" : `${given} qualities were`} given up because the server did not keep
                  up.
                </Notice>
              </li>
            )}
          </ul>
        )}
        <Figures health={health} leading={leading} />
        <Charts points={points} />
      </section>
      <Encoders health={health} />
    </>
  );
}

function Figures({ health, leading }: { health: Health; leading: Publisher }) {
  const picture = leading.tracks.find(({ kind }) => kind === "video");
  const lost = leading.tracks.reduce((sum, track) => sum + track.dropped + track.missing, 0);
  const size = picture?.width && picture.height ? `${picture.width} × ${picture.height}` : "no picture";
  const apart = picture?.key_interval_ms;
  return (
    <dl className="tiles live-tiles">
      <Tile name="Bitrate" figure={bitrate(leading.bitrate_bps)} note="from your encoder" />
      <Tile name="Frames a second" figure={rate(picture?.frames_per_second)} note={size} />
      <Tile
        name="Key frames"
        figure={seconds(apart)}
        tone={apart != null && apart > keysApartMs ? "bad" : undefined}
        note="apart; 2 s is best"
      />
      <Tile
        name="Lost frames"
        figure={lost.toLocaleString("en")}
        tone={picture && lost > picture.frames / 100 ? "bad" : undefined}
        note={picture ? `of ${picture.frames.toLocaleString("en")}` : "so far"}
      />
      <Tile
        name="Sound to picture"
        figure={drift(leading.av_drift_ms)}
        tone={Math.abs(leading.av_drift_ms ?? 0) > 200 ? "bad" : undefined}
        note="moved apart"
      />
      <Tile
        name="Encoding"
        figure={health.ladder.speed === null ? "–" : `${health.ladder.speed.toFixed(2)} ×`}
        tone={health.ladder.speed !== null && health.ladder.speed < 0.97 ? "bad" : undefined}
        note={`${health.ladder.rungs.filter(({ on }) => on).length} qualities`}
      />
      <Tile name="Watching" figure={health.viewers.toLocaleString("en")} note="now" />
    </dl>
  );
}

function Charts({ points }: { points: readonly HealthPoint[] }) {
  if (points.length < 5) return <p className="clock-note">The charts begin in a few seconds.</p>;
  const times = points.map(({ at }) => at);
  // What was lost in each second: the count is since the beginning, and begins anew with another encoder.
  const lost = points.map((point, at) => Math.max(0, point.lost - (points[at - 1]?.lost ?? point.lost)));
  const charts = [
    { name: "Bitrate", values: points.map((point) => point.bitrate_bps), words: (v: number | null) => bitrate(v ?? 0) },
    {
      name: "Frames a second",
      values: points.map((point) => point.frames_per_second),
      words: rate,
      least: 30,
    },
    {
      name: "Key frames apart",
      values: points.map((point) => point.key_interval_ms),
      words: seconds,
      line: keysApartMs,
    },
    { name: "Lost frames", values: lost, words: (v: number | null) => String(v ?? 0), least: 5 },
    {
      name: "Sound to picture",
      values: points.map((point) => (point.av_drift_ms === null ? null : Math.abs(point.av_drift_ms))),
      words: (v: number | null) => (v === null ? "–" : `${Math.round(v)} ms`),
      line: 200,
    },
    {
      name: "Encoding speed",
      values: points.map((point) => point.speed),
      words: (v: number | null) => (v === null ? "–" : `${v.toFixed(2)} ×`),
      least: 1.2,
    },
    {
      name: "Watching",
      values: points.map((point) => point.viewers),
      words: (v: number | null) => (v ?? 0).toLocaleString("en"),
      least: 5,
    },
  ];
  const told = charts.filter(({ values }) => values.some((value) => value !== null));
  return (
    <div className="quality-series live-series">
      {told.map((chart) => (
        <Series key={chart.name} times={times} {...chart} />
      ))}
    </div>
  );
}

function Encoders({ health }: { health: Health }) {
  return (
    <section className="panel" aria-label="Encoders">
      <h2>{health.publishers.length === 1 ? "Your encoder" : "Your encoders"}</h2>
      {health.publishers.map((one) => (
        <div key={one.slot} className="stack live-encoder">
          <div className="line">
            <b>{one.slot === "backup" ? "Backup" : "Main"}</b>
            <span className="muted">
              {one.encoder ?? "unnamed"}, {one.protocol.toUpperCase()}, since <When at={one.since} />
            </span>
          </div>
          <ul className="live-tracks">
            {one.tracks.map((track, at) => (
              <li key={at}>
                <b>{track.kind === "video" ? "Picture" : "Sound"}</b>{" "}
                {[
                  track.codec,
                  track.width && track.height ? `${track.width} × ${track.height}` : null,
                  track.sample_rate ? `${(track.sample_rate / 1000).toLocaleString("en")} kHz` : null,
                  track.channels ? (track.channels === 1 ? "mono" : `${track.channels} channels`) : null,
                  bitrate(track.bitrate_bps),
                ]
                  .filter(Boolean)
                  .join(" · ")}
              </li>
            ))}
          </ul>
        </div>
      ))}
      {health.ladder.rungs.length > 0 && (
        <p className="muted small">
          Viewers get{" "}
          {health.ladder.rungs
            .filter(({ on }) => on)
            .map(({ width, height, is_source }) => `${Math.min(width, height)}p${is_source ? " (as you send it)" : ""}`)
            .join(", ")}
          {health.ladder.deaths > 0 && ` · the encoding began anew ${health.ladder.deaths} times`}
        </p>
      )}
    </section>
  );
}
