// The menu behind a button of the control bar, opened at once.
import { DropdownMenu } from "radix-ui";
import { type ReactElement, useState } from "react";
import { Icon } from "../ui/icon";
import type { ChooseProps } from "./choose";

export function ChooseMenu({ button, ...props }: ChooseProps & { button: ReactElement }) {
  const [open, setOpen] = useState(true);
  const change = (now: boolean) => {
    setOpen(now);
    props.onMenu(now);
  };
  return (
    <DropdownMenu.Root open={open} onOpenChange={change} modal={false}>
      <DropdownMenu.Trigger asChild>{button}</DropdownMenu.Trigger>
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
