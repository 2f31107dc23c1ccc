// What the address of the embedded player may ask for.
import { expect, test } from "vitest";
import { readOptions, seconds } from "./options";

test("the address says how to play", () => {
  expect(readOptions("/embed/a-1", "?t=1m5s&autoplay=1&muted=true&controls=0&origin=https://a.example/x")).toEqual({
    id: "a-1",
    start: 65,
    autoplay: true,
    muted: true,
    controls: false,
    origin: "https://a.example",
  });
  const plain = { id: "", start: null, autoplay: false, muted: false, controls: true, origin: null };
  expect(readOptions("/embed/%E0%A4", "?t=x&origin=nonsense")).toEqual(plain);
});

test("times are read in both ways", () => {
  expect([seconds("95.5"), seconds("1h2m3s"), seconds("2m"), seconds("7s")]).toEqual([95.5, 3723, 120, 7]);
  expect([seconds(""), seconds("-3"), seconds("1x")]).toEqual([null, null, null]);
});
