// Words for what the farm does: kinds of jobs, outcomes, workers, codecs.
import type { Attempt, AudioCodec, VideoCodec } from "../../api/types";

const kinds: Record<string, string> = {
  probe: "Look at the file",
  chunk: "Encode pictures",
  "chunk-hevc": "Encode pictures, HEVC",
  "chunk-vp9": "Encode pictures, VP9",
  "chunk-av1": "Encode pictures, AV1",
  audio: "Encode sound",
  "audio-opus": "Encode sound, Opus",
  pictures: "Make pictures",
  publish: "Publish",
  purge: "Delete for good",
};
export const kindName = (kind: string) => kinds[kind] ?? kind.charAt(0).toUpperCase() + kind.slice(1);

/** Kinds of jobs that share a colour, in the order of the legend. */
export const series = [
  { of: "chunk", name: "Pictures, H.264" },
  { of: "chunk-hevc", name: "Pictures, HEVC" },
  { of: "chunk-vp9", name: "Pictures, VP9" },
  { of: "chunk-av1", name: "Pictures, AV1" },
  { of: "audio", name: "Sound" },
  { of: "probe", name: "Look at files" },
  { of: "pictures", name: "Stills" },
  { of: "other", name: "Other" },
] as const;
export type Series = (typeof series)[number]["of"];

export function seriesOf(kind: string): Series {
  if (kind.startsWith("audio")) return "audio";
  return series.find(({ of }) => of === kind)?.of ?? "other";
}

export const outcomes: Record<Attempt["outcome"], string> = {
  done: "Done",
  retry: "Failed, tried again",
  dead: "Failed for good",
  lost: "Lost: the worker was too slow or cut off",
  cancelled: "Cancelled",
  released: "Given back: the worker stopped",
  later: "Waits and comes again",
  died: "The worker died",
};
export const hasFailed = (outcome: Attempt["outcome"]) => ["retry", "dead", "lost", "died"].includes(outcome);

/** Workers without a name of their own are called after machine, start and folder; that is too long to read. */
export function workerName(name: string): string {
  const parts = /^([0-9a-f]{32})? ?([0-9a-f-]{36})?:(\/.*)$/.exec(name);
  if (!parts) return name;
  const folder = (parts[3] ?? "").split("/").filter(Boolean).slice(-2).join("/");
  return `${(parts[1] ?? parts[2] ?? "").slice(0, 6)} ${folder}`.trim();
}

export const codecs: Record<VideoCodec | AudioCodec, string> = {
  h264: "H.264",
  hevc: "HEVC",
  vp9: "VP9",
  av1: "AV1",
  aac: "AAC",
  opus: "Opus",
};
export const codecName = (codec: string) => codecs[codec as VideoCodec] ?? codec;

/** An encoder in hardware: `hevc_nvenc:10` is “HEVC by NVENC, 10 bits”. */
export function encoderName(word: string): string {
  const [name = word, depth] = word.split(":");
  const [codec = name, device = ""] = name.split("_");
  return `${codecName(codec)} by ${device.toUpperCase()}${depth ? `, ${depth} bits` : ""}`;
}

/** The page of an encoding profile; `null`: the built-in one. */
export const addressOf = (name: string | null) =>
  name === null ? "/control/profiles" : `/control/profiles/${encodeURIComponent(name)}`;

/** CPU time: `45 s`, `12 min`, `3.4 h`. */
export function cpuTime(seconds: number): string {
  if (seconds < 10) return `${Number(seconds.toFixed(1))} s`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  const hours = seconds / 3600;
  return `${hours < 100 ? Number(hours.toFixed(1)) : Math.round(hours).toLocaleString("en")} h`;
}
