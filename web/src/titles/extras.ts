// What a title may tell beyond its name: people, genres, rating, languages, pictures. Older servers leave any of it out.
import type { Video } from "../api/types";
import { clock } from "../lib/format";

export type Picture = { url: string; width: number; height: number; blur?: string | null };
type Extras = {
  kind?: string;
  genres?: readonly string[];
  tags?: readonly string[];
  cast?: readonly { name: string; role: string }[];
  directors?: readonly string[];
  language?: string | null;
  release_year?: number | null;
  maturity_rating?: string | null;
  artwork?: { poster?: Picture | null; portrait?: Picture | null; banner?: Picture | null } | null;
};

export const extras = (video: Video): Extras => video as Video & Extras;

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
  const more = extras(video);
  return [
    more.release_year ? String(more.release_year) : null,
    video.duration_ms ? lengthName(video.duration_ms) : null,
    sizeName(video.width, video.height),
    ...(more.genres ?? []).slice(0, 2).map(genreName),
  ].filter((fact) => fact !== null);
}

/** `1 h 42 min`, `12 min`; the clock for what is shorter than a minute. */
export function lengthName(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  if (ms < 60_000) return clock(ms);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
