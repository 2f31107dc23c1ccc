// Rectangles of a fixed shape stay within the picture.
import { expect, test } from "vitest";
import { type Corner, largest, moved, resized, smallest, zoomed } from "./crop";

const size = { width: 4000, height: 3000 };
const within = (rect: { x: number; y: number; width: number; height: number }, ratio: number) => {
  expect(rect.x).toBeGreaterThanOrEqual(-1e-9);
  expect(rect.y).toBeGreaterThanOrEqual(-1e-9);
  expect(rect.x + rect.width).toBeLessThanOrEqual(1 + 1e-9);
  expect(rect.y + rect.height).toBeLessThanOrEqual(1 + 1e-9);
  expect((rect.width * size.width) / (rect.height * size.height)).toBeCloseTo(ratio, 6);
};

test("the largest rectangle of a shape touches two sides", () => {
  const wide = largest(size, 16 / 9);
  expect(wide.width).toBe(1);
  within(wide, 16 / 9);
  const upright = largest(size, 2 / 3);
  expect(upright.height).toBe(1);
  within(upright, 2 / 3);
});

test("it never leaves the picture nor its shape", () => {
  for (const ratio of [16 / 9, 2 / 3, 21 / 9]) {
    let rect = zoomed(largest(size, ratio), 0.3, size, ratio);
    for (const [dx, dy] of [
      [5, 5],
      [-9, 0.1],
      [0.2, -7],
    ] as const) {
      rect = moved(rect, dx, dy);
      within(rect, ratio);
      for (const corner of ["nw", "ne", "sw", "se"] as Corner[]) {
        for (const by of [-2, -0.05, 0.1, 2]) within(resized(rect, corner, by, size, ratio), ratio);
      }
    }
    expect(zoomed(rect, 0, size, ratio).width).toBeCloseTo(smallest(size, ratio));
  }
});

test("dragging a corner keeps the opposite one", () => {
  const rect = zoomed(largest(size, 16 / 9), 0.5, size, 16 / 9);
  const after = resized(rect, "nw", 0.1, size, 16 / 9);
  expect(after.x + after.width).toBeCloseTo(rect.x + rect.width);
  expect(after.y + after.height).toBeCloseTo(rect.y + rect.height);
  expect(after.width).toBeCloseTo(0.4);
});
