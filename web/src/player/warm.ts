// Starts what the watch page will need before the page itself is there: its code, the player's code, the playback
// authorisation, and at the click the playback itself. The page then adopts what is under way.
import { playback } from "../api/calls";
import type { Playback } from "../api/types";
import type { PlayerSession } from "./session";

export const loadWatch = () => import("../features/watch/watch");
export const loadShaka = () => import("./shaka");
export const loadShakaHls = () => import("./shaka-hls");
const loadSession = () => import("./session");

/** How long something begun may wait for its page. */
const patienceMs = 10_000;

type Warm = { id: string; at: number; session: Promise<PlayerSession> };
let warm: Warm | null = null;

const startAt = () => {
  const from = new URLSearchParams(location.search).get("t");
  return from !== null && Number(from) >= 0 ? { startAt: Number(from) } : {};
};

function begin(
  id: string,
  asked: Promise<Playback>,
  options: { startAt?: number; live?: boolean },
): Promise<PlayerSession> {
  let first: Promise<Playback> | null = asked;
  asked.catch(() => {});
  return loadSession().then(({ PlayerSession }) => {
    return new PlayerSession((after) => {
      // The authorisation under way serves once; a later try asks anew.
      const ready = first ?? playback(id, after);
      first = null;
      return ready;
    }, options);
  });
}

/** `live`: whether the title is sent just now, for who knows. Without an id only the code is fetched (a pointer or the focus came near a title). */
export function warmWatch(id?: string, live?: boolean) {
  void loadWatch().catch(() => {});
  void (live ? loadShakaHls() : loadShaka()).catch(() => {});
  void loadSession().catch(() => {});
  if (!id || (warm?.id === id && performance.now() - warm.at < patienceMs)) return;
  drop();
  performance.mark("kinora:click");
  const mine: Warm = {
    id,
    at: performance.now(),
    session: begin(id, playback(id), {
      ...(location.pathname === `/watch/${id}` ? startAt() : {}),
      ...(live === undefined ? {} : { live }),
    }),
  };
  mine.session.catch(() => {
    if (warm === mine) warm = null;
  });
  warm = mine;
  setTimeout(() => warm === mine && drop(), patienceMs);
}

/** What was begun and never shown must not play on, and what was refused must not be shown later. */
export function drop() {
  const old = warm;
  warm = null;
  old?.session.then(
    (session) => session.close(),
    () => {},
  );
}

/** The playback begun at the click, once; otherwise a new one. */
export function takeSession(id: string): Promise<PlayerSession> {
  const ready = warm?.id === id ? warm.session : null;
  if (ready) warm = null;
  else drop();
  return ready ?? begin(id, playback(id), startAt());
}
