// Menu and dialog on Radix, which handles focus, escape and the keyboard.
import { AlertDialog, DropdownMenu, Dialog as RadixDialog } from "radix-ui";
import type { ReactNode } from "react";
import { Button } from "./basics";
import { Icon, type IconName } from "./icon";

export type MenuEntry =
  | "line"
  | { label: string; icon?: IconName; end?: ReactNode; danger?: boolean; disabled?: boolean; onSelect: () => void };

export function Menu(props: {
  trigger: ReactNode;
  items: readonly (MenuEntry | false | null | undefined)[];
  header?: ReactNode;
  align?: "start" | "end";
  defaultOpen?: boolean;
}) {
  return (
    <DropdownMenu.Root modal={false} defaultOpen={props.defaultOpen ?? false}>
      <DropdownMenu.Trigger asChild>{props.trigger}</DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content className="menu" align={props.align ?? "end"} sideOffset={8} collisionPadding={8}>
          {props.header}
          {props.items.map((item, index) =>
            !item ? null : item === "line" ? (
              <DropdownMenu.Separator className="menu-line" key={index} />
            ) : (
              <DropdownMenu.Item
                key={item.label}
                className={`menu-item ${item.danger ? "danger" : ""}`}
                disabled={item.disabled ?? false}
                onSelect={item.onSelect}
              >
                {item.icon && <Icon name={item.icon} />}
                {item.label}
                {item.end && <span className="end">{item.end}</span>}
              </DropdownMenu.Item>
            ),
          )}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}

export function Dialog(props: {
  open: boolean;
  onClose: () => void;
  title: string;
  description?: ReactNode;
  children?: ReactNode;
  container?: HTMLElement | null;
  /** For a form of two columns. */
  wide?: boolean;
}) {
  return (
    <RadixDialog.Root open={props.open} onOpenChange={(open) => !open && props.onClose()}>
      <RadixDialog.Portal container={props.container ?? undefined}>
        <RadixDialog.Overlay className="scrim" />
        <RadixDialog.Content
          className="dialog"
          data-wide={props.wide || undefined}
          {...(props.description ? {} : { "aria-describedby": undefined })}
        >
          <div className="line">
            <RadixDialog.Title asChild>
              <h2>{props.title}</h2>
            </RadixDialog.Title>
            <RadixDialog.Close asChild>
              <Button look="quiet" icon="close" aria-label="Close" className="push" />
            </RadixDialog.Close>
          </div>
          {props.description && (
            <RadixDialog.Description asChild>
              <div className="muted">{props.description}</div>
            </RadixDialog.Description>
          )}
          {props.children}
        </RadixDialog.Content>
      </RadixDialog.Portal>
    </RadixDialog.Root>
  );
}

/** A question that must be answered. */
export function Confirm(props: {
  open: boolean;
  title: string;
  children: ReactNode;
  yes: string;
  no?: string;
  danger?: boolean;
  onAnswer: (yes: boolean) => void;
}) {
  return (
    <AlertDialog.Root open={props.open} onOpenChange={(open) => !open && props.onAnswer(false)}>
      <AlertDialog.Portal>
        <AlertDialog.Overlay className="scrim" />
        <AlertDialog.Content className="dialog">
          <AlertDialog.Title asChild>
            <h2>{props.title}</h2>
          </AlertDialog.Title>
          <AlertDialog.Description asChild>
            <div className="muted">{props.children}</div>
          </AlertDialog.Description>
          <div className="actions">
            <AlertDialog.Cancel asChild>
              <Button look="quiet">{props.no ?? "Cancel"}</Button>
            </AlertDialog.Cancel>
            <AlertDialog.Action asChild>
              <Button look={props.danger ? "danger" : "primary"} onClick={() => props.onAnswer(true)}>
                {props.yes}
              </Button>
            </AlertDialog.Action>
          </div>
        </AlertDialog.Content>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  );
}
