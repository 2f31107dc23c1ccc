// What viewers are told who may know of a title but not watch it now or here, and what its owner is told instead.
import { Link } from "wouter";
import type { Problem } from "../api/problem";
import type { Video } from "../api/types";
import { countryName } from "../lib/names";
import { Empty, Notice, useTitle, When } from "../ui/basics";
import type { IconName } from "../ui/icon";

const cases: Record<string, { title: string; icon: IconName }> = {
  not_yet_available: { title: "Not yet", icon: "history" },
  no_longer_available: { title: "No longer here", icon: "film" },
  not_available_in_country: { title: "Not available in your country", icon: "globe" },
};

/** Is this the refusal of a title that exists? */
export const isRefusal = (problem: Problem) => problem.code in cases;

const day = (at: string) => new Date(at).toLocaleString("en-GB", { dateStyle: "full", timeStyle: "short" });

export function Refusal({ problem }: { problem: Problem }) {
  const { title, icon } = cases[problem.code] ?? { title: "This title cannot be watched", icon: "film" as const };
  useTitle(title);
  return (
    <div className="page">
      <Empty
        whole
        icon={icon}
        title={title}
        actions={
          <Link className="btn primary" href="/">
            See what is here
          </Link>
        }
      >
        {problem.code === "not_yet_available" && problem.at ? (
          <>
            This title can be watched from <time dateTime={problem.at}>{day(problem.at)}</time> on.
          </>
        ) : problem.code === "no_longer_available" && problem.at ? (
          <>
            Its time here ended on <time dateTime={problem.at}>{day(problem.at)}</time>.
          </>
        ) : problem.code === "not_available_in_country" ? (
          "Whoever offers this title may show it in some countries only."
        ) : (
          problem.detail
        )}
      </Empty>
    </div>
  );
}

/** Why others do not see what its owner sees. */
export function ManagerNotice({ video }: { video: Video }) {
  if (!video.can_manage || video.state !== "ready" || video.deleted_at !== null) return null;
  const now = Date.now();
  const { publish_at, available_from, available_until, countries } = video;
  const words =
    video.visibility === "scheduled" && publish_at ? (
      <>
        Only you see this. It becomes public <When at={publish_at} />.
      </>
    ) : available_from && Date.parse(available_from) > now ? (
      <>
        Others cannot watch this yet. They can <When at={available_from} />.
      </>
    ) : available_until && Date.parse(available_until) <= now ? (
      <>
        Others can no longer watch this. It ended <When at={available_until} />.
      </>
    ) : countries && countries.length <= 5 ? (
      <>This plays only in {countries.map(countryName).join(", ")}.</>
    ) : countries ? (
      <>This plays only in {countries.length} countries.</>
    ) : null;
  if (!words) return null;
  return (
    <Notice tone="accent" icon="lock">
      <div className="line">
        <span>{words}</span>
        <Link className="btn small push" href={`/studio/videos/${video.id}?tab=availability`}>
          Change
        </Link>
      </div>
    </Notice>
  );
}
