// Pictures in several sizes, with a blurred stand-in until they are there. The browser's own `Accept` decides the format.
import type { CSSProperties } from "react";
import type { Picture as Art, Video } from "../api/types";

/** How wide the picture behind a title's words is. Softened by its fade, it need not be as sharp as the screen of a phone. */
export const backdropSizes = "(max-width: 700px) 88vw, 100vw";
/** The width of the still in the player's place: that of a card, which is often there already. */
export const stillWidth = 640;

/** The picture that is seen first: the still in the player's place (`plays`), or the one behind the title's words. */
export const firstPicture = ({ artwork }: Pick<Video, "artwork">, plays: boolean) =>
  (plays ? null : artwork.banner) ?? artwork.poster ?? null;

const widths = [160, 320, 640, 1280, 1920];

/** The address of a picture in the next stored width. */
export const pictureAt = (url: string, width: number) => `${url}?width=${width}`;

/** The widths that a picture `full` pixels wide is stored in. */
export function widthsOf(full: number): number[] {
  const usual = widths.filter((width) => width <= full);
  return full > 0 && !usual.includes(full) ? [...usual, full].sort((a, b) => a - b) : usual;
}

/** The tiny picture, softened: enlarged as it is it would show its pixels. */
export function blurOf(picture: Pick<Art, "blur" | "width" | "height">): CSSProperties {
  if (!picture.blur?.startsWith("data:image/webp;base64,")) return {};
  const height = Math.max(1, Math.round((16 * picture.height) / Math.max(1, picture.width)));
  const svg =
    `<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 ${height}' preserveAspectRatio='none'>` +
    `<filter id='b' x='0' y='0' width='1' height='1'><feGaussianBlur stdDeviation='.7'/>` +
    `<feComponentTransfer><feFuncA type='discrete' tableValues='1 1'/></feComponentTransfer></filter>` +
    `<image filter='url(#b)' width='16' height='${height}' preserveAspectRatio='none' href='${picture.blur}'/></svg>`;
  return {
    backgroundImage: `url("data:image/svg+xml,${encodeURIComponent(svg).replaceAll("'", "%27")}")`,
    backgroundSize: "cover",
    backgroundPosition: "center",
  };
}

/** All stored widths, for `<img srcset>`. */
export const srcSetOf = (picture: Pick<Art, "url" | "width">, most = 1920) =>
  widthsOf(picture.width)
    .filter((width, at) => width <= most || at === 0)
    .map((width) => `${pictureAt(picture.url, width)} ${width}w`)
    .join(", ");
