// Home: one title large, then rows of real titles.
import "./home.css";
import { Link } from "wouter";
import { useHome, useMe } from "../../api/queries";
import type { Video } from "../../api/types";
import { clock } from "../../lib/format";
import { warmWatch } from "../../player/warm";
import { Empty, Failure, Skeleton, useTitle } from "../../ui/basics";
import { Icon } from "../../ui/icon";
import { Card, CardSkeleton, posterAt, Row } from "../../ui/poster";

export function HomePage() {
  useTitle(undefined);
  const home = useHome();
  if (home.isPending) return <HomeSkeleton />;
  if (home.isError)
    return <Failure whole what="The titles could not be loaded" error={home.error} retry={() => void home.refetch()} />;
  const { hero, rows } = home.data;
  const filled = rows.filter((row) => row.items.length > 0);
  if (!hero && filled.length === 0) return <Nothing />;
  return (
    <div className="home">
      {hero ? <Hero video={hero} /> : <h1 className="sr">Home</h1>}
      {filled.map((row) => (
        <Row key={row.id} title={row.title}>
          {row.items.map((video) => (
            <li key={video.id}>
              <Card video={video} />
            </li>
          ))}
        </Row>
      ))}
    </div>
  );
}

function Hero({ video }: { video: Video }) {
  const seen = video.progress?.position_ms ?? 0;
  return (
    <section className="hero" aria-label={video.title}>
      {video.poster_url && (
        <img
          src={posterAt(video.poster_url, 1280)}
          srcSet={`${posterAt(video.poster_url, 640)} 640w, ${posterAt(video.poster_url, 1280)} 1280w`}
          sizes="100vw"
          alt=""
          fetchPriority="high"
        />
      )}
      <div className="hero-text">
        <h1>{video.title}</h1>
        <p className="facts">
          <span>{video.owner.name}</span>
          {video.duration_ms ? <span>{clock(video.duration_ms)}</span> : null}
          {video.height ? <span>{Math.min(video.height, video.width ?? video.height)}p</span> : null}
        </p>
        {video.description && <p className="about">{video.description}</p>}
        <div className="line">
          <Link
            href={`/watch/${video.id}`}
            className="btn primary large"
            onPointerEnter={() => warmWatch()}
            onFocus={() => warmWatch()}
            onClick={() => warmWatch(video.id)}
          >
            <Icon name="play" />
            {seen > 0 ? "Resume" : "Play"}
          </Link>
          {seen > 0 && video.duration_ms ? <span className="small">{clock(video.duration_ms - seen)} left</span> : null}
        </div>
      </div>
    </section>
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
      <div className="hero">
        <div className="hero-text">
          <Skeleton width="min(480px, 70vw)" height="48px" />
          <Skeleton width="min(320px, 50vw)" height="20px" />
          <Skeleton width="144px" height="48px" />
        </div>
      </div>
      {[1, 2].map((row) => (
        <div className="row" key={row}>
          <header>
            <Skeleton width="160px" height="22px" />
          </header>
          <div className="track">
            {[1, 2, 3, 4, 5].map((card) => (
              <CardSkeleton key={card} />
            ))}
          </div>
        </div>
      ))}
    </div>
  );
}
