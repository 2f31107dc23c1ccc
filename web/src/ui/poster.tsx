// A title's picture: the artwork that fits, sharp enough for its place, with length and progress.
import "./badge.css";
import type { ReactNode, Ref } from "react";
import type { Video } from "../api/types";
import { clock, percent } from "../lib/format";
import { Icon } from "./icon";
import { blurOf, pictureAt, srcSetOf } from "./picture";

/** The chosen poster for an `<img>`. */
export function posterOf({ artwork: { poster } }: Pick<Video, "artwork">) {
  return poster ? { src: pictureAt(poster.url, 640), srcSet: srcSetOf(poster), blur: blurOf(poster) } : null;
}

type Props = { video: Video; sizes: string; eager?: boolean; children?: ReactNode; ref?: Ref<HTMLSpanElement> };

export function Poster({ video, sizes, eager, children, ref }: Props) {
  const seen = video.progress && !video.live ? percent(video.progress.position_ms, video.progress.duration_ms) : 0;
  const picture = posterOf(video);
  return (
    <span className="poster" ref={ref} style={picture?.blur}>
      {picture ? (
        <img
          src={picture.src}
          srcSet={picture.srcSet}
          sizes={sizes}
          alt=""
          loading={eager ? "eager" : "lazy"}
          decoding="async"
        />
      ) : (
        <span className="blank">
          <Icon name="film" size={32} />
        </span>
      )}
      {video.live && <span className="live-badge">Live</span>}
      {video.duration_ms ? <span className="length">{clock(video.duration_ms)}</span> : null}
      {children}
      {seen > 0 && (
        <span className="watched">
          <i style={{ width: `${seen}%` }} />
        </span>
      )}
    </span>
  );
}
