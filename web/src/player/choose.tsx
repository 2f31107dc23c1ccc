// A button of the control bar that opens a menu: one of several, switches, and things to open. The menu's code comes when a
// pointer, the focus or a press comes near.
import { type ReactNode, type RefObject, useState } from "react";
import { Icon, type IconName } from "../ui/icon";
import type { ChooseMenu } from "./choosemenu";

const load = () => import("./choosemenu");

export type ChooseProps = {
  frame: RefObject<HTMLElement | null>;
  onMenu: (open: boolean) => void;
  icon: IconName;
  label: string;
  text?: string | undefined;
  lit?: boolean;
  value: string;
  onValue: (value: string) => void;
  options: readonly { value: string; label: string; end?: ReactNode }[];
  switches?: readonly { label: string; on: boolean; onValue: (on: boolean) => void }[];
  more?: readonly { icon: IconName; label: string; act: () => void }[];
};

export function Choose(props: ChooseProps) {
  const [Loaded, setLoaded] = useState<typeof ChooseMenu | null>(null);
  const open = () =>
    void load().then(({ ChooseMenu }) => {
      setLoaded(() => ChooseMenu);
      props.onMenu(true);
    });
  const button = (
    <button
      type="button"
      className={`push-button ${props.lit ? "lit" : ""}`}
      aria-label={props.label}
      aria-haspopup="menu"
      title={props.label}
      onPointerEnter={Loaded ? undefined : () => void load()}
      onFocus={Loaded ? undefined : () => void load()}
      onClick={Loaded ? undefined : open}
    >
      {props.text ? <b>{props.text}</b> : <Icon name={props.icon} size={24} />}
    </button>
  );
  return Loaded ? <Loaded {...props} button={button} /> : button;
}
