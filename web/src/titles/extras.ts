// What a title tells beyond its name, in words: genres, languages, sizes, lengths.
import type { Video } from "../api/types";
import { clock } from "../lib/format";

/** `Science fiction` out of the vocabulary's id `science-fiction`. */
export function genreName(id: string): string {
  const words = id.replace(/[-_]+/g, " ").trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

export function languageName(code: string): string {
  try {
    return new Intl.DisplayNames("en", { type: "language" }).of(code) ?? code;
  } catch {
    return code;
  }
}

/** `480p`, `4K`: as people call a picture's size; `null` when it is not known. */
export function sizeName(width: number | null, height: number | null): string | null {
  const lines = Math.min(width ?? 0, height ?? 0);
  if (lines <= 0) return null;
  if (lines >= 2160) return "4K";
  return lines >= 720 ? `HD ${lines}p` : `${lines}p`;
}

/** The facts under a title, most telling first. */
export function facts(video: Video): string[] {
  return [
    video.release_year ? String(video.release_year) : null,
    video.duration_ms ? lengthName(video.duration_ms) : null,
    sizeName(video.width, video.height),
    ...video.genres.slice(0, 2).map(genreName),
  ].filter((fact) => fact !== null);
}

/** `1 h 42 min`, `12 min`; the clock for what is shorter than a minute. */
export function lengthName(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  if (ms < 60_000) return clock(ms);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
