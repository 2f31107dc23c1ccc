// One playback: owns the video element and Shaka Player, and tells their state as one snapshot. It starts before the
// page is drawn; the page later adopts the element.
import type shakaTypes from "shaka-player/dist/shaka-player.dash-es2021.js";
import type { Playback } from "../api/types";
import { breath } from "../lib/breath";
import { prefer, preferences } from "../lib/preferences";
import { createStore, kept } from "../lib/store";
import { parseStoryboard, type Tile } from "../lib/vtt";
import { Beats } from "./beats";
import { askEdges, attempts, Edges, fetchFrom } from "./edges";
import { explain, type Failed, isDelivery, statusOf } from "./errors";
import { Stream } from "./stream";
import { tell } from "./telling";
import { loadShaka, loadShakaHls } from "./warm";

type Shaka = typeof shakaTypes;
type Player = InstanceType<Shaka["Player"]>;
export type Quality = { height: number; width: number; bandwidth: number; label: string };
export type Choice = { key: string; label: string; language: string; active: boolean };

export type Snapshot = {
  phase: "loading" | "ready" | "failed";
  failed: Failed | null;
  paused: boolean;
  ended: boolean;
  waiting: boolean;
  /** Seconds. */
  position: number;
  /** Seconds of the whole title; while it grows, what is playable ends at `available`. */
  duration: number;
  available: number;
  /** It is sent now. */
  live: boolean;
  /** How far one can go back; 0 unless it is live. */
  from: number;
  /** Seconds that the viewer is behind what could be seen; of what is live. */
  behind: number;
  buffered: readonly { start: number; end: number }[];
  volume: number;
  muted: boolean;
  rate: number;
  qualities: readonly Quality[];
  /** Chosen height; `null` is automatic. */
  quality: number | null;
  playing: Quality | null;
  audios: readonly Choice[];
  texts: readonly Choice[];
  pip: boolean;
  /** What the browser's autoplay policy made of our start. */
  autoplay: "allowed" | "muted" | "refused";
  tiles: readonly Tile[];
  /** Milliseconds from the click (or the page's opening) to the first frame. */
  startMs: number | null;
};

/** How far a live event is watched behind what its playlists allow at the most: they keep a distance from the present themselves. */
const lowLatencySeconds = 0.2;
const standardLatencySeconds = 1;
/** Who is no farther behind sees it live. */
export const liveSlackSeconds = 5;
/** A first frame that takes longer was begun on too high a rung. */
const slowStartMs = 4000;
const bandwidthName = "kinora-bandwidth";
const volumeName = "kinora-volume";

const empty: Snapshot = {
  phase: "loading",
  failed: null,
  paused: true,
  ended: false,
  waiting: false,
  position: 0,
  duration: 0,
  available: 0,
  live: false,
  from: 0,
  behind: 0,
  buffered: [],
  volume: 1,
  muted: false,
  rate: 1,
  qualities: [],
  quality: null,
  playing: null,
  audios: [],
  texts: [],
  pip: false,
  autoplay: "allowed",
  tiles: [],
  startMs: null,
};

/** A quality as people call it. `lines`: of the shorter side. */
export function qualityName(lines: number): string {
  if (lines >= 2160) return `4K ${lines}p`;
  if (lines >= 1080) return `Full HD ${lines}p`;
  return lines >= 720 ? `HD ${lines}p` : `${lines}p`;
}

export class PlayerSession {
  readonly state = createStore<Snapshot>(empty);
  readonly video = document.createElement("video");
  /** Holds the picture and what Shaka draws over it; the page adopts it. */
  readonly stage = document.createElement("div");
  /** Milliseconds, as the title's data says; told by the page when it knows. */
  durationMs = 0;
  private player: Player | null = null;
  private closed = false;
  private renewals = 0;
  private pendingSeek: number | null = null;
  private stream: Stream | null = null;
  private edges = new Edges();
  /** What the browser plays by itself, where it has no media source for the player. */
  private native: string | null = null;
  private speaksHls = false;
  /** The server says that it is sent now; the manifest says when it is not any more. */
  private sent = false;
  private readonly stop = new AbortController();
  private readonly beats: Beats | null;

  /** `live`: whether it is sent just now, for who knows. `since`: when the viewer asked for it, unless a click said so. `untold`: nobody watches, the server need not know. */
  constructor(
    private readonly authorise: (after?: string) => Promise<Playback>,
    private readonly options: { startAt?: number; since?: number; untold?: boolean; live?: boolean } = {},
  ) {
    this.beats = options.untold ? null : new Beats(() => this.reading());
    const video = this.video;
    this.stage.className = "stage";
    this.stage.append(video);
    video.defaultPlaybackRate = preferences.get().speed;
    video.playbackRate = preferences.get().speed;
    video.playsInline = true;
    video.preload = "auto";
    video.disableRemotePlayback = false;
    const [volume, muted] = (kept.read(volumeName) ?? "1 0").split(" ").map(Number);
    video.volume = Math.min(1, Math.max(0, volume ?? 1));
    video.muted = muted === 1;
    this.patch({ rate: video.playbackRate });
    this.listen();
    if (this.beats) tell(this.beats, this, this.stop.signal);
    this.stop.signal.addEventListener(
      "abort",
      preferences.subscribe(() => this.prefer()),
    );
    void this.begin();
  }

  private patch(change: Partial<Snapshot>) {
    if (!this.closed) this.state.set((now) => ({ ...now, ...change }));
  }

  private listen() {
    const { video } = this;
    const on = (names: string, act: () => void) => {
      for (const name of names.split(" ")) video.addEventListener(name, act, { signal: this.stop.signal });
    };
    on("timeupdate seeking seeked progress durationchange loadedmetadata ended", () => this.look());
    on("play pause playing ended", () => this.patch({ paused: video.paused, ended: video.ended, waiting: false }));
    on("waiting seeking", () => this.patch({ waiting: true }));
    on("playing seeked canplay", () => this.patch({ waiting: false }));
    // Shaka holds the picture at rate 0 while it buffers: that is not the viewer's speed.
    on("ratechange", () => video.playbackRate > 0 && this.patch({ rate: video.playbackRate }));
    on("volumechange", () => this.keepVolume());
    on("enterpictureinpicture leavepictureinpicture", () =>
      this.patch({ pip: document.pictureInPictureElement === video }),
    );
    video.requestVideoFrameCallback?.(() => {
      const from = this.options.since ?? performance.getEntriesByName("kinora:click").at(-1)?.startTime ?? 0;
      performance.mark("kinora:first-frame");
      const startMs = Math.round(performance.now() - from);
      this.patch({ startMs });
      this.beats?.started(startMs);
      // Once moving, wait for a little more before going on after a stall.
      this.player?.configure("streaming.rebufferingGoal", 2);
      this.adapt();
      this.prefer();
    });
  }

  private look() {
    const { video, player } = this;
    const buffered = Array.from({ length: video.buffered.length }, (_, i) => ({
      start: video.buffered.start(i),
      end: video.buffered.end(i),
    }));
    const known = this.durationMs / 1000;
    const growing = player?.isDynamic() ?? false;
    const range = player?.isFullyLoaded() ? player.seekRange() : { start: 0, end: 0 };
    const { end } = range;
    const live = this.sent && growing;
    const own = Number.isFinite(video.duration) && !growing ? video.duration : 0;
    const duration = own || (live ? end : Math.max(known, end));
    this.patch({
      position: video.currentTime,
      live,
      from: live ? range.start : 0,
      behind: live ? Math.max(0, end - video.currentTime) : 0,
      buffered,
      duration,
      available: growing ? end : duration,
      volume: video.volume,
      muted: video.muted,
    });
  }

  private async begin() {
    try {
      // The media source opens while the permission is still on its way.
      const authorised = this.authorise(this.stream?.session);
      authorised.catch(() => {});
      // What is live comes as HLS, for which there is a player of its own: only there parts are told before segments are whole.
      const live = this.options.live ?? (await authorised).event?.state === "live";
      const { default: shaka } = await (live ? loadShakaHls() : loadShaka());
      await breath();
      if (this.closed) return;
      if (!this.player) {
        this.speaksHls = live;
        this.player = new shaka.Player() as Player;
        this.player.setVideoContainer(this.stage);
        await breath();
        if (this.closed) return;
        this.configure(this.player);
        this.prefer();
        await breath();
        await this.player.attach(this.video);
      }
      const playback = await authorised;
      await breath();
      this.stream?.close();
      this.stream = new Stream(playback, this.video, () => this.retry());
      if (this.closed) return this.stream.leave();
      this.edges = new Edges(playback.edges);
      this.beats?.begin(playback.dash_url);
      this.sent = playback.event?.state === "live";
      if (playback.event && this.sent) this.keepUp(playback.event.latency);
      this.player.configure({
        ...attempts(this.edges),
        // CTA-5004-B: in the query, so that no answer from another site needs a preflight.
        cmcd: { enabled: true, version: 2, sessionId: playback.session, contentId: playback.presentation_id },
      });
      void this.loadStoryboard(playback.storyboard_url);
      // Without a place it begins at the present.
      const place = this.pendingSeek ?? this.options.startAt ?? null;
      const start = this.sent ? place : (place ?? playback.resume_ms / 1000);
      this.pendingSeek = null;
      setTimeout(() => !this.closed && this.adapt(), slowStartMs);
      const adaptive = "MediaSource" in window || "ManagedMediaSource" in window;
      // Whole: to a path alone Shaka cannot add its query.
      const dash = adaptive && !this.speaksHls;
      const [address = ""] = this.edges.addresses(dash ? playback.dash_url : playback.hls_url);
      this.native = adaptive ? null : address;
      await this.player.load(address, start);
      if (this.closed) return;
      this.patch({ phase: "ready", failed: null });
      this.rememberedText();
      this.tracks();
      this.look();
      await this.start();
    } catch (error) {
      this.fail(error);
    }
  }

  /** All viewers of an event stay as far from the present: who falls behind plays a little faster. */
  private keepUp(latency: "low" | "standard") {
    const low = latency === "low";
    this.player?.configure({
      streaming: {
        lowLatencyMode: low,
        liveSync: {
          enabled: true,
          targetLatency: low ? lowLatencySeconds : standardLatencySeconds,
          targetLatencyTolerance: low ? 0.1 : 1,
          maxPlaybackRate: 1.08,
          minPlaybackRate: 0.96,
        },
      },
    });
  }

  private configure(player: Player) {
    const remembered = Number(kept.read(bandwidthName));
    player.configure({
      abr: {
        // The rung that was begun with brings the first frame; changing to another before it would throw bytes away.
        enabled: false,
        // Begin with a rung whose first segment arrives well under a second; measured throughput takes over from there.
        defaultBandwidthEstimate: Math.max(600_000, (remembered || 4_000_000) * 0.35),
        useNetworkInformation: false,
        switchInterval: 3,
        advanced: { minTotalBytes: 64_000 },
      },
      manifest: {
        dash: { ignoreMinBufferTime: true },
        // Kinora has none in its pictures, and looking for them takes segments that may not be whole yet.
        hls: { disableClosedCaptionsDetection: true },
      },
      streaming: {
        rebufferingGoal: 0.1,
        bufferBehind: 60,
        retryParameters: { maxAttempts: 4, baseDelay: 500, timeout: 20_000 },
      },
    });
    const watch = { signal: this.stop.signal };
    const listen = (name: string, act: (event: Event) => void) =>
      player.addEventListener(name, act as never, watch as never);
    for (const name of ["adaptation", "variantchanged", "trackschanged", "textchanged", "audiotrackschanged"])
      listen(name, () => this.tracks());
    listen("buffering", (event) => this.patch({ waiting: (event as Event & { buffering: boolean }).buffering }));
    // Of one that was replaced nothing is of interest any more.
    listen("error", (event) => player === this.player && this.fail((event as CustomEvent).detail));
    player
      .getNetworkingEngine()
      ?.registerResponseFilter((_, response) => this.beats?.heard(response.headers["cache-status"]));
    askEdges(player, () => this.edges);
  }

  private reading() {
    const { player, video } = this;
    if (!player) return null;
    const stats = player.getStats();
    const { videoWidth: width, videoHeight: height } = video;
    return {
      bytes: stats.bytesDownloaded || 0,
      droppedFrames: video.getVideoPlaybackQuality?.().droppedVideoFrames ?? 0,
      bitrate: stats.streamBandwidth || 0,
      height: Math.min(width, height),
      ahead: this.ahead(),
    };
  }

  /** Seconds buffered ahead of the position. */
  private ahead(): number {
    const { currentTime } = this.video;
    const here = this.state
      .get()
      .buffered.find((range) => range.start <= currentTime + 0.1 && range.end >= currentTime);
    return here ? here.end - currentTime : 0;
  }

  /** Takes up what the viewer prefers, at the start and whenever it changes. */
  private prefer() {
    const { saver, capToScreen } = preferences.get();
    this.player?.configure({
      abr: {
        // Before the page has adopted the picture it has no size to go by.
        restrictToElementSize: capToScreen && this.stage.isConnected,
        restrictToScreenSize: capToScreen,
        // 480 lines of a wide picture, whichever way it stands; a little more for odd sizes.
        restrictions: { maxPixels: saver ? 854 * 480 * 1.05 : Number.POSITIVE_INFINITY },
      },
      // Until the first frame nothing is fetched that it does not need.
      streaming: { bufferingGoal: this.state.get().startMs === null ? 2 : saver ? 10 : 30 },
    });
  }

  /** Puts the picture on the page. */
  show(where: HTMLElement) {
    where.prepend(this.stage);
    this.prefer();
  }

  /** From the first frame on, or when that is slow to come, the rung follows the line. */
  private adapt() {
    this.player?.configure("abr.enabled", this.state.get().quality === null);
  }

  /** Captions as they were left the last time, if this title has them. */
  private rememberedText() {
    const { captions, captionLanguage } = preferences.get();
    const tracks = this.player?.getTextTracks() ?? [];
    const track = tracks.find((one) => one.language === captionLanguage) ?? tracks[0];
    if (captions && track) this.player?.selectTextTrack(track);
  }

  private async loadStoryboard(url: string | null) {
    if (!url) return;
    const answer = await fetchFrom(this.edges, url, this.stop.signal);
    if (answer?.ok) this.patch({ tiles: parseStoryboard(await answer.text(), answer.url) });
  }

  /** Where a picture of the storyboard is to be had, and then where else. */
  pictureAt(url: string): string[] {
    return this.edges.addresses(url);
  }

  /** Plays, muted if the browser only allows that, and otherwise waits for a press. */
  private async start() {
    try {
      await this.video.play();
      this.patch({ autoplay: "allowed" });
    } catch (error) {
      if (!(error instanceof DOMException) || error.name !== "NotAllowedError") return;
      this.patch({ autoplay: "muted" });
      this.video.muted = true;
      await this.video.play().catch(() => {
        this.video.muted = false;
        this.patch({ autoplay: "refused" });
      });
    }
  }

  private tracks() {
    const { player } = this;
    if (!player || this.closed) return;
    const byHeight = new Map<number, Quality>();
    let playing: Quality | null = null;
    for (const track of player.getVideoTracks()) {
      const [width, height] = [track.width ?? 0, track.height ?? 0];
      const quality = {
        width,
        height,
        bandwidth: track.bandwidth,
        label: qualityName(Math.min(width, height) || height),
      };
      if (track.active) playing = quality;
      if (height && (byHeight.get(height)?.bandwidth ?? -1) < track.bandwidth) byHeight.set(height, quality);
    }
    const label = (track: { label: string | null; language: string }, index: number, kind: string) => {
      const language =
        track.language && track.language !== "und"
          ? new Intl.DisplayNames("en", { type: "language" }).of(track.language)
          : null;
      return track.label || language || `${kind} ${index + 1}`;
    };
    this.patch({
      qualities: [...byHeight.values()].sort((a, b) => b.height - a.height),
      playing,
      audios: player
        .getAudioTracks()
        .map((t, i) => ({ key: String(i), label: label(t, i, "Audio"), language: t.language, active: t.active })),
      texts: player
        .getTextTracks()
        .map((t, i) => ({ key: String(i), label: label(t, i, "Captions"), language: t.language, active: t.active })),
    });
  }

  private fail(error: unknown) {
    if (this.closed || (error as { code?: number })?.code === 7000) return;
    const status = statusOf(error);
    const refused = status === 401 || status === 403 || status === 410;
    // A browser that plays by itself cannot change the edge on its way.
    const moves = this.native !== null && isDelivery(error) && this.edges.failed(this.native);
    const renews = moves || (refused && this.renewals++ < 2);
    const passes = !renews && (error as { severity?: number })?.severity === 1;
    const failed = explain(error);
    this.beats?.failed(failed.code, !renews && !passes);
    if (renews) return this.retry();
    if (passes) return;
    if (failed.reason) this.silence();
    this.patch({ phase: "failed", failed, waiting: false });
  }

  /** Plays here although it was stopped from elsewhere. */
  again() {
    this.stream = null;
    this.renewals = 0;
    this.retry();
  }

  /** Refused: what is buffered is not played on. */
  private silence() {
    this.pendingSeek = this.video.currentTime || this.pendingSeek;
    this.video.pause();
    void this.player?.unload().catch(() => {});
  }

  /** Starts over at the same place with a new permission. */
  retry() {
    this.pendingSeek = this.video.currentTime || this.pendingSeek;
    this.patch({ phase: "loading", failed: null });
    void this.begin();
  }

  toggle() {
    if (this.video.paused)
      void this.video.play().then(
        () => this.patch({ autoplay: "allowed" }),
        () => {},
      );
    else this.video.pause();
  }
  seek(seconds: number) {
    const { available, duration, from } = this.state.get();
    const end = available || duration;
    const target = Math.min(Math.max(from, seconds), end > 0 ? Math.max(0, end - 0.05) : seconds);
    this.video.currentTime = target;
    this.patch({ position: target, ended: false });
  }
  /** To what is sent just now. */
  toLive() {
    this.seek(this.state.get().available);
    if (this.video.paused) this.toggle();
  }
  skip(seconds: number) {
    this.seek(this.video.currentTime + seconds);
  }
  setVolume(volume: number) {
    this.patch({ autoplay: "allowed" });
    this.video.volume = Math.min(1, Math.max(0, volume));
    this.video.muted = this.video.volume === 0;
    this.keepVolume();
  }
  toggleMute() {
    this.patch({ autoplay: "allowed" });
    this.video.muted = !this.video.muted;
    if (!this.video.muted && this.video.volume === 0) this.video.volume = 0.5;
    this.keepVolume();
  }
  /** At once, too: the event that tells of a change comes later, and not to a page that is just left. */
  private keepVolume() {
    const { volume, muted } = this.video;
    this.patch({ volume, muted });
    if (this.state.get().autoplay !== "muted") kept.write(volumeName, `${volume} ${muted ? 1 : 0}`);
  }
  setRate(rate: number) {
    this.video.playbackRate = rate;
    this.video.defaultPlaybackRate = rate;
    prefer({ speed: rate });
  }
  setQuality(height: number | null) {
    const { player } = this;
    if (!player) return;
    this.patch({ quality: height });
    player.configure("abr.enabled", height === null);
    if (height === null) return;
    const track = player
      .getVideoTracks()
      .filter((t) => t.height === height)
      .sort((a, b) => b.bandwidth - a.bandwidth)[0];
    // What is about to be shown stays; the rest is fetched anew in the chosen quality.
    if (track) player.selectVideoTrack(track, true, 3);
  }
  setAudio(key: string) {
    const track = this.player?.getAudioTracks()[Number(key)];
    if (track) this.player?.selectAudioTrack(track);
    this.tracks();
  }
  setText(key: string | null) {
    const track = key === null ? null : (this.player?.getTextTracks()[Number(key)] ?? null);
    this.player?.selectTextTrack(track);
    prefer(track ? { captions: true, captionLanguage: track.language } : { captions: false });
    this.tracks();
  }
  async togglePip() {
    if (document.pictureInPictureElement) await document.exitPictureInPicture();
    else await this.video.requestPictureInPicture?.();
  }
  stats() {
    const { player } = this;
    if (!player) return null;
    const stats = player.getStats();
    const playing = player.getVariantTracks().find((track) => track.active);
    const box = this.stage.getBoundingClientRect();
    return {
      stats,
      ahead: this.ahead(),
      codecs: playing?.codecs ?? "",
      frameRate: playing?.frameRate ?? null,
      shown: { width: Math.round(box.width * devicePixelRatio), height: Math.round(box.height * devicePixelRatio) },
      live: player.isLive() ? stats.liveLatency : null,
      edge: this.edges.current,
      automatic: this.state.get().quality === null,
    };
  }

  close() {
    if (this.closed) return;
    const estimate = this.player?.getStats().estimatedBandwidth ?? 0;
    if (estimate > 0) kept.write(bandwidthName, String(Math.round(estimate)));
    this.closed = true;
    this.beats?.ended();
    this.stop.abort();
    this.stream?.leave();
    if (document.pictureInPictureElement === this.video) void document.exitPictureInPicture().catch(() => {});
    const gone = this.player?.destroy();
    void Promise.resolve(gone).catch(() => {});
    this.stage.remove();
  }
}
