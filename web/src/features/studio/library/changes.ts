// What is chosen in the dialog of a bulk edit, and the edit that it stands for.
import type { Bulk, Edit } from "../../../api/calls";

export type Chosen = {
  /** Of these an empty text leaves each title's own as it is. */
  visibility: string;
  kind: string;
  language: string;
  rating: string;
  /** With the visibility `scheduled`. */
  publishAt: string | null;
  plays: "" | "always" | "between";
  from: string | null;
  until: string | null;
  where: "" | "everywhere" | "only";
  countries: string[];
  addGenres: string[];
  addTags: string[];
  removeTags: string[];
};

export const nothing: Chosen = {
  visibility: "",
  kind: "",
  language: "",
  rating: "",
  publishAt: null,
  plays: "",
  from: null,
  until: null,
  where: "",
  countries: [],
  addGenres: [],
  addTags: [],
  removeTags: [],
};

/** The edit without its titles; `null` while it would change nothing or something is still to be filled in. */
export function editOf(chosen: Chosen): Bulk | null {
  const { visibility, kind, language, rating, publishAt, plays, from, until, where, countries } = chosen;
  if (visibility === "scheduled" && !publishAt) return null;
  if (plays === "between" && !from && !until) return null;
  if (where === "only" && countries.length === 0) return null;
  const changes: Record<string, unknown> = {
    ...(visibility ? { visibility } : {}),
    ...(visibility === "scheduled" ? { publish_at: publishAt } : {}),
    ...(kind ? { kind } : {}),
    ...(language ? { language } : {}),
    ...(rating ? { maturity_rating: rating } : {}),
    ...(plays === "always" ? { available_from: null, available_until: null } : {}),
    ...(plays === "between" ? { available_from: from, available_until: until } : {}),
    ...(where === "everywhere" ? { countries: null } : {}),
    ...(where === "only" ? { countries } : {}),
  };
  const lists = { add_genres: chosen.addGenres, add_tags: chosen.addTags, remove_tags: chosen.removeTags };
  const touched = Object.keys(changes).length > 0;
  if (!touched && Object.values(lists).every((list) => list.length === 0)) return null;
  return { ...(touched ? { changes: changes as Edit } : {}), ...lists };
}
