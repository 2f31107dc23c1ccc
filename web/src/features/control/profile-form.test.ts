// Profiles through the form and back; where words about them stand.
import { expect, test } from "vitest";
import type { Profile } from "../../api/types";
import { emptyRung, place, same, toForm, toProfile } from "./profile-form";

const profile: Profile = {
  ladder: [
    { height: 1080, bitrate_bps: 8_000_000 },
    { height: 360, bitrate_bps: 650_000 },
  ],
  video: [
    { codec: "h264", effort: "fast" },
    { codec: "av1", effort: "thorough", crf: 30, from_height: 720 },
  ],
  audio: ["aac", "opus"],
  keep_dolby: true,
};

test("a profile survives the form", () => {
  expect(toProfile(toForm(profile))).toEqual({ profile });
  expect(same(toForm(profile), toForm(profile))).toBe(true);
  const lean: Profile = { ladder: profile.ladder, video: [{ codec: "h264" }] };
  expect(toProfile(toForm(lean))).toMatchObject({ profile: { audio: ["aac"], keep_dolby: false } });
});

test("what is no number is told at its field", () => {
  const form = toForm(profile);
  const rung = { ...emptyRung(), height: "7x", mbps: "" };
  const video = form.video.map((one) => ({ ...one, crf: "1.5" }));
  const made = toProfile({ ...form, ladder: [rung], video });
  expect("wrong" in made && Object.keys(made.wrong).sort()).toEqual(
    ["av1 crf", "h264 crf", `rung ${rung.key} height`, `rung ${rung.key} mbps`].sort(),
  );
  expect(toProfile({ ...form, ladder: [{ ...rung, height: "360", mbps: "0,5" }] })).toMatchObject({
    profile: { ladder: [{ height: 360, bitrate_bps: 500_000 }] },
  });
});

test("the server's words go beside what they are about", () => {
  const form = toForm(profile);
  const key = form.ladder[1]?.key;
  expect(
    Object.keys(place("ladder", "The bit rate of the rung 360 must be between 50 kbit/s and 200 Mbit/s.", form)),
  ).toEqual([`rung ${key} mbps`]);
  expect(Object.keys(place("ladder", "Give 1 to 12 rungs.", form))).toEqual(["ladder"]);
  expect(Object.keys(place("video", "The crf of AV1 must be between 15 and 58.", form))).toEqual(["av1 crf"]);
  expect(Object.keys(place("audio", "Name at least one audio codec, each once.", form))).toEqual(["audio"]);
});
