// The colour theme: the system's preference until the viewer chooses.
import { createStore, kept } from "./store";

export type ThemeChoice = "system" | "dark" | "light";
const name = "kinora-theme";
const system = matchMedia("(prefers-color-scheme: light)");

const stored = kept.read(name);
export const themeChoice = createStore<ThemeChoice>(stored === "dark" || stored === "light" ? stored : "system");

function apply() {
  const choice = themeChoice.get();
  const light = choice === "light" || (choice === "system" && system.matches);
  document.documentElement.dataset.theme = light ? "light" : "dark";
  document.querySelector('meta[name="theme-color"]')?.setAttribute("content", light ? "#fbfaf8" : "#0b0c0f");
}

export function followTheme() {
  apply();
  system.addEventListener("change", apply);
  themeChoice.subscribe(() => {
    const choice = themeChoice.get();
    kept.write(name, choice === "system" ? null : choice);
    apply();
  });
}
