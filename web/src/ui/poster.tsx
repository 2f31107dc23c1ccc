// A title's picture: the artwork that fits, sharp enough for its place, with length and progress.
import type { ReactNode, Ref } from "react";
import type { Video } from "../api/types";
import { clock, percent } from "../lib/format";
import { artworkOf } from "../titles/extras";
import { Icon } from "./icon";

type Width = 320 | 640 | 1280;
const widths: readonly Width[] = [320, 640, 1280];

/** The address of the poster in a width; the API's `poster_url` names one of them. */
export function posterAt(url: string, width: number): string {
  if (/\/(320|640|1280)\.jpg$/.test(url)) return url.replace(/\/(320|640|1280)\.jpg$/, `/${width}.jpg`);
  return /[?&]width=\d+/.test(url) ? url.replace(/([?&]width=)\d+/, `$1${width}`) : url;
}

/** The picture of a kind, or the poster where there is none. */
export function pictureOf(video: Video, kind: "poster" | "banner" | "portrait") {
  const artwork = artworkOf(video);
  const own = artwork?.[kind] ?? artwork?.poster;
  const url = own?.url ?? video.poster_url;
  if (!url) return null;
  return {
    src: posterAt(url, kind === "banner" ? 1280 : 640),
    srcSet: widths.map((width) => `${posterAt(url, width)} ${width}w`).join(", "),
    blur: own?.blur ?? null,
  };
}

type Props = { video: Video; sizes: string; eager?: boolean; children?: ReactNode; ref?: Ref<HTMLSpanElement> };

export function Poster({ video, sizes, eager, children, ref }: Props) {
  const seen = video.progress ? percent(video.progress.position_ms, video.progress.duration_ms) : 0;
  const picture = pictureOf(video, "poster");
  return (
    <span
      className="poster"
      ref={ref}
      style={picture?.blur ? { backgroundImage: `url("${picture.blur}")` } : undefined}
    >
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
