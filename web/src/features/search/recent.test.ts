// Which searches are remembered.
import { describe, expect, it } from "vitest";
import { readSearches, withSearch } from "./recent";

describe("recent searches", () => {
  it("come first and replace what they continue", () => {
    expect(withSearch(["buc", "oslo"], "buck")).toEqual(["buck", "oslo"]);
    expect(withSearch(["oslo", "buck"], "buck")).toEqual(["buck", "oslo"]);
  });
  it("are few", () => {
    expect(withSearch(["a", "b", "c", "d", "e", "f", "g", "h"], "zz")).toHaveLength(8);
  });
  it("believe only lists of words", () => {
    expect(readSearches('["a",1,null]')).toEqual(["a"]);
    expect(readSearches('{"a":1}')).toEqual([]);
    expect(readSearches("x")).toEqual([]);
  });
});
