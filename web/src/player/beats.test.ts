// What is told of a playback, on a clock moved by hand.
import { describe, expect, it } from "vitest";
import { Beats, edgeOf, everyMs, most, type Outcome, type Reading, tokenOf } from "./beats";

const reading: Reading = { bytes: 0, droppedFrames: 0, bitrate: 5_000_000, height: 1080, ahead: 12.5 };

function setUp(outcomes: Outcome[] = []) {
  let now = 1000;
  const sent: { token: string; beats: Record<string, unknown>[] }[] = [];
  const left: typeof sent = [];
  const shown = { ...reading };
  const beats = new Beats(() => shown, {
    now: () => now,
    post: async (body) => {
      sent.push(JSON.parse(body));
      return outcomes.shift() ?? "done";
    },
    leave: (body) => left.push(JSON.parse(body)) > 0,
  });
  const pass = (ms: number) => {
    now += ms;
  };
  const settled = () => new Promise((resolve) => setTimeout(resolve));
  beats.begin("/media/tok.en/0191/main.mpd");
  return { beats, sent, left, shown, pass, settled };
}

describe("beats", () => {
  it("tell the start, and what went on since", async () => {
    const { beats, sent, shown, pass, settled } = setUp();
    pass(300);
    beats.see("stalled");
    pass(200);
    beats.see("playing");
    beats.started(512.4);
    await settled();
    expect(sent[0]).toEqual({
      v: 1,
      token: "tok.en",
      beats: [{ seq: 0, age_ms: 0, kind: "start", startup_ms: 512 }],
    });
    beats.heard('origin; hit, "Edge-1"; fwd=miss');
    pass(6000);
    beats.see("stalled");
    pass(1500);
    beats.see("playing");
    beats.switched();
    pass(2500);
    Object.assign(shown, { bytes: 6_000_000, droppedFrames: 3 });
    beats.tick();
    await settled();
    expect(sent[1]?.beats).toEqual([
      {
        seq: 1,
        age_ms: 0,
        edge: "edge-1",
        kind: "play",
        playing_ms: 8500,
        stalled_ms: 1500,
        stalls: 1,
        switches: 1,
        bitrate_bps: 5_000_000,
        bytes: 6_000_000,
        dropped_frames: 3,
        buffer_ms: 12_500,
        height: 1080,
      },
    ]);
    // Counters are told by what they grew.
    Object.assign(shown, { bytes: 7_000_000 });
    pass(everyMs);
    beats.tick();
    await settled();
    expect(sent[2]?.beats[0]).toMatchObject({ seq: 2, bytes: 1_000_000, dropped_frames: 0, stalls: 0 });
  });

  it("say nothing while nothing plays", async () => {
    const { beats, sent, pass, settled } = setUp();
    beats.started(100);
    await settled();
    pass(everyMs);
    beats.tick();
    pass(everyMs);
    beats.tick();
    await settled();
    expect(sent).toHaveLength(1);
  });

  it("tell whether an error came before the first frame", async () => {
    const { beats, sent, settled } = setUp();
    beats.failed("PLAY 1001/503", true);
    await settled();
    expect(sent[0]?.beats[0]).toMatchObject({ kind: "error", code: "PLAY-1001-503", fatal: true, started: false });
    beats.started(100);
    beats.failed("PLAY-3016", false);
    await settled();
    expect(sent.at(-1)?.beats.at(-1)).toMatchObject({ fatal: false, started: true });
  });

  it("wait longer from failure to failure, and lose nothing", async () => {
    const { beats, sent, pass, settled } = setUp(["later", "later"]);
    beats.started(100);
    await settled();
    pass(1000);
    beats.tick();
    await settled();
    expect(sent).toHaveLength(1);
    pass(1100);
    beats.tick();
    await settled();
    expect(sent).toHaveLength(2);
    pass(2100);
    beats.tick();
    await settled();
    expect(sent).toHaveLength(2);
    beats.see("playing");
    pass(2000);
    beats.tick();
    await settled();
    expect(sent[2]?.beats.map((beat) => [beat.seq, beat.age_ms])).toEqual([
      [0, 6200],
      [1, 0],
    ]);
  });

  it("drop what is refused", async () => {
    const { beats, sent, settled } = setUp(["refused"]);
    beats.started(100);
    await settled();
    beats.tick();
    await settled();
    expect(sent).toHaveLength(1);
  });

  it("keep no more than their bound, the latest", async () => {
    const { beats, sent, left, pass, settled } = setUp(["later"]);
    beats.started(100);
    await settled();
    beats.see("playing");
    for (let n = 0; n < most + 20; n++) {
      pass(1);
      beats.failed("X", false);
    }
    beats.leave();
    const all = left.flatMap((body) => body.beats);
    expect(all).toHaveLength(most);
    expect(left.every((body) => body.beats.length <= 100)).toBe(true);
    expect(all.at(-1)?.seq).toBe(2 * (most + 20));
    expect(sent).toHaveLength(1);
  });

  it("keep the beats of two permissions apart", async () => {
    const { beats, sent, pass, settled } = setUp(["later"]);
    beats.started(100);
    await settled();
    beats.see("playing");
    pass(5000);
    beats.begin("https://edge.example/media/second/0191/main.mpd");
    pass(5000);
    beats.ended();
    await settled();
    expect(sent.slice(1).map((body) => [body.token, body.beats.map((beat) => [beat.seq, beat.kind])])).toEqual([
      [
        "tok.en",
        [
          [0, "start"],
          [1, "play"],
        ],
      ],
      [
        "second",
        [
          [0, "play"],
          [1, "end"],
        ],
      ],
    ]);
  });
});

it("reads tokens and caches from what the server says", () => {
  expect(tokenOf("/media/abc.def/0191/main.m3u8")).toBe("abc.def");
  expect(tokenOf("/watch/0191")).toBeNull();
  expect(edgeOf("kinora-edge; hit")).toBe("kinora-edge");
  expect(edgeOf('"shield"; fwd=miss, "Edge 1"; hit')).toBeUndefined();
  expect(edgeOf("")).toBeUndefined();
});
