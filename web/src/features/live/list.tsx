// The studio's live events: what is live, what is to come, what was.
import "../studio/studio.css";
import "./live.css";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "wouter";
import { useStudioEvents } from "../../api/events";
import { events, type ListState } from "../../api/live";
import { keys, queryClient } from "../../api/queries";
import type { LiveEvent } from "../../api/types";
import { clock, startName } from "../../lib/format";
import { Button, Empty, Failure, Skeleton, useTitle, When } from "../../ui/basics";
import { Icon } from "../../ui/icon";
import { Poster } from "../../ui/poster";
import { VisibilityOf } from "../studio/state";
import { stateWords } from "./words";

const everyMs = 10_000;

function useEvents(state: ListState) {
  return useInfiniteQuery({
    queryKey: keys.eventsThat(state),
    queryFn: ({ pageParam }) => events(state, pageParam),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    staleTime: 0,
    // Encoders come and go without a change of the title.
    refetchInterval: state === "ended" ? false : everyMs,
  });
}

export default function LiveListPage() {
  useTitle("Live");
  useStudioEvents(() => void queryClient.invalidateQueries({ queryKey: keys.events }));
  const lists = { live: useEvents("live"), upcoming: useEvents("upcoming"), ended: useEvents("ended") };
  const all = Object.values(lists);
  const failed = all.find((list) => list.isError && !list.data);
  const empty = all.every((list) => list.data?.pages.every((page) => page.items.length === 0));
  const add = (
    <Link className="btn primary" href="/studio/live/new">
      <Icon name="plus" />
      New event
    </Link>
  );
  return (
    <div className="page">
      <div className="page-head">
        <Link href="/studio" className="btn quiet icon" aria-label="Back to the library">
          <Icon name="left" />
        </Link>
        <h1>Live</h1>
        <span className="push" />
        {!(empty && !failed) && add}
      </div>
      {failed ? (
        <Failure what="Your events could not be loaded" error={failed.error} retry={() => void failed.refetch()} />
      ) : all.some((list) => list.isPending) ? (
        <Waits />
      ) : empty ? (
        <Empty icon="live" title="No live events yet" actions={add}>
          Plan an event, enter its key into OBS or another encoder, and go live. When it ends it becomes an ordinary
          title.
        </Empty>
      ) : (
        <>
          <Part title="Live now" list={lists.live} />
          <Part title="Upcoming" list={lists.upcoming} none="Nothing is planned." />
          <Part title="Past" list={lists.ended} />
        </>
      )}
    </div>
  );
}

function Part({ title, list, none }: { title: string; list: ReturnType<typeof useEvents>; none?: string }) {
  const items = list.data?.pages.flatMap((page) => page.items) ?? [];
  if (items.length === 0 && !none) return null;
  return (
    <section className="panel" aria-label={title}>
      <h2>{title}</h2>
      {items.length === 0 ? (
        <p className="muted">{none}</p>
      ) : (
        <ul className="live-rows">
          {items.map((event) => (
            <Row key={event.id} event={event} />
          ))}
        </ul>
      )}
      {list.hasNextPage && (
        <Button busy={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
          Show more
        </Button>
      )}
    </section>
  );
}

function Row({ event }: { event: LiveEvent }) {
  const { video } = event;
  return (
    <li>
      <Link href={`/studio/live/${event.id}`} className="title-link">
        <Poster video={{ ...video, duration_ms: null, live: false }} sizes="128px" />
        <span>
          <span className="name">{video.title}</span>
          <span className="small muted about">{about(event)}</span>
        </span>
      </Link>
      <span className="live-row-end">
        <VisibilityOf video={video} />
        <StateOfEvent event={event} />
      </span>
    </li>
  );
}

function about({ state, starts_at, video }: LiveEvent) {
  const told = video.event;
  if (state === "live")
    return (
      <>
        Since {told?.started_at ? <When at={told.started_at} /> : "a moment ago"}
        {told?.viewers != null && ` · ${told.viewers.toLocaleString("en")} watching`}
      </>
    );
  if (state === "ended")
    return (
      <>
        {told?.ended_at && <When at={told.ended_at} />}
        {video.state === "ended" ? " · not kept" : video.duration_ms ? ` · ${clock(video.duration_ms)}` : ""}
      </>
    );
  return starts_at ? startName(starts_at) : "No time announced";
}

export function StateOfEvent({ event }: { event: LiveEvent }) {
  if (event.ending) return <span className="pill busy">Ending…</span>;
  if (event.state === "upcoming" && event.connected) return <span className="pill busy">Encoder connected</span>;
  if (event.state === "live" && !event.connected) return <span className="pill bad">No encoder</span>;
  const { label, look } = stateWords[event.state];
  return <span className={`pill ${look}`}>{label}</span>;
}

function Waits() {
  return (
    <div className="titles-wait" role="status" aria-label="Loading">
      {[1, 2, 3, 4].map((row) => (
        <div key={row}>
          <Skeleton width="128px" ratio="16 / 9" />
          <Skeleton width="60%" height="20px" />
          <Skeleton width="96px" height="24px" />
        </div>
      ))}
    </div>
  );
}
