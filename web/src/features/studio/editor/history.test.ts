// Values of the history in words.
import { expect, it } from "vitest";
import { shown } from "./history";

it("reads every kind of value", () => {
  expect(shown("title", "A")).toBe("A");
  expect(shown("tags", [])).toBe("nothing");
  expect(shown("language", null)).toBe("nothing");
  expect(shown("language", "de")).toBe("German");
  expect(shown("countries", ["DE", "AT"])).toBe("Germany, Austria");
  expect(
    shown("cast", [
      { name: "Orson Welles", role: "Harry Lime" },
      { name: "Alida Valli", role: "" },
    ]),
  ).toBe("Orson Welles (Harry Lime), Alida Valli");
  expect(shown("visibility", "unlisted")).toBe("Unlisted");
});
