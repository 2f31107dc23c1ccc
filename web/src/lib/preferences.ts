// How this person likes to watch, kept on this device: data, autoplay, previews, captions, speed, layout.
import { createStore, kept, type Store } from "./store";

export type CaptionStyle = {
  font: "sans" | "serif" | "mono" | "casual";
  /** Percent of the usual size. */
  size: 75 | 100 | 125 | 150 | 200;
  colour: string;
  background: string;
  /** Percent. */
  opacity: 0 | 25 | 50 | 75 | 100;
  edge: "none" | "shadow" | "outline" | "raised";
};

export type Preferences = {
  /** At most 480p, a small buffer, nothing plays by itself. */
  saver: boolean;
  /** No more lines than the screen can show. */
  capToScreen: boolean;
  /** Goes on with the next title at the end. */
  autoplayNext: boolean;
  /** Cards play a muted piece of the title. */
  previews: boolean;
  /** Layout for a screen across the room. */
  layout: "auto" | "tv" | "near";
  speed: number;
  captions: boolean;
  /** Language of captions chosen last; empty: none was. */
  captionLanguage: string;
  style: CaptionStyle;
};

const name = "kinora-preferences";
const connection = (navigator as Navigator & { connection?: { saveData?: boolean } }).connection;

export const plainStyle: CaptionStyle = {
  font: "sans",
  size: 100,
  colour: "#ffffff",
  background: "#000000",
  opacity: 75,
  edge: "none",
};

const initial: Preferences = {
  saver: connection?.saveData === true,
  capToScreen: true,
  autoplayNext: true,
  previews: true,
  layout: "auto",
  speed: 1,
  captions: false,
  captionLanguage: "",
  style: plainStyle,
};

function sameKinds<T extends object>(found: unknown, usual: T): T {
  const said = typeof found === "object" && found !== null ? (found as Record<string, unknown>) : {};
  const entries = Object.entries(usual).map(([key, value]) => [
    key,
    typeof value === "object" && value !== null
      ? sameKinds(said[key], value)
      : typeof said[key] === typeof value
        ? said[key]
        : value,
  ]);
  return Object.fromEntries(entries) as T;
}

/** What was stored, with the usual value wherever it is missing or of another kind. */
export function readPreferences(text: string | null): Preferences {
  try {
    return sameKinds(JSON.parse(text ?? "{}"), initial);
  } catch {
    return initial;
  }
}

export const preferences: Store<Preferences> = createStore(readPreferences(kept.read(name)));

export function prefer(change: Partial<Preferences>) {
  preferences.set((now) => ({ ...now, ...change }));
  kept.write(name, JSON.stringify(preferences.get()));
}

const still = matchMedia("(prefers-reduced-motion: reduce)");

/** May a card begin to play by itself? */
export const mayPreview = () => {
  const { previews, saver } = preferences.get();
  return previews && !saver && !still.matches && connection?.saveData !== true;
};
/** May the next title start by itself? */
export const mayGoOn = () => {
  const { autoplayNext, saver } = preferences.get();
  return autoplayNext && !saver;
};

const far = matchMedia("(hover: none) and (pointer: none) and (min-width: 960px)");

/** Marks the document for the layout of a screen across the room, now and whenever it changes. */
export function followLayout() {
  const apply = () => {
    const { layout } = preferences.get();
    document.documentElement.toggleAttribute("data-tv", layout === "tv" || (layout === "auto" && far.matches));
  };
  apply();
  far.addEventListener("change", apply);
  preferences.subscribe(apply);
}

export const isFar = () => document.documentElement.hasAttribute("data-tv");
