// The messages between the embedded player and the page around it.
import { expect, test } from "vitest";
import { readCommand } from "./messages";

test("only well-formed commands are read", () => {
  expect(readCommand({ kinora: 1, command: "play" })).toEqual({ command: "play" });
  expect(readCommand({ kinora: 1, command: "seek", value: -3 })).toEqual({ command: "seek", seconds: 0 });
  expect(readCommand({ kinora: 1, command: "volume", value: 7 })).toEqual({ command: "volume", volume: 1 });
  const wrong = [
    null,
    "play",
    { command: "play" },
    { kinora: 1, command: "eval", value: 1 },
    { kinora: 1, command: "seek", value: "3" },
    { kinora: 1, command: "seek", value: Number.NaN },
  ];
  for (const data of wrong) expect(readCommand(data)).toBeNull();
});
