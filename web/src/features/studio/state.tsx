// The state of a title as a pill, with its progress while something runs.
import type { Video } from "../../api/types";
import { exact, percent } from "../../lib/format";
import { Bar } from "../../ui/basics";
import { Icon, type IconName } from "../../ui/icon";

const running: Record<string, string> = {
  upload: "Uploading",
  probe: "Reading",
  encode: "Encoding",
  audio: "Encoding sound",
  pictures: "Making pictures",
  publish: "Publishing",
  formats: "Adding formats",
};

export function StateOf({ video }: { video: Video }) {
  if (video.state === "failed") return <span className="pill bad">Failed</span>;
  if (video.state === "cancelled") return <span className="pill">Cancelled</span>;
  if (video.state === "upcoming") return <span className="pill">Upcoming event</span>;
  if (video.state === "ended") return <span className="pill">Event, not kept</span>;
  if (video.live) return <span className="pill on-air">Live</span>;
  if (video.state === "ready" && video.complete) return <span className="pill good">Ready</span>;
  const step = video.steps?.find((one) => one.state === "running");
  const part = step && step.total > 0 ? percent(step.done, step.total) : null;
  const word = (step && running[step.name]) ?? (video.state === "uploading" ? "Uploading" : "Waiting");
  return (
    <span className="state-live">
      <span className="pill busy">
        {video.state === "ready" ? "Playable · " : ""}
        {word}
        {part === null ? "" : ` ${Math.floor(part)} %`}
      </span>
      {step && <Bar value={part} label={`${word} ${video.title}`} />}
    </span>
  );
}

export const visibilities: Record<Video["visibility"], { label: string; icon: IconName; hint: string }> = {
  public: { label: "Public", icon: "globe", hint: "Everyone sees it: on the home page, in search, by its link." },
  unlisted: { label: "Unlisted", icon: "link", hint: "Everyone who has the link can watch it. It is listed nowhere." },
  scheduled: { label: "Scheduled", icon: "history", hint: "Private until its time comes, then public by itself." },
  private: { label: "Private", icon: "lock", hint: "Only you and administrators can see it." },
};

export function VisibilityOf({ video }: { video: Video }) {
  const { label, icon } = visibilities[video.visibility];
  const at = video.visibility === "scheduled" ? video.publish_at : null;
  return (
    <span className="visibility" title={at ? exact(at) : undefined}>
      <Icon name={icon} size={16} />
      {label}
      {at && <span className="sr"> for {exact(at)}</span>}
    </span>
  );
}
