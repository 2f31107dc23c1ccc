// The typeface. On the first visit it comes when all else is there, so that it does not share a narrow line with pictures and
// film; from then on it lies in the browser's cache and comes at once.
const key = "kinora-font";

export function followFont() {
  let kept = false;
  try {
    kept = localStorage.getItem(key) !== null;
    localStorage.setItem(key, "1");
  } catch {
    // Storage may be closed to us: each visit is a first one.
  }
  const load = () => void import("@fontsource-variable/inter/wght.css").catch(() => {});
  if (kept || document.readyState === "complete") load();
  else addEventListener("load", () => setTimeout(load, 500), { once: true });
}
