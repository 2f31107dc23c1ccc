// A title large: its picture behind, fading into the page, with words and actions before it. Home's hero and the top of
// the title page.
import "./backdrop.css";
import type { ReactNode } from "react";
import type { Video } from "../api/types";
import { backdropSizes, blurOf, firstPicture, srcSetOf } from "../ui/picture";
import { facts } from "./extras";

/** Fades in what is not there yet. A picture that the frame showed is at hand once the browser has read `srcset`. */
const arrive = (image: HTMLImageElement | null) =>
  void Promise.resolve().then(() => image?.toggleAttribute("data-arriving", !image.complete));

export function Backdrop({ video, children, tall }: { video: Video; children: ReactNode; tall?: boolean }) {
  const art = firstPicture(video, false);
  return (
    <section className="backdrop" data-tall={tall || undefined} aria-label={video.title}>
      {art && (
        <div className="backdrop-picture" style={blurOf(art)}>
          <img ref={arrive} srcSet={srcSetOf(art)} sizes={backdropSizes} alt="" fetchPriority="high" decoding="sync" />
        </div>
      )}
      <div className="backdrop-text">{children}</div>
    </section>
  );
}

export function Facts({ video, owner = true }: { video: Video; owner?: boolean }) {
  const { maturity_rating } = video;
  return (
    <p className="facts">
      {owner && video.live && <span className="live-badge">Live</span>}
      {maturity_rating && <span className="rating">{maturity_rating}</span>}
      {facts(video).map((fact) => (
        <span key={fact}>{fact}</span>
      ))}
      {owner && <span>{video.owner.name}</span>}
    </p>
  );
}
