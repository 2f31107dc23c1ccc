// Caption styles become custom properties, whatever was stored.
import { describe, expect, it } from "vitest";
import type { CaptionStyle } from "../lib/preferences";
import { captionProperties } from "./captions";

const style: CaptionStyle = {
  font: "serif",
  size: 150,
  colour: "#ffe14d",
  background: "#000000",
  opacity: 50,
  edge: "outline",
};

describe("caption style", () => {
  it("says each choice", () => {
    const made = captionProperties(style);
    expect(made["--cue-size"]).toBe("1.5");
    expect(made["--cue-ink"]).toBe("#ffe14d");
    expect(made["--cue-back"]).toBe("#00000080");
    expect(made["--cue-font"]).toContain("Georgia");
    expect(made["--cue-shadow"]?.split(",")).toHaveLength(8);
  });
  it("lets nothing else into the style sheet", () => {
    const made = captionProperties({
      ...style,
      colour: "red; background: url(x)",
      font: "x" as "sans",
      opacity: 900 as 100,
    });
    expect(made["--cue-ink"]).toBe("#ffffff");
    expect(made["--cue-back"]).toBe("#000000ff");
    expect(made["--cue-font"]).toBe("var(--font)");
  });
});
