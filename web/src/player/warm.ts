// Starts what the watch page will need before the page itself is there: its code, the player's code, and the
// playback authorisation, all at once. The page then takes what is under way instead of asking again.
import { playback } from "../api/calls";
import type { Playback } from "../api/types";

export const loadWatch = () => import("../features/watch/watch");
export const loadShaka = () => import("./shaka");

type Warm = { id: string; at: number; playback: Promise<Playback> };
let warm: Warm | null = null;

/** Without an id only the code is fetched (a pointer or the focus came near a title). */
export function warmWatch(id?: string) {
  void loadWatch().catch(() => {});
  void loadShaka().catch(() => {});
  if (!id || (warm?.id === id && performance.now() - warm.at < 10_000)) return;
  performance.mark("kinora:click");
  const asked = playback(id);
  const mine: Warm = { id, at: performance.now(), playback: asked };
  // A refusal is not kept: the page asks again.
  asked.catch(() => {
    if (warm === mine) warm = null;
  });
  warm = mine;
}

/** The authorisation asked for at the click, once; otherwise a new one. */
export function takePlayback(id: string): Promise<Playback> {
  const ready = warm?.id === id && performance.now() - warm.at < 10_000 ? warm.playback : null;
  warm = null;
  return ready ?? playback(id);
}
