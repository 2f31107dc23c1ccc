// A row of cards that scrolls by wheel, touch, arrow keys and the buttons at its ends.
import "./row.css";
import { type ReactNode, useCallback, useEffect, useRef, useState } from "react";
import { Link } from "wouter";
import { Icon } from "./icon";

type Props = { title: string; children: ReactNode; href?: string | undefined };

export function Row({ title, children, href }: Props) {
  const track = useRef<HTMLUListElement>(null);
  const [ends, setEnds] = useState({ start: true, end: true });
  const look = useCallback(() => {
    const element = track.current;
    if (!element) return;
    const start = element.scrollLeft < 8;
    const end = element.scrollLeft + element.clientWidth > element.scrollWidth - 8;
    setEnds((old) => (old.start === start && old.end === end ? old : { start, end }));
  }, []);
  useEffect(() => {
    // It tells the first size as well, when there is one: asking for it here would make the browser lay out the page twice.
    const watcher = new ResizeObserver(look);
    if (track.current) watcher.observe(track.current);
    return () => watcher.disconnect();
  }, [look]);
  const page = (way: number) =>
    track.current?.scrollBy({ left: way * track.current.clientWidth * 0.85, behavior: "smooth" });
  return (
    <section className="row" aria-label={title}>
      <header>
        <h2>{title}</h2>
        {href && (
          <Link href={href} className="see-all">
            See all
            <Icon name="right" size={16} />
          </Link>
        )}
      </header>
      <div className="track-frame">
        <ul className="track" ref={track} onScroll={look}>
          {children}
        </ul>
        {!ends.start && (
          <button
            type="button"
            className="edge back"
            data-spatial="off"
            aria-label={`Scroll ${title} back`}
            onClick={() => page(-1)}
          >
            <Icon name="left" size={28} />
          </button>
        )}
        {!ends.end && (
          <button
            type="button"
            className="edge on"
            data-spatial="off"
            aria-label={`Scroll ${title} on`}
            onClick={() => page(1)}
          >
            <Icon name="right" size={28} />
          </button>
        )}
      </div>
    </section>
  );
}
