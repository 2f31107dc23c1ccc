// How captions look: the viewer's choices as custom properties that the player's style sheet uses.
import type { CaptionStyle } from "../lib/preferences";

export const fonts: Record<CaptionStyle["font"], { label: string; family: string }> = {
  sans: { label: "Sans", family: "var(--font)" },
  serif: { label: "Serif", family: 'Georgia, "DejaVu Serif", serif' },
  mono: { label: "Typewriter", family: "var(--mono)" },
  casual: { label: "Casual", family: '"Comic Neue", "Comic Sans MS", "Segoe Print", cursive' },
};
export const sizes: readonly CaptionStyle["size"][] = [75, 100, 125, 150, 200];
export const colours: readonly [string, string][] = [
  ["#ffffff", "White"],
  ["#ffe14d", "Yellow"],
  ["#7de38a", "Green"],
  ["#6fd7ff", "Cyan"],
  ["#ff9ad5", "Pink"],
  ["#000000", "Black"],
];
export const opacities: readonly CaptionStyle["opacity"][] = [0, 25, 50, 75, 100];
const shade = "#000000d9";
export const edges: Record<CaptionStyle["edge"], { label: string; shadow: string }> = {
  none: { label: "None", shadow: "none" },
  shadow: { label: "Shadow", shadow: `0.06em 0.06em 0.12em ${shade}, 0 0 0.3em ${shade}` },
  outline: {
    label: "Outline",
    shadow: [-1, 0, 1]
      .flatMap((x) => [-1, 0, 1].map((y) => [x, y] as const))
      .filter(([x, y]) => x !== 0 || y !== 0)
      .map(([x, y]) => `${x * 0.06}em ${y * 0.06}em 0 #000`)
      .join(", "),
  },
  raised: { label: "Raised", shadow: `0.03em 0.03em 0 ${shade}, 0.06em 0.06em 0 ${shade}, 0.09em 0.09em 0 ${shade}` },
};

/** Custom properties for the element that holds captions. */
export function captionProperties(style: CaptionStyle): Record<string, string> {
  const hex = /^#[0-9a-f]{6}$/i;
  const background = hex.test(style.background) ? style.background : "#000000";
  const alpha = Math.round((Math.min(100, Math.max(0, style.opacity)) / 100) * 255);
  return {
    "--cue-font": (fonts[style.font] ?? fonts.sans).family,
    "--cue-size": String(style.size / 100),
    "--cue-ink": hex.test(style.colour) ? style.colour : "#ffffff",
    "--cue-back": `${background}${alpha.toString(16).padStart(2, "0")}`,
    "--cue-shadow": (edges[style.edge] ?? edges.none).shadow,
  };
}
