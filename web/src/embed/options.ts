// What the address of an embedded player asks for.
export type Options = {
  id: string;
  /** Seconds; `null` begins at the beginning. */
  start: number | null;
  autoplay: boolean;
  muted: boolean;
  controls: boolean;
  /** The only origin that may steer the player and is told of it; `null`: whichever page frames it and greets it. */
  origin: string | null;
};

export function readOptions(path: string, search: string): Options {
  const query = new URLSearchParams(search);
  const flag = (name: string, unless: boolean) => {
    const value = query.get(name);
    return value === null ? unless : value !== "0" && value !== "false";
  };
  const id = /^\/embed\/([^/]+)\/?$/.exec(path)?.[1] ?? "";
  return {
    id: safeDecode(id),
    start: seconds(query.get("t")),
    autoplay: flag("autoplay", false),
    muted: flag("muted", false),
    controls: flag("controls", true),
    origin: originOf(query.get("origin")),
  };
}

function safeDecode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
}

/** `95`, `95.5` or `1h2m3s`. */
export function seconds(text: string | null): number | null {
  if (!text) return null;
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text);
  const parts = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s?)?$/.exec(text);
  if (!parts) return null;
  const [hours, minutes, rest] = parts.slice(1).map((part) => Number(part ?? 0));
  return (hours ?? 0) * 3600 + (minutes ?? 0) * 60 + (rest ?? 0);
}

function originOf(text: string | null): string | null {
  if (!text) return null;
  try {
    const { origin } = new URL(text);
    return origin === "null" ? null : origin;
  } catch {
    return null;
  }
}
