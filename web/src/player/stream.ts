// A playback as a stream of the viewer's account: says that it is still there, and hears when it was stopped elsewhere.
import { keepStream, leaveStream } from "../api/calls";
import { Problem } from "../api/problem";
import type { Playback } from "../api/types";

/** A stream that stands still for longer gives its place to others until it goes on. */
const restMs = 5 * 60_000;

export class Stream {
  private readonly stop = new AbortController();
  private rested = 0;

  /** `ended` is told when the stream counts no longer: the playback must be begun again. */
  constructor(
    private readonly playback: Playback,
    private readonly video: HTMLVideoElement,
    private readonly ended: () => void,
  ) {
    const every = playback.keep_alive_seconds;
    if (!every) return;
    const timer = setInterval(() => void this.keep(every), every * 1000);
    this.stop.signal.addEventListener("abort", () => clearInterval(timer));
    video.addEventListener("play", () => this.rested >= restMs && void this.keep(0), { signal: this.stop.signal });
    // The page may be gone before a request of its own would be sent.
    window.addEventListener("pagehide", () => this.leave(), { signal: this.stop.signal });
  }

  get session(): string {
    return this.playback.session;
  }

  private async keep(passed: number) {
    this.rested = this.video.paused ? this.rested + passed * 1000 : 0;
    if (this.rested >= restMs) return;
    try {
      await keepStream(this.session);
    } catch (error) {
      // Whatever else goes wrong, the stream plays on.
      if (error instanceof Problem && error.status === 410 && !this.stop.signal.aborted) {
        this.close();
        this.ended();
      }
    }
  }

  /** Nothing more is said of it; its place stays taken for a while. */
  close() {
    this.stop.abort();
  }

  /** Nobody watches any more: its place is free at once. */
  leave() {
    if (this.stop.signal.aborted) return;
    this.close();
    if (this.playback.keep_alive_seconds) leaveStream(this.session);
  }
}
