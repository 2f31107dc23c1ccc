// Which of several boxes an arrow leads to.
import { describe, expect, it } from "vitest";
import { type Box, distance, nearest } from "./spatial";

const box = (left: number, top: number, width = 100, height = 60): Box => ({
  left,
  top,
  right: left + width,
  bottom: top + height,
});
const grid = [0, 1, 2].flatMap((row) =>
  [0, 1, 2].map((column) => ({ box: box(column * 120, row * 90), item: `${row}${column}` })),
);
const from = (item: string) => grid.find((one) => one.item === item)?.box as Box;
const others = (item: string) => grid.filter((one) => one.item !== item);

describe("four arrows", () => {
  it("walks a grid in straight lines", () => {
    expect(nearest(from("11"), others("11"), "left")).toBe("10");
    expect(nearest(from("11"), others("11"), "right")).toBe("12");
    expect(nearest(from("11"), others("11"), "up")).toBe("01");
    expect(nearest(from("11"), others("11"), "down")).toBe("21");
  });
  it("stops at the edge", () => {
    expect(nearest(from("00"), others("00"), "left")).toBeNull();
    expect(nearest(from("00"), others("00"), "up")).toBeNull();
  });
  it("prefers the next row to what is far aside in it", () => {
    const all = [
      { box: box(900, 100), item: "far aside" },
      { box: box(10, 300), item: "straight below" },
    ];
    expect(nearest(box(0, 0), all, "down")).toBe("straight below");
  });
  it("stays on the line when going aside", () => {
    expect(nearest(box(0, 0), [{ box: box(200, 300), item: "below" }], "right")).toBeNull();
  });
  it("does not see what lies inside or behind", () => {
    expect(distance(box(0, 0, 200, 200), box(50, 50, 20, 20), "right")).toBeNull();
    expect(distance(box(100, 0), box(0, 0), "right")).toBeNull();
  });
  it("forgives a small overlap of grown cards", () => {
    expect(distance(box(0, 0, 102), box(100, 0), "right")).not.toBeNull();
  });
});
