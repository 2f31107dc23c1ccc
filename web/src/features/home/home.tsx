// Home: one title large, then rows of real titles.
import "./home.css";
import { Link } from "wouter";
import { useHome, useMe } from "../../api/queries";
import type { Video } from "../../api/types";
import { startName } from "../../lib/format";
import { Backdrop, Facts } from "../../titles/backdrop";
import { lengthName } from "../../titles/extras";
import { ListButton } from "../../titles/list";
import { left, PlayLink } from "../../titles/play";
import { Empty, Failure, Skeleton, useTitle } from "../../ui/basics";
import { Card, CardSkeleton } from "../../ui/card";
import { Icon } from "../../ui/icon";
import { Row } from "../../ui/row";

export function HomePage() {
  useTitle(undefined);
  const home = useHome();
  if (home.isPending) return <HomeSkeleton />;
  if (home.isError)
    return (
      <div className="page">
        <Failure whole what="The titles could not be loaded" error={home.error} retry={() => void home.refetch()} />
      </div>
    );
  const { hero, rows } = home.data;
  const filled = rows.filter((row) => row.items.length > 0);
  if (!hero && filled.length === 0) return <Nothing />;
  return (
    <div className="home">
      {hero ? <Hero video={hero} /> : <h1 className="sr">Home</h1>}
      {filled.map((row, index) => (
        <Row key={row.id} title={row.title} href={wholeRow(row.id)}>
          {row.items.map((video) => (
            <li key={video.id}>
              <Card video={video} note={note(row.id, video)} eager={index === 0} />
            </li>
          ))}
        </Row>
      ))}
    </div>
  );
}

/** The page that shows a row's whole list, where there is one. */
function wholeRow(id: string): string | undefined {
  if (id.startsWith("genre:")) return `/search?genre=${encodeURIComponent(id.slice(6))}`;
  return { continue: "/history", list: "/list", mine: "/studio" }[id];
}

/** What a card says beside the title's name, when not whose it is. */
function note(row: string, video: Video) {
  const event = video.event;
  if (row === "continue") return timeLeft(video);
  if (event?.state === "upcoming" && event.starts_at) return startName(event.starts_at);
  if (event?.viewers) return `${video.owner.name} · ${event.viewers.toLocaleString("en")} watching`;
  return undefined;
}

function timeLeft(video: Video) {
  const ms = left(video);
  return ms > 0 ? `${lengthName(ms)} left` : undefined;
}

function Hero({ video }: { video: Video }) {
  return (
    <Backdrop video={video}>
      <h1>{video.title}</h1>
      <Facts video={video} />
      {video.description && <p className="about">{video.description}</p>}
      <div className="actions">
        <PlayLink video={video} />
        <Link href={`/title/${video.id}`} className="btn large on-picture">
          <Icon name="info" />
          Details
        </Link>
        <ListButton video={video} large />
      </div>
    </Backdrop>
  );
}

function Nothing() {
  const me = useMe();
  const creator = me && me.role !== "viewer";
  return (
    <div className="page">
      <h1 className="sr">Home</h1>
      <Empty
        icon="film"
        title="Nothing to watch yet"
        actions={
          creator ? (
            <Link className="btn primary" href="/studio/upload">
              <Icon name="upload" />
              Upload a video
            </Link>
          ) : me === null ? (
            <Link className="btn primary" href="/signin">
              Sign in
            </Link>
          ) : null
        }
      >
        {creator
          ? "Drop a video file on the upload page. It can be watched here as soon as its first part is ready."
          : "As soon as someone publishes a title, it appears here."}
      </Empty>
    </div>
  );
}

function HomeSkeleton() {
  return (
    <div className="home" role="status" aria-label="Loading titles">
      <div className="backdrop">
        <div className="backdrop-text">
          <Skeleton width="min(480px, 70vw)" height="48px" />
          <Skeleton width="min(320px, 50vw)" height="20px" />
          <Skeleton width="min(520px, 80vw)" height="72px" />
          <div className="actions">
            <Skeleton width="128px" height="48px" />
            <Skeleton width="128px" height="48px" />
          </div>
        </div>
      </div>
      {[1, 2].map((row) => (
        <div className="row" key={row}>
          <header>
            <Skeleton width="160px" height="22px" />
          </header>
          <div className="track">
            {[1, 2, 3, 4, 5, 6].map((card) => (
              <CardSkeleton key={card} />
            ))}
          </div>
        </div>
      ))}
    </div>
  );
}
