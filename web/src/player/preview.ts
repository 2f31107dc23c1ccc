// A muted piece of a title inside its card: the lowest rung, a few seconds ahead, gone as soon as one looks away.
import { look } from "../api/calls";
import type { Video } from "../api/types";
import { askEdges, attempts, Edges } from "./edges";
import { loadShaka } from "./warm";

/** Seconds that are shown before it starts over. */
const pieceSeconds = 20;

/** Where the piece begins: where I stopped, or a little into the title, past its opening. Seconds. */
export function pieceStart(durationMs: number, positionMs: number): number {
  const duration = durationMs / 1000;
  const start = positionMs > 0 && positionMs / durationMs < 0.95 ? positionMs / 1000 : duration * 0.15;
  return Math.max(0, Math.min(start, duration - 2));
}

export async function preview(frame: HTMLElement, video: Video, gone: AbortSignal) {
  const [{ default: shaka }, allowed] = await Promise.all([loadShaka(), look(video.id)]);
  if (gone.aborted) return;
  const element = document.createElement("video");
  element.muted = true;
  element.playsInline = true;
  element.tabIndex = -1;
  element.ariaHidden = "true";
  element.disablePictureInPicture = true;
  const player = new shaka.Player();
  gone.addEventListener("abort", () => {
    element.remove();
    void player.destroy().catch(() => {});
  });
  player.configure({
    // The estimate of a snail chooses the lowest rung, and without adaptation it stays.
    abr: { enabled: false, defaultBandwidthEstimate: 1 },
    manifest: { disableAudio: true, disableText: true, disableThumbnails: true },
    streaming: { bufferingGoal: 6, rebufferingGoal: 0.1, bufferBehind: 4 },
  });
  const edges = new Edges(allowed.edges);
  player.configure(attempts(edges));
  askEdges(player, () => edges);
  const start = pieceStart(video.duration_ms ?? 0, video.progress?.position_ms ?? 0);
  try {
    await player.attach(element);
    await player.load(allowed.dash_url, start);
    if (gone.aborted) return;
    frame.append(element);
    element.addEventListener("playing", () => element.toggleAttribute("data-on", true), { once: true });
    element.addEventListener("timeupdate", () => {
      if (element.currentTime > start + pieceSeconds || element.ended) element.currentTime = start;
    });
    element.addEventListener("ended", () => {
      element.currentTime = start;
      void element.play().catch(() => {});
    });
    await element.play();
  } catch {
    // A card that does not move is still a card.
    element.remove();
  }
}
