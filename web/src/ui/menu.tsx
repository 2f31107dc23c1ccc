// A button that opens a menu. The menu's own code comes with the first press, or a little before: many buttons are never
// pressed.
import { type ReactNode, useState } from "react";
import type { Menu, MenuEntry } from "./overlay";

const load = () => import("./overlay");

type Props = {
  className: string;
  label: string;
  children: ReactNode;
  items: readonly (MenuEntry | false | null | undefined)[];
  header?: ReactNode;
  /** Not on the way of four-arrow navigation. */
  aside?: boolean;
};

export function MenuButton({ className, label, children, items, header, aside }: Props) {
  const [Loaded, setLoaded] = useState<typeof Menu | null>(null);
  const button = (
    <button
      type="button"
      className={className}
      aria-label={label}
      aria-haspopup="menu"
      data-spatial={aside ? "off" : undefined}
      onPointerEnter={Loaded ? undefined : () => void load()}
      onFocus={Loaded ? undefined : () => void load()}
      onClick={Loaded ? undefined : () => void load().then(({ Menu }) => setLoaded(() => Menu))}
    >
      {children}
    </button>
  );
  return Loaded ? <Loaded defaultOpen trigger={button} items={items} header={header} /> : button;
}
