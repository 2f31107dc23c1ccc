// What was searched for on this device, latest first.
import { createStore, kept } from "../../lib/store";

const name = "kinora-searches";
const most = 8;

export function readSearches(text: string | null): string[] {
  try {
    const found: unknown = JSON.parse(text ?? "[]");
    return Array.isArray(found) ? found.filter((one) => typeof one === "string").slice(0, most) : [];
  } catch {
    return [];
  }
}

/** `words` first; what they continue ("buc" before "buck") gives way. */
export function withSearch(list: readonly string[], words: string): string[] {
  const low = words.toLowerCase();
  return [words, ...list.filter((one) => !low.startsWith(one.toLowerCase()))].slice(0, most);
}

export const searches = createStore<readonly string[]>(readSearches(kept.read(name)));

function keep(list: readonly string[]) {
  searches.set(list);
  kept.write(name, list.length > 0 ? JSON.stringify(list) : null);
}

export const rememberSearch = (words: string) => keep(withSearch(searches.get(), words));
export const forgetSearch = (words: string) => keep(searches.get().filter((one) => one !== words));
export const restoreSearches = keep;
