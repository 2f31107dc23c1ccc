// Statistics for nerds, twice a second, and a button that copies them.
import { useEffect, useState } from "react";
import { bitrate, bytes } from "../lib/format";
import { Button } from "../ui/basics";
import { toast } from "../ui/toast";
import type { PlayerSession } from "./session";

type Line = [string, string];

function lines(session: PlayerSession): Line[] {
  const all = session.stats();
  if (!all) return [];
  const { stats, ahead, codecs, frameRate, shown, live, edge, automatic } = all;
  const { startMs, position, rate } = session.state.get();
  const lost = stats.decodedFrames > 0 ? ` (${((100 * stats.droppedFrames) / stats.decodedFrames).toFixed(1)} %)` : "";
  const fps = frameRate ? ` @ ${Number(frameRate.toFixed(3))}` : "";
  return [
    ["Rung", `${stats.width || "?"} × ${stats.height || "?"}${fps}${automatic ? "" : ", fixed"}`],
    ["Shown", `${shown.width} × ${shown.height} pixels`],
    ["Codecs", codecs || "–"],
    ["Stream", bitrate(stats.streamBandwidth || 0)],
    ["Edge", edge ?? "this site"],
    ["Bandwidth", bitrate(stats.estimatedBandwidth || 0)],
    ["Fetched", bytes(stats.bytesDownloaded || 0)],
    ["Buffer", `${ahead.toFixed(1)} s`],
    ["Dropped", `${stats.droppedFrames || 0} of ${stats.decodedFrames || 0} frames${lost}`],
    ["Switches", String(Math.max(0, stats.switchHistory.filter((one) => one.type === "variant").length - 1))],
    ["Stalled", `${(stats.bufferingTime || 0).toFixed(1)} s, ${stats.stallsDetected || 0} times`],
    ["Latency", live === null ? "not live" : `${live.toFixed(1)} s`],
    ["First frame", startMs === null ? "–" : `after ${startMs} ms`],
    ["Position", `${position.toFixed(2)} s at ${rate}×`],
  ];
}

export function Stats({ session, onClose }: { session: PlayerSession; onClose: () => void }) {
  const [shown, setShown] = useState<Line[]>(() => lines(session));
  useEffect(() => {
    const timer = setInterval(() => setShown(lines(session)), 500);
    return () => clearInterval(timer);
  }, [session]);
  const copy = () => {
    const text = [...shown, ["Browser", navigator.userAgent]].map(([name, value]) => `${name}: ${value}`).join("\n");
    void navigator.clipboard.writeText(text).then(
      () => toast("The statistics are copied."),
      () => toast("The browser did not allow copying."),
    );
  };
  return (
    <section className="stats" aria-label="Statistics for nerds">
      <dl>
        {shown.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <div>
        <Button look="quiet" icon="close" aria-label="Close statistics" onClick={onClose} />
        <Button look="quiet" icon="copy" aria-label="Copy statistics" onClick={copy} />
      </div>
    </section>
  );
}
