// Widths and placeholders of pictures.
import { expect, test } from "vitest";
import { blurOf, widthsOf } from "./picture";

test("widths are those that are stored", () => {
  expect(widthsOf(1920)).toEqual([160, 320, 640, 1280, 1920]);
  expect(widthsOf(854)).toEqual([160, 320, 640, 854]);
  expect(widthsOf(90)).toEqual([90]);
  expect(widthsOf(0)).toEqual([]);
});

test("only a tiny WebP becomes a background", () => {
  const size = { width: 1600, height: 900 };
  const background = blurOf({ ...size, blur: "data:image/webp;base64,UklG" }).backgroundImage;
  expect(background).toContain("viewBox%3D%270%200%2016%209%27");
  expect(background).toContain("UklG");
  expect(blurOf({ ...size, blur: 'x"); background: url(//evil' })).toEqual({});
  expect(blurOf(size)).toEqual({});
});
