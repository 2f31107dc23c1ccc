// The control bar: play, seek, time, volume, menus, picture in picture, full screen.
import type { RefObject } from "react";
import { bitrate, clock } from "../lib/format";
import { prefer, preferences } from "../lib/preferences";
import { useStore } from "../lib/store";
import { Icon, type IconName } from "../ui/icon";
import { Choose } from "./choose";
import { rates } from "./keys";
import { SeekBar } from "./seekbar";
import { liveSlackSeconds, type PlayerSession } from "./session";

export type Acts = {
  onFull: () => void;
  onHelp: () => void;
  onStats: () => void;
  onStyle: () => void;
  onMenu: (open: boolean) => void;
};
type Props = Acts & { session: PlayerSession; frame: RefObject<HTMLElement | null>; full: boolean };

export function Controls(props: Props) {
  const { session } = props;
  const state = useStore(session.state);
  return (
    <div className="controls">
      <SeekBar session={session} />
      <div className="buttons">
        <Push
          icon={state.ended ? "retry" : state.paused ? "play" : "pause"}
          label={state.ended ? "Play again" : state.paused ? "Play" : "Pause"}
          hint="K"
          onPress={() => session.toggle()}
          big
        />
        <Push icon="back10" label="Back 10 seconds" hint="J" onPress={() => session.skip(-10)} inner="10" />
        <Push icon="forward10" label="On 10 seconds" hint="L" onPress={() => session.skip(10)} inner="10" />
        <Volume session={session} />
        {state.live ? (
          <LiveNow behind={state.behind} onPress={() => session.toLive()} />
        ) : (
          <span className="time">
            {clock((state.ended ? Math.round(state.duration) : state.position) * 1000)}
            <span> / {clock(Math.round(state.duration) * 1000)}</span>
          </span>
        )}
        <span className="push" />
        <Menus {...props} />
        {document.pictureInPictureEnabled && (
          <Push
            icon="pip"
            label={state.pip ? "Leave picture in picture" : "Picture in picture"}
            hint="P"
            onPress={() => void session.togglePip().catch(() => {})}
            wide
          />
        )}
        <Push
          icon={props.full ? "unfull" : "full"}
          label={props.full ? "Leave full screen" : "Full screen"}
          hint="F"
          onPress={props.onFull}
        />
      </div>
    </div>
  );
}

/** Says whether one sees the present, and leads there. */
function LiveNow({ behind, onPress }: { behind: number; onPress: () => void }) {
  const there = behind < liveSlackSeconds;
  return (
    <button
      type="button"
      className="live-now"
      data-there={there || undefined}
      aria-label={there ? "Live" : "Go to live"}
      onClick={onPress}
    >
      <i aria-hidden="true" />
      Live
      {!there && <span className="time">−{clock(behind * 1000)}</span>}
    </button>
  );
}

function Menus(props: Props) {
  const { session } = props;
  const state = useStore(session.state);
  const { saver, capToScreen, autoplayNext } = useStore(preferences);
  const shared = { frame: props.frame, onMenu: props.onMenu };
  return (
    <>
      {state.texts.length > 0 && (
        <Choose
          {...shared}
          icon="captions"
          label="Captions"
          lit={state.texts.some((text) => text.active)}
          value={state.texts.find((text) => text.active)?.key ?? "off"}
          onValue={(key) => session.setText(key === "off" ? null : key)}
          options={[
            { value: "off", label: "Off" },
            ...state.texts.map((text) => ({ value: text.key, label: text.label })),
          ]}
          more={[{ icon: "edit", label: "How captions look", act: props.onStyle }]}
        />
      )}
      {state.audios.length > 1 && (
        <Choose
          {...shared}
          icon="audio"
          label="Audio"
          value={state.audios.find((audio) => audio.active)?.key ?? ""}
          onValue={(key) => session.setAudio(key)}
          options={state.audios.map((audio) => ({ value: audio.key, label: audio.label }))}
        />
      )}
      <Choose
        {...shared}
        icon="speed"
        label="Speed"
        text={state.rate === 1 ? undefined : `${state.rate}×`}
        value={String(state.rate)}
        onValue={(rate) => session.setRate(Number(rate))}
        options={rates.map((rate) => ({ value: String(rate), label: rate === 1 ? "Normal" : `${rate}×` }))}
      />
      <Choose
        {...shared}
        icon="gear"
        label="Quality"
        value={String(state.quality ?? "auto")}
        onValue={(height) => session.setQuality(height === "auto" ? null : Number(height))}
        options={[
          { value: "auto", label: "Automatic", end: state.quality === null ? state.playing?.label : undefined },
          ...state.qualities.map((quality) => ({
            value: String(quality.height),
            label: quality.label,
            end: bitrate(quality.bandwidth),
          })),
        ]}
        switches={[
          { label: "Data saver", on: saver, onValue: (on) => prefer({ saver: on }) },
          { label: "No more than fits the screen", on: capToScreen, onValue: (on) => prefer({ capToScreen: on }) },
          { label: "Go on with the next title", on: autoplayNext, onValue: (on) => prefer({ autoplayNext: on }) },
        ]}
        more={[
          { icon: "captions", label: "How captions look", act: props.onStyle },
          { icon: "stats", label: "Statistics for nerds", act: props.onStats },
          { icon: "keyboard", label: "Keyboard", act: props.onHelp },
        ]}
      />
    </>
  );
}

function Push(props: {
  icon: IconName;
  label: string;
  hint?: string;
  onPress: () => void;
  big?: boolean;
  wide?: boolean;
  inner?: string;
}) {
  return (
    <button
      type="button"
      className={`push-button ${props.big ? "main" : ""} ${props.wide || props.inner ? "wide-only" : ""}`}
      aria-label={props.label}
      aria-keyshortcuts={props.hint}
      title={props.hint ? `${props.label} (${props.hint})` : props.label}
      onClick={props.onPress}
    >
      <Icon name={props.icon} size={props.big ? 28 : 24} />
      {props.inner && <small aria-hidden="true">{props.inner}</small>}
    </button>
  );
}

function Volume({ session }: { session: PlayerSession }) {
  const state = useStore(session.state);
  const level = state.muted ? 0 : state.volume;
  return (
    <div className="volume">
      <Push
        icon={level === 0 ? "muted" : level < 0.5 ? "quiet" : "volume"}
        label={level === 0 ? "Sound on" : "Mute"}
        hint="M"
        onPress={() => session.toggleMute()}
      />
      <input
        type="range"
        aria-label="Volume"
        aria-valuetext={`${Math.round(level * 100)} percent`}
        min="0"
        max="1"
        step="0.05"
        value={level}
        style={{ "--level": `${level * 100}%` } as React.CSSProperties}
        onChange={(event) => session.setVolume(Number(event.target.value))}
      />
    </div>
  );
}
