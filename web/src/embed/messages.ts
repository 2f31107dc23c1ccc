// How the framing page steers the player and learns how it stands: `postMessage`, documented in /docs/embedding.
//
// Commands count only from the framing window, and only from the origin that the address names, if it names one. Nothing
// is told before that page has said something, so that no other page learns what is watched.

export type Command =
  | { command: "listen" }
  | { command: "play" }
  | { command: "pause" }
  | { command: "mute" }
  | { command: "unmute" }
  | { command: "seek"; seconds: number }
  | { command: "volume"; volume: number };

export type Told = {
  event: "ready" | "play" | "pause" | "time" | "seek" | "ended" | "volume" | "error";
  position: number;
  duration: number;
  volume: number;
  muted: boolean;
  paused: boolean;
  code?: string;
};

const plain = ["listen", "play", "pause", "mute", "unmute"] as const;

/** The command in a message; `null` for anything else. */
export function readCommand(data: unknown): Command | null {
  if (typeof data !== "object" || data === null) return null;
  const { kinora, command, value } = data as Record<string, unknown>;
  if (kinora !== 1 || typeof command !== "string") return null;
  const simple = plain.find((name) => name === command);
  if (simple) return { command: simple };
  if (typeof value !== "number" || !Number.isFinite(value)) return null;
  if (command === "seek") return { command, seconds: Math.max(0, value) };
  if (command === "volume") return { command, volume: Math.min(1, Math.max(0, value)) };
  return null;
}

/** Listens for commands of the framing page; gives what tells it. */
export function connect(allowed: string | null, obey: (command: Command) => void): (told: Told) => void {
  let origin = allowed;
  const parent = window.parent;
  if (parent === window) return () => {};
  window.addEventListener("message", (event) => {
    if (event.source !== parent || (allowed !== null && event.origin !== allowed)) return;
    const command = readCommand(event.data);
    if (!command || event.origin === "null") return;
    origin = event.origin;
    obey(command);
  });
  return (told) => {
    if (origin !== null) parent.postMessage({ kinora: 1, ...told }, origin);
  };
}
