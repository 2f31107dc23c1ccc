// A title large: its picture behind, fading into the page, with words and actions before it. Home's hero and the top of
// the title page.
import "./backdrop.css";
import type { ReactNode } from "react";
import type { Video } from "../api/types";
import { pictureOf } from "../ui/poster";
import { facts } from "./extras";

/** Softened by its fade, it need not be as sharp as the screen of a phone. `public/boot.js` and the server name the same. */
const backdropSizes = "(max-width: 700px) 88vw, 100vw";

export function Backdrop({ video, children, tall }: { video: Video; children: ReactNode; tall?: boolean }) {
  const picture = pictureOf(video, "banner");
  return (
    <section className="backdrop" data-tall={tall || undefined} aria-label={video.title}>
      {picture && (
        <div className="backdrop-picture" style={picture.blur}>
          <img src={picture.src} srcSet={picture.srcSet} sizes={backdropSizes} alt="" fetchPriority="high" />
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
      {maturity_rating && <span className="rating">{maturity_rating}</span>}
      {facts(video).map((fact) => (
        <span key={fact}>{fact}</span>
      ))}
      {owner && <span>{video.owner.name}</span>}
    </p>
  );
}
