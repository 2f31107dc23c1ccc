// The player's keyboard: which key does what.
import type { PlayerSession } from "./session";

export const rates = [0.5, 0.75, 1, 1.25, 1.5, 1.75, 2] as const;

export const keyHelp: readonly [string, string][] = [
  ["Space or K", "Play or pause"],
  ["← →", "Back or on 5 seconds"],
  ["J L", "Back or on 10 seconds"],
  ["0 – 9", "To that tenth of the title"],
  ["Home End", "To the start or the end"],
  ["↑ ↓", "Louder or quieter"],
  ["M", "Mute"],
  ["F", "Full screen"],
  ["P", "Picture in picture"],
  ["C", "Captions"],
  ["< >", "Slower or faster"],
  [", .", "One frame back or on, while paused"],
  ["?", "This list"],
];

export function nextRate(now: number, way: 1 | -1): number {
  const at = rates.findIndex((rate) => rate >= now - 0.001);
  return rates[Math.min(rates.length - 1, Math.max(0, (at < 0 ? rates.length - 1 : at) + way))] ?? 1;
}

type Pressed = Pick<KeyboardEvent, "key" | "altKey" | "ctrlKey" | "metaKey">;
type Extra = { full: () => void; help: () => void; said: (what: string) => void };

/** Acts on a key; false when it is none of the player's. */
export function press(event: Pressed, session: PlayerSession, extra: Extra): boolean {
  if (event.altKey || event.ctrlKey || event.metaKey) return false;
  const now = session.state.get();
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const speed = (way: 1 | -1) => {
    const rate = nextRate(now.rate, way);
    session.setRate(rate);
    extra.said(`${rate}×`);
  };
  const louder = (by: number) => {
    const volume = Math.min(1, Math.max(0, Math.round((now.muted ? 0 : now.volume) * 20) / 20 + by));
    session.setVolume(volume);
    extra.said(`Volume ${Math.round(volume * 100)} %`);
  };
  const acts: Record<string, () => void> = {
    " ": () => session.toggle(),
    k: () => session.toggle(),
    j: () => session.skip(-10),
    l: () => session.skip(10),
    ArrowLeft: () => session.skip(-5),
    ArrowRight: () => session.skip(5),
    ArrowUp: () => louder(0.05),
    ArrowDown: () => louder(-0.05),
    Home: () => session.seek(now.from),
    End: () => session.seek(now.available || now.duration),
    m: () => {
      session.toggleMute();
      extra.said(session.video.muted ? "Muted" : "Sound on");
    },
    f: extra.full,
    p: () => void session.togglePip().catch(() => extra.said("Picture in picture is not possible here")),
    c: () => {
      if (now.texts.length) session.setText(now.texts.some((text) => text.active) ? null : "0");
    },
    "<": () => speed(-1),
    ">": () => speed(1),
    ",": () => now.paused && session.skip(-1 / 24),
    ".": () => now.paused && session.skip(1 / 24),
    "?": extra.help,
  };
  if (/^[0-9]$/.test(key)) session.seek(now.from + (((now.available || now.duration) - now.from) * Number(key)) / 10);
  else if (Object.hasOwn(acts, key)) acts[key]?.();
  else return false;
  return true;
}
