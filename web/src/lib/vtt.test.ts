// Storyboard parsing, good and bad.
import { expect, it } from "vitest";
import { parseStoryboard, tileAt } from "./vtt";

const file = `WEBVTT

00:00.000 --> 00:05.000
storyboard/0.jpg#xywh=0,0,240,135

cue name
00:00:05.000 --> 00:00:10.000 align:start
storyboard/0.jpg#xywh=240,0,240,135

99 --> nonsense
storyboard/0.jpg#xywh=0,0,1,1

01:00:00.000 --> 01:00:05.000
storyboard/1.jpg#xywh=0,0,0,135
`;

it("reads cues and resolves their addresses", () => {
  const tiles = parseStoryboard(file, "http://host/media/T/P/storyboard.vtt");
  expect(tiles).toHaveLength(2);
  expect(tiles[1]).toEqual({
    start: 5,
    end: 10,
    url: "http://host/media/T/P/storyboard/0.jpg",
    x: 240,
    y: 0,
    w: 240,
    h: 135,
  });
});

it("reads files with Windows line ends", () => {
  expect(parseStoryboard(file.replaceAll("\n", "\r\n"), "http://h/x.vtt")).toHaveLength(2);
});

it("finds the tile of a moment", () => {
  const tiles = parseStoryboard(file, "http://h/x.vtt");
  expect(tileAt(tiles, 0)?.x).toBe(0);
  expect(tileAt(tiles, 4.999)?.x).toBe(0);
  expect(tileAt(tiles, 5)?.x).toBe(240);
  expect(tileAt(tiles, 500)?.x).toBe(240);
  expect(tileAt([], 5)).toBeNull();
});
