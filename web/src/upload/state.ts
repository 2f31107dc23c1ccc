// The uploads of this tab as a list, and what can happen to them. Pure: the transfer itself is in transfer.ts.
import { addSample, type Sample } from "./rate";

export type Phase = "queued" | "starting" | "sending" | "paused" | "retrying" | "done" | "failed" | "cancelled";

export type Upload = {
  key: string;
  name: string;
  size: number;
  phase: Phase;
  sent: number;
  samples: readonly Sample[];
  videoId: string | null;
  /** Why it failed or waits, in words. */
  message: string | null;
  /** Bytes that a former visit had already sent. */
  resumedFrom: number;
  /** The title whose next version it is to become. */
  replaces: string | null;
};

export type Event =
  | { kind: "start" }
  | { kind: "created"; videoId: string | null }
  | { kind: "resumed"; from: number }
  | { kind: "progress"; sent: number; at: number }
  | { kind: "pause" }
  | { kind: "wait"; message: string }
  | { kind: "fail"; message: string }
  | { kind: "finish" }
  | { kind: "cancel" }
  | { kind: "queue" };

export const atOnce = 2;

export function fresh(key: string, name: string, size: number, replaces: string | null = null): Upload {
  return {
    key,
    name,
    size,
    phase: "queued",
    sent: 0,
    samples: [],
    videoId: replaces,
    message: null,
    resumedFrom: 0,
    replaces,
  };
}

export const active = (upload: Upload) =>
  upload.phase === "starting" || upload.phase === "sending" || upload.phase === "retrying";
export const over = (upload: Upload) => upload.phase === "done" || upload.phase === "cancelled";

export function step(upload: Upload, event: Event): Upload {
  // What is over stays over; late news from the wire changes nothing.
  if (over(upload)) return upload;
  switch (event.kind) {
    case "start":
      return { ...upload, phase: "starting", message: null, samples: [] };
    case "queue":
      return { ...upload, phase: "queued", message: null };
    case "created":
      return { ...upload, videoId: event.videoId ?? upload.videoId };
    case "resumed":
      return { ...upload, resumedFrom: event.from, sent: event.from };
    case "progress":
      if (!active(upload)) return upload;
      return {
        ...upload,
        phase: "sending",
        message: null,
        sent: Math.min(event.sent, upload.size),
        samples: addSample(upload.samples, { at: event.at, bytes: event.sent }),
      };
    case "pause":
      return { ...upload, phase: "paused", message: null, samples: [] };
    case "wait":
      return active(upload) ? { ...upload, phase: "retrying", message: event.message, samples: [] } : upload;
    case "fail":
      return { ...upload, phase: "failed", message: event.message, samples: [] };
    case "finish":
      return { ...upload, phase: "done", sent: upload.size, message: null, samples: [] };
    case "cancel":
      return { ...upload, phase: "cancelled", message: null, samples: [] };
  }
}

/** Keys of queued uploads that may start now. */
export function startable(list: readonly Upload[]): string[] {
  const free = atOnce - list.filter(active).length;
  return list
    .filter((upload) => upload.phase === "queued")
    .slice(0, Math.max(0, free))
    .map((upload) => upload.key);
}

/** One number for all that is not over. */
export function total(list: readonly Upload[]): { count: number; sent: number; size: number } {
  const open = list.filter((upload) => !over(upload) && upload.phase !== "failed");
  return { count: open.length, sent: open.reduce((n, u) => n + u.sent, 0), size: open.reduce((n, u) => n + u.size, 0) };
}
