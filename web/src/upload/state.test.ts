// An upload's life.
import { expect, it } from "vitest";
import { type Event, fresh, startable, step, total, type Upload } from "./state";

const live = (...events: Event[]): Upload => events.reduce(step, fresh("a", "a.mp4", 100));

it("goes from the queue to done", () => {
  const done = live(
    { kind: "start" },
    { kind: "created", videoId: "v" },
    { kind: "progress", sent: 40, at: 0 },
    { kind: "finish" },
  );
  expect(done).toMatchObject({ phase: "done", sent: 100, videoId: "v" });
});

it("ignores news that come after the end", () => {
  expect(
    live({ kind: "start" }, { kind: "cancel" }, { kind: "progress", sent: 50, at: 1 }, { kind: "fail", message: "x" })
      .phase,
  ).toBe("cancelled");
});

it("keeps a pause although a last progress report is still on its way", () => {
  expect(
    live(
      { kind: "start" },
      { kind: "progress", sent: 10, at: 0 },
      { kind: "pause" },
      { kind: "progress", sent: 12, at: 1 },
    ),
  ).toMatchObject({ phase: "paused", sent: 10 });
});

it("says why it waits, and forgets it when bytes flow again", () => {
  const waiting = live({ kind: "start" }, { kind: "wait", message: "offline" });
  expect(waiting).toMatchObject({ phase: "retrying", message: "offline" });
  expect(step(waiting, { kind: "progress", sent: 5, at: 9 })).toMatchObject({ phase: "sending", message: null });
});

it("can be tried again after a failure", () => {
  expect(live({ kind: "start" }, { kind: "fail", message: "no" }, { kind: "queue" })).toMatchObject({
    phase: "queued",
    message: null,
  });
});

it("starts two at a time, in order", () => {
  const list = ["a", "b", "c"].map((key) => fresh(key, key, 1));
  expect(startable(list)).toEqual(["a", "b"]);
  const running = list.map((upload, i) => (i === 0 ? step(upload, { kind: "start" }) : upload));
  expect(startable(running)).toEqual(["b"]);
});

it("sums what is open", () => {
  const list = [
    live({ kind: "start" }, { kind: "progress", sent: 30, at: 0 }),
    fresh("b", "b", 50),
    live({ kind: "cancel" }),
  ];
  expect(total(list)).toEqual({ count: 2, sent: 30, size: 150 });
});
