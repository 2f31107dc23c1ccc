// A menu of the control bar: one of several, switches, and things to open.
import { DropdownMenu } from "radix-ui";
import { type ReactNode, type RefObject, useState } from "react";
import { Icon, type IconName } from "../ui/icon";

type Props = {
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

export function Choose(props: Props) {
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
                <Mark />
                {option.label}
                {option.end && <span className="end">{option.end}</span>}
              </DropdownMenu.RadioItem>
            ))}
          </DropdownMenu.RadioGroup>
          {props.switches && <DropdownMenu.Separator className="menu-line" />}
          {props.switches?.map((one) => (
            <DropdownMenu.CheckboxItem
              className="menu-item"
              key={one.label}
              checked={one.on}
              onCheckedChange={one.onValue}
              onSelect={(event) => event.preventDefault()}
            >
              <Mark />
              {one.label}
            </DropdownMenu.CheckboxItem>
          ))}
          {props.more && <DropdownMenu.Separator className="menu-line" />}
          {props.more?.map((item) => (
            <DropdownMenu.Item className="menu-item" key={item.label} onSelect={item.act}>
              <span className="mark">
                <Icon name={item.icon} size={18} />
              </span>
              {item.label}
            </DropdownMenu.Item>
          ))}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}

function Mark() {
  return (
    <span className="mark">
      <DropdownMenu.ItemIndicator>
        <Icon name="check" size={18} />
      </DropdownMenu.ItemIndicator>
    </span>
  );
}
