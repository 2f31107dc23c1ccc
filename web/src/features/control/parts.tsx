// What the operators' pages share: figures, panels, links to titles.
import type { ReactNode } from "react";
import { Link } from "wouter";

export function Tile(props: {
  name: string;
  figure: string;
  note: ReactNode;
  tone?: "bad" | "warn";
  children?: ReactNode;
}) {
  return (
    <div className="tile">
      <dt>{props.name}</dt>
      <dd className="figure" data-tone={props.tone}>
        {props.figure}
      </dd>
      <dd className="note">{props.note}</dd>
      {props.children && <dd>{props.children}</dd>}
    </div>
  );
}

export function Part({
  title,
  end,
  wide,
  children,
}: {
  title: string;
  end?: ReactNode;
  wide?: boolean;
  children: ReactNode;
}) {
  return (
    <section className={wide ? "panel wide" : "panel"} aria-label={title}>
      <header>
        <h2>{title}</h2>
        {end}
      </header>
      {children}
    </section>
  );
}

export function Title({ video }: { video: { id: string; title: string } | null }) {
  return video ? <Link href={`/studio/videos/${video.id}`}>{video.title}</Link> : null;
}

/** What the programs of an attempt said. */
export function Log({ attempt, of }: { attempt: string; of: string }) {
  return (
    <a
      href={`/api/v1/control/attempts/${attempt}/log`}
      target="_blank"
      rel="noreferrer"
      aria-label={`Log: ${of} (opens in a new tab)`}
    >
      Log
    </a>
  );
}

/** `45 s`, `12 min`, `3 h`, `2 days`. */
export function duration(seconds: number): string {
  if (seconds < 60) return `${Math.max(0, seconds)} s`;
  if (seconds < 3600) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} days`;
}
