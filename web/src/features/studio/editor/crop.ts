// The arithmetic of cropping: a rectangle of fixed shape within a picture, in fractions of the picture's sides.

export type Rect = { x: number; y: number; width: number; height: number };
export type Size = { width: number; height: number };

const clamp = (value: number, low: number, high: number) => Math.min(Math.max(value, low), Math.max(low, high));

/** Height of a rectangle in fractions, when its width is 1: `ratio` is the wanted shape in pixels, width to height. */
const slope = (size: Size, ratio: number) => size.width / size.height / ratio;

/** The largest rectangle of the shape, in the middle. */
export function largest(size: Size, ratio: number): Rect {
  const width = Math.min(1, 1 / slope(size, ratio));
  const height = Math.min(1, width * slope(size, ratio));
  return { x: (1 - width) / 2, y: (1 - height) / 2, width, height };
}

export function moved(rect: Rect, dx: number, dy: number): Rect {
  return { ...rect, x: clamp(rect.x + dx, 0, 1 - rect.width), y: clamp(rect.y + dy, 0, 1 - rect.height) };
}

/** The narrowest rectangle that is offered: a fifth of the largest. */
export const smallest = (size: Size, ratio: number) => largest(size, ratio).width / 5;

/** As wide as `width`, as far as the picture goes, around its middle. */
export function zoomed(rect: Rect, width: number, size: Size, ratio: number): Rect {
  const wide = clamp(width, smallest(size, ratio), largest(size, ratio).width);
  const high = Math.min(1, wide * slope(size, ratio));
  const centred = {
    x: rect.x + (rect.width - wide) / 2,
    y: rect.y + (rect.height - high) / 2,
    width: wide,
    height: high,
  };
  return moved(centred, 0, 0);
}

export type Corner = "nw" | "ne" | "sw" | "se";

/** Drags a corner by `dx`; the opposite corner stays where it is. */
export function resized(rect: Rect, corner: Corner, dx: number, size: Size, ratio: number): Rect {
  const west = corner.endsWith("w");
  const north = corner.startsWith("n");
  const right = rect.x + rect.width;
  const bottom = rect.y + rect.height;
  const k = slope(size, ratio);
  const room = Math.min(west ? right : 1 - rect.x, (north ? bottom : 1 - rect.y) / k);
  const width = clamp(rect.width + (west ? -dx : dx), smallest(size, ratio), room);
  const height = width * k;
  return { x: west ? right - width : rect.x, y: north ? bottom - height : rect.y, width, height };
}
