// Picking a moment of the title: a small player without sound, a slider, and single frames by arrow keys.
import { useEffect, useRef, useState } from "react";
import * as api from "../../../api/calls";
import { inWords } from "../../../api/problem";
import type { Video } from "../../../api/types";
import { clock, spokenClock } from "../../../lib/format";
import { askEdges, attempts, Edges } from "../../../player/edges";
import { loadShaka } from "../../../player/warm";
import { Button, Notice } from "../../../ui/basics";
import { Dialog } from "../../../ui/overlay";

export type Moment = { at_ms: number; still: Blob };

export function MomentDialog(props: { video: Video; onPick: (moment: Moment) => void; onClose: () => void }) {
  const { video } = props;
  // A state, not a ref: the dialog is there one step later than this component.
  const [screen, setScreen] = useState<HTMLVideoElement | null>(null);
  const [at, setAt] = useState(Math.round((video.duration_ms ?? 0) / 3));
  const [shown, setShown] = useState<number | null>(null);
  const [failed, setFailed] = useState("");
  const [ready, setReady] = useState(false);
  const first = useRef(at / 1000);
  useEffect(() => {
    if (!screen) return;
    let closed = false;
    let close = () => {};
    const open = async () => {
      const [{ default: shaka }, playback] = await Promise.all([loadShaka(), api.look(video.id)]);
      if (closed) return;
      const player = new shaka.Player();
      close = () => void player.destroy();
      await player.attach(screen);
      player.configure({ abr: { enabled: false }, streaming: { bufferingGoal: 2, rebufferingGoal: 0.1 } });
      const edges = new Edges(playback.edges);
      player.configure(attempts(edges));
      askEdges(player, () => edges);
      await player.load(playback.dash_url, first.current);
      const best = player.getVariantTracks().sort((a, b) => (b.height ?? 0) - (a.height ?? 0))[0];
      if (best) player.selectVariantTrack(best, true);
      if (!closed) setReady(true);
    };
    open().catch((error: unknown) => !closed && setFailed(inWords(error)));
    return () => {
      closed = true;
      close();
    };
  }, [screen, video.id]);
  useEffect(() => {
    if (!ready || !screen) return;
    // A slider tells many places on its way: only where it rests is loaded.
    const timer = setTimeout(() => {
      screen.currentTime = at / 1000;
    }, 120);
    return () => clearTimeout(timer);
  }, [at, ready, screen]);
  const pick = () => {
    if (!screen?.videoWidth) return;
    const canvas = document.createElement("canvas");
    canvas.width = screen.videoWidth;
    canvas.height = screen.videoHeight;
    canvas.getContext("2d")?.drawImage(screen, 0, 0);
    const at_ms = Math.round(screen.currentTime * 1000);
    canvas.toBlob((still) => still && props.onPick({ at_ms, still }), "image/jpeg", 0.9);
  };
  return (
    <Dialog open onClose={props.onClose} title="Use a moment" description="Find the frame; then choose its part.">
      {failed ? (
        <Notice tone="bad">{failed}</Notice>
      ) : (
        <div className="moment">
          <video
            ref={setScreen}
            muted
            playsInline
            preload="auto"
            tabIndex={-1}
            aria-label="The frame at the chosen moment"
            onSeeking={() => setShown(null)}
            onSeeked={(event) => setShown(event.currentTarget.currentTime * 1000)}
            onLoadedData={(event) => setShown(event.currentTarget.currentTime * 1000)}
          />
          <label className="moment-time">
            <span className="sr">Moment</span>
            <input
              type="range"
              min={0}
              max={Math.max(0, (video.duration_ms ?? 0) - 40)}
              step={40}
              value={at}
              aria-valuetext={spokenClock(at)}
              onChange={(event) => setAt(Number(event.target.value))}
            />
            <span className="muted small">{clock(at)}</span>
          </label>
        </div>
      )}
      <div className="actions">
        <Button look="quiet" onClick={props.onClose}>
          Cancel
        </Button>
        <Button look="primary" disabled={shown === null} busy={!failed && !ready} onClick={pick}>
          Use this frame
        </Button>
      </div>
    </Dialog>
  );
}
