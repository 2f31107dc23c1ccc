// The control bar: play, seek, time, volume, menus, picture in picture, full screen.
import { DropdownMenu } from "radix-ui";
import { type ReactNode, type RefObject, useState } from "react";
import { bitrate, clock } from "../lib/format";
import { useStore } from "../lib/store";
import { Icon, type IconName } from "../ui/icon";
import { rates } from "./keys";
import { SeekBar } from "./seekbar";
import type { PlayerSession } from "./session";

type Props = {
  session: PlayerSession;
  frame: RefObject<HTMLElement | null>;
  full: boolean;
  onFull: () => void;
  onHelp: () => void;
  onStats: () => void;
  onMenu: (open: boolean) => void;
};

export function Controls(props: Props) {
  const { session } = props;
  const state = useStore(session.state);
  return (
    <div className="controls">
      <SeekBar session={session} />
      <div className="buttons">
        <Push
          icon={state.paused ? "play" : state.ended ? "retry" : "pause"}
          label={state.paused ? "Play" : "Pause"}
          hint="K"
          onPress={() => session.toggle()}
          big
        />
        <Push icon="back10" label="Back 10 seconds" hint="J" onPress={() => session.skip(-10)} inner="10" />
        <Push icon="forward10" label="On 10 seconds" hint="L" onPress={() => session.skip(10)} inner="10" />
        <Volume session={session} />
        <span className="time">
          {clock(state.position * 1000)}
          <span> / {clock(Math.round(state.duration) * 1000)}</span>
        </span>
        <span className="push" />
        {state.texts.length > 0 && (
          <Choose
            {...props}
            icon="captions"
            label="Captions"
            lit={state.texts.some((text) => text.active)}
            value={state.texts.find((text) => text.active)?.key ?? "off"}
            onValue={(key) => session.setText(key === "off" ? null : key)}
            options={[
              { value: "off", label: "Off" },
              ...state.texts.map((text) => ({ value: text.key, label: text.label })),
            ]}
          />
        )}
        {state.audios.length > 1 && (
          <Choose
            {...props}
            icon="audio"
            label="Audio"
            value={state.audios.find((audio) => audio.active)?.key ?? ""}
            onValue={(key) => session.setAudio(key)}
            options={state.audios.map((audio) => ({ value: audio.key, label: audio.label }))}
          />
        )}
        <Choose
          {...props}
          icon="speed"
          label="Speed"
          text={state.rate === 1 ? undefined : `${state.rate}×`}
          value={String(state.rate)}
          onValue={(rate) => session.setRate(Number(rate))}
          options={rates.map((rate) => ({ value: String(rate), label: rate === 1 ? "Normal" : `${rate}×` }))}
        />
        <Choose
          {...props}
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
          more={[
            { icon: "stats", label: "Statistics for nerds", act: props.onStats },
            { icon: "keyboard", label: "Keyboard", act: props.onHelp },
          ]}
        />
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

type ChooseProps = Pick<Props, "frame" | "onMenu"> & {
  icon: IconName;
  label: string;
  text?: string | undefined;
  lit?: boolean;
  value: string;
  onValue: (value: string) => void;
  options: readonly { value: string; label: string; end?: ReactNode }[];
  more?: readonly { icon: IconName; label: string; act: () => void }[];
};

function Choose(props: ChooseProps) {
  const [open, setOpen] = useState(false);
  const change = (now: boolean) => {
    setOpen(now);
    props.onMenu(now);
  };
  return (
    <DropdownMenu.Root open={open} onOpenChange={change} modal={false}>
      <DropdownMenu.Trigger asChild>
        <button
          type="button"
          className={`push-button ${props.lit ? "lit" : ""}`}
          aria-label={props.label}
          title={props.label}
        >
          {props.text ? <b>{props.text}</b> : <Icon name={props.icon} size={24} />}
        </button>
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal container={props.frame.current}>
        <DropdownMenu.Content className="menu player-menu" side="top" align="end" sideOffset={28} collisionPadding={8}>
          <DropdownMenu.Label className="menu-title">{props.label}</DropdownMenu.Label>
          <DropdownMenu.RadioGroup value={props.value} onValueChange={props.onValue}>
            {props.options.map((option) => (
              <DropdownMenu.RadioItem className="menu-item" key={option.value} value={option.value}>
                <span className="mark">
                  <DropdownMenu.ItemIndicator>
                    <Icon name="check" size={18} />
                  </DropdownMenu.ItemIndicator>
                </span>
                {option.label}
                {option.end && <span className="end">{option.end}</span>}
              </DropdownMenu.RadioItem>
            ))}
          </DropdownMenu.RadioGroup>
          {props.more && <DropdownMenu.Separator className="menu-line" />}
          {props.more?.map((item) => (
            <DropdownMenu.Item className="menu-item" key={item.label} onSelect={item.act}>
              <Icon name={item.icon} size={18} />
              {item.label}
            </DropdownMenu.Item>
          ))}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}
