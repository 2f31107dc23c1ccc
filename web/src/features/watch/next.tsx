// What comes after this title, and the card that offers it when the title ends.
import { useEffect, useState } from "react";
import { useRelated } from "../../api/queries";
import type { Video } from "../../api/types";
import { mayGoOn, prefer, preferences } from "../../lib/preferences";
import { useStore } from "../../lib/store";
import type { PlayerSession } from "../../player/session";
import { facts } from "../../titles/extras";
import { Button } from "../../ui/basics";
import { Poster } from "../../ui/poster";
import { Toggle } from "../../ui/segments";

const countdownSeconds = 8;

/** The title most like this one that was not seen to its end. */
export function useNext(id: string, enabled: boolean): Video | null {
  return useRelated(id, enabled).data?.[0] ?? null;
}

type Props = { session: PlayerSession; next: Video; goOn: () => void };

export function NextCard({ session, next, goOn }: Props) {
  const { ended } = useStore(session.state);
  const { autoplayNext } = useStore(preferences);
  const [left, setLeft] = useState<number | null>(null);
  const [closed, setClosed] = useState(false);
  const counting = left !== null;

  useEffect(() => {
    if (!ended) {
      setLeft(null);
      setClosed(false);
      return;
    }
    setLeft(mayGoOn() ? countdownSeconds : null);
  }, [ended]);
  useEffect(() => {
    if (!counting || closed) return;
    // Nobody watches a hidden page: the count waits.
    const timer = setInterval(() => !document.hidden && setLeft((now) => now && now - 1), 1000);
    return () => clearInterval(timer);
  }, [counting, closed]);
  useEffect(() => {
    if (left === 0 && !closed) goOn();
  }, [left, closed, goOn]);

  if (!ended || closed) return null;
  return (
    <section className="next-card" aria-label="Next title">
      <div className="about-next">
        <Poster video={next} sizes="136px" />
        <div>
          <p role="timer">{counting ? `Up next in ${left}` : "Up next"}</p>
          <b>{next.title}</b>
          <p>{facts(next).slice(0, 2).join(" · ")}</p>
        </div>
      </div>
      <div className="line">
        <Button look="primary" icon="play" onClick={goOn}>
          Play now
        </Button>
        <Button onClick={() => setClosed(true)}>{counting ? "Cancel" : "Close"}</Button>
      </div>
      <Toggle
        label="Go on by itself"
        on={autoplayNext}
        onValue={(on) => {
          prefer({ autoplayNext: on });
          setLeft(on && mayGoOn() ? countdownSeconds : null);
        }}
      />
    </section>
  );
}
