// An encoding profile as people type it, and back.
import type { AudioCodec, Effort, Profile, VideoCodec } from "../../api/types";

export const videoCodecs = ["h264", "hevc", "vp9", "av1"] as const satisfies readonly VideoCodec[];
/** What the server takes when none is given: they look alike. */
export const usualCrf: Record<VideoCodec, number> = { h264: 23, hevc: 26, vp9: 33, av1: 35 };

export type RungForm = { key: number; height: string; mbps: string };
export type VideoForm = { codec: VideoCodec; effort: Effort; crf: string; from: string };
export type Form = { ladder: RungForm[]; video: VideoForm[]; audio: AudioCodec[]; keepDolby: boolean };

let next = 1;
export const emptyRung = (): RungForm => ({ key: next++, height: "", mbps: "" });
export const emptyVideo = (codec: VideoCodec): VideoForm => ({ codec, effort: "fast", crf: "", from: "" });

export function toForm(profile: Profile): Form {
  const text = (value: number | null | undefined) => (value === null || value === undefined ? "" : String(value));
  return {
    ladder: profile.ladder.map((rung) => ({
      key: next++,
      height: String(rung.height),
      mbps: String(rung.bitrate_bps / 1_000_000),
    })),
    video: profile.video.map((video) => ({
      codec: video.codec,
      effort: video.effort ?? "fast",
      crf: text(video.crf),
      from: text(video.from_height),
    })),
    audio: profile.audio ?? ["aac"],
    keepDolby: profile.keep_dolby ?? false,
  };
}

/** Words by field: `rung 3 height`, `av1 crf`. */
export type Wrong = Record<string, string>;

const whole = (text: string) => (/^\d{1,6}$/.test(text.trim()) ? Number(text) : null);

/** The profile, or the fields that hold no number. What numbers may be is for the server to say. */
export function toProfile(form: Form): { profile: Profile } | { wrong: Wrong } {
  const wrong: Wrong = {};
  const number = (field: string, text: string) => {
    const value = whole(text);
    if (value === null) wrong[field] = "Give a whole number.";
    return value ?? 0;
  };
  const optional = (field: string, text: string) => (text.trim() === "" ? null : number(field, text));
  const ladder = form.ladder.map((rung) => {
    const bps = Math.round(Number(rung.mbps.replace(",", ".")) * 1_000_000);
    const isRate = rung.mbps.trim() !== "" && Number.isFinite(bps) && bps >= 0 && bps < 4_000_000_000;
    if (!isRate) wrong[`rung ${rung.key} mbps`] = "Give a number.";
    return { height: number(`rung ${rung.key} height`, rung.height), bitrate_bps: isRate ? bps : 0 };
  });
  const video = form.video.map(({ codec, effort, crf, from }) => {
    const quality = optional(`${codec} crf`, crf);
    const least = optional(`${codec} from`, from);
    return {
      codec,
      effort,
      ...(quality === null ? {} : { crf: Math.min(quality, 255) }),
      ...(least === null ? {} : { from_height: least }),
    };
  });
  if (Object.keys(wrong).length > 0) return { wrong };
  return { profile: { ladder, video, audio: form.audio, keep_dolby: form.keepDolby } };
}

export const same = (a: Form, b: Form) => {
  const plain = (form: Form) =>
    JSON.stringify({ ...form, ladder: form.ladder.map(({ height, mbps }) => [height, mbps]) });
  return plain(a) === plain(b);
};

/** Which field the server's words are about: `{field, detail}` names the part, the words name the rung or the codec. */
export function place(field: string, words: string, form: Form): Wrong {
  if (field === "ladder") {
    const named = form.ladder.filter((rung) => new RegExp(`\\b${rung.height}\\b`).test(words) && rung.height !== "");
    const rung = named.at(-1);
    const side = /bit rate/.test(words) ? "mbps" : "height";
    return rung ? { [`rung ${rung.key} ${side}`]: words } : { ladder: words };
  }
  if (field === "video") {
    const codec = form.video.find((video) =>
      words.includes({ h264: "H.264", hevc: "HEVC", vp9: "VP9", av1: "AV1" }[video.codec]),
    );
    if (codec && /crf/.test(words)) return { [`${codec.codec} crf`]: words };
    if (codec && /from_height/.test(words))
      return { [`${codec.codec} from`]: "No rung is left: the largest one is lower." };
    return { video: words };
  }
  return { [field]: words };
}
