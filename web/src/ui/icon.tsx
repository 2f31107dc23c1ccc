// The app's icons, drawn on a 24-pixel grid. Always beside or inside something that has a name, so hidden from readers.
const strokes = {
  search: "M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM20 20l-4-4",
  home: "M4 11l8-7 8 7M6 9.500V20h4.500v-5.500h3V20H18V9.500",
  upload: "M12 16V4M7 9l5-5 5 5M4 16v3a1 1 0 0 0 1 1h14a1 1 0 0 0 1-1v-3",
  studio: "M4 5h16v14H4zM4 9h16M8 5l-2 4M13 5l-2 4M18 5l-2 4",
  history: "M4 12a8 8 0 1 0 2.600-5.900L4 8.500M4 4v4.500h4.500M12 8v4.500l3 2",
  user: "M12 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM4.500 20c1-3.600 4-5.500 7.500-5.500s6.500 1.900 7.500 5.500",
  close: "M6 6l12 12M18 6L6 18",
  check: "M5 12.500l4.500 4.500L19 7.500",
  left: "M15 5l-7 7 7 7",
  right: "M9 5l7 7-7 7",
  down: "M5 9l7 7 7-7",
  up: "M5 15l7-7 7 7",
  more: "M12 5.500v.01M12 12v.01M12 18.500v.01",
  edit: "M4 20l1-4.500L16.500 4l3.500 3.500L8.500 19zM14 6.500l3.500 3.500",
  trash: "M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13M10 11v5M14 11v5",
  retry: "M20 12a8 8 0 1 1-2.600-5.900L20 8.500M20 4v4.500h-4.500",
  warning: "M12 4L2.500 20h19zM12 10v4.500M12 17.200v.01",
  info: "M12 3.500a8.500 8.500 0 1 0 0 17 8.500 8.500 0 0 0 0-17zM12 11v5.500M12 7.700v.01",
  lock: "M6 11h12v9H6zM8.500 11V8a3.500 3.500 0 0 1 7 0v3",
  link: "M10 14a4 4 0 0 0 6 .4l3-3a4 4 0 0 0-5.700-5.700L12 7M14 10a4 4 0 0 0-6-.4l-3 3a4 4 0 0 0 5.700 5.700L12 17",
  globe:
    "M12 3.500a8.500 8.500 0 1 0 0 17 8.500 8.500 0 0 0 0-17zM3.500 12h17M12 3.500c5 5 5 12 0 17M12 3.500c-5 5-5 12 0 17",
  sun: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 2.500v2M12 19.500v2M2.500 12h2M19.500 12h2M5.300 5.300l1.400 1.400M17.300 17.300l1.400 1.400M18.700 5.300l-1.400 1.400M6.700 17.300l-1.400 1.400",
  moon: "M20 14A8.500 8.500 0 0 1 10 4a8.500 8.500 0 1 0 10 10z",
  screen: "M3 5h18v11H3zM9 20h6M12 16v4",
  volume: "M4 9.500v5h3.500L12 18.500v-13L7.500 9.500zM15.500 9a4.200 4.200 0 0 1 0 6M18 6.500a8 8 0 0 1 0 11",
  quiet: "M4 9.500v5h3.500L12 18.500v-13L7.500 9.500zM15.500 9a4.200 4.200 0 0 1 0 6",
  muted: "M4 9.500v5h3.500L12 18.500v-13L7.500 9.500zM16 9.500l5 5M21 9.500l-5 5",
  full: "M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5",
  unfull: "M9 4v5H4M15 4v5h5M9 20v-5H4M15 20v-5h5",
  pip: "M3 5h18v14H3zM12 12h6.500v4.500H12z",
  gear: "M12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6zM10.300 3h3.400l.5 2.600 1.700 1 2.500-.9 1.700 2.900-2 1.700v2l2 1.700-1.700 2.900-2.500-.9-1.700 1-.5 2.600h-3.400l-.5-2.600-1.700-1-2.500.9-1.700-2.900 2-1.700v-2l-2-1.700 1.700-2.900 2.500.9 1.700-1z",
  captions:
    "M3 5h18v14H3zM10.500 10.500c-2-1.500-4 0-4 1.500s2 3 4 1.500M17.500 10.500c-2-1.500-4 0-4 1.500s2 3 4 1.500",
  speed: "M4.500 18a9 9 0 1 1 15 0M12 13.500l4-5",
  audio:
    "M9 18V6l10-2v12M9 18a2.500 2.500 0 1 1-5 0 2.500 2.500 0 0 1 5 0zM19 16a2.500 2.500 0 1 1-5 0 2.500 2.500 0 0 1 5 0z",
  stats: "M4 20V10M10 20V4M16 20v-7M21 20H3",
  keyboard: "M3 6h18v12H3zM7 10v.01M11 10v.01M15 10v.01M8 14h8",
  plus: "M12 5v14M5 12h14",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  out: "M14 4H5v16h9M10 12h11M17 8l4 4-4 4",
  key: "M8 11a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM11 12l8-8M16 7l3 3",
  film: "M4 5h16v14H4zM8 5v14M16 5v14M4 9.500h4M4 14.500h4M16 9.500h4M16 14.500h4",
  back10: "M4 12a8 8 0 1 0 2.600-5.900L4 8.500M4 4v4.500h4.500",
  live: "M12 10.500a1.500 1.500 0 1 0 0 3 1.500 1.500 0 0 0 0-3zM8.200 16a5.500 5.500 0 0 1 0-8M15.800 8a5.500 5.500 0 0 1 0 8M5.200 19a9.800 9.800 0 0 1 0-14M18.800 5a9.800 9.800 0 0 1 0 14",
  eye: "M2.500 12c2.500-4.500 6-6.500 9.500-6.500s7 2 9.500 6.500c-2.500 4.500-6 6.500-9.500 6.500S5 16.500 2.500 12zM12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6z",
  forward10: "M20 12a8 8 0 1 1-2.600-5.900L20 8.500M20 4v4.500h-4.500",
} as const;
const solids = {
  play: "M7 4.500v15a1 1 0 0 0 1.500.9l12-7.500a1 1 0 0 0 0-1.800l-12-7.500A1 1 0 0 0 7 4.500z",
  pause: "M7 4h3.500v16H7zM13.500 4H17v16h-3.500z",
} as const;

export type IconName = keyof typeof strokes | keyof typeof solids;

export function Icon({ name, size = 20 }: { name: IconName; size?: number }) {
  const solid = name in solids;
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 24 24"
      aria-hidden="true"
      fill={solid ? "currentColor" : "none"}
      stroke={solid ? "none" : "currentColor"}
      strokeWidth={name === "more" ? 2.6 : 1.8}
      strokeLinecap="round"
      strokeLinejoin="round"
    >
      <path d={solid ? solids[name as keyof typeof solids] : strokes[name as keyof typeof strokes]} />
    </svg>
  );
}

export function Logo({ size = 28 }: { size?: number }) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="14 10 38 44"
      aria-hidden="true"
      fill="none"
      strokeWidth="8"
      strokeLinecap="round"
    >
      <path d="M31 33 46 48" stroke="var(--accent)" opacity="0.65" />
      <path d="M31 32 46 16" stroke="var(--accent)" />
      <path d="M19 16v32" stroke="var(--accent)" />
    </svg>
  );
}
