// Statistics for nerds, twice a second.
import { useEffect, useState } from "react";
import { bitrate } from "../lib/format";
import { Button } from "../ui/basics";
import type { PlayerSession } from "./session";

export function Stats({ session, onClose }: { session: PlayerSession; onClose: () => void }) {
  const [, tick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => tick((n) => n + 1), 500);
    return () => clearInterval(timer);
  }, []);
  const all = session.stats();
  if (!all) return null;
  const { stats, ahead, codecs, frameRate } = all;
  const { startMs } = session.state.get();
  const lines: [string, string][] = [
    ["Rung", `${stats.width || "?"} × ${stats.height || "?"}${frameRate ? ` @ ${Number(frameRate.toFixed(3))}` : ""}`],
    ["Codecs", codecs],
    ["Stream", bitrate(stats.streamBandwidth || 0)],
    ["Bandwidth", bitrate(stats.estimatedBandwidth || 0)],
    ["Buffer", `${ahead.toFixed(1)} s`],
    ["Dropped", `${stats.droppedFrames || 0} of ${stats.decodedFrames || 0} frames`],
    ["Stalled", `${(stats.bufferingTime || 0).toFixed(1)} s`],
    ["First frame", startMs === null ? "–" : `${startMs} ms`],
  ];
  return (
    <div className="stats">
      <dl>
        {lines.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <Button look="quiet" icon="close" aria-label="Close statistics" onClick={onClose} />
    </div>
  );
}
