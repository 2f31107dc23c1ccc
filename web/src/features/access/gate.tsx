// The frame of the pages before the app: set-up and sign-in. Beside the form, the leaves of a Kinora reel.
import type { ReactNode } from "react";
import { useInstance } from "../../api/queries";
import { Logo } from "../../ui/icon";

export function GateFrame({ children }: { children: ReactNode }) {
  const { data } = useInstance();
  return (
    <div className="gate">
      <main>
        <div className="brand">
          <Logo size={32} />
          <span>{data?.name ?? "Kinora"}</span>
        </div>
        {children}
      </main>
      <aside aria-hidden="true">
        <svg viewBox="0 0 800 900" preserveAspectRatio="xMidYMid slice">
          <title>A reel of picture leaves</title>
          {Array.from({ length: 28 }, (_, i) => (
            <g key={i} transform={`rotate(${-62 + i * 7.2} 120 760)`} opacity={0.16 + 0.84 * (i / 27) ** 2}>
              <rect
                x="300"
                y="690"
                width="560"
                height="132"
                rx="14"
                fill={`hsl(36 ${20 + i * 2.6}% ${8 + i * 1.7}%)`}
                stroke="#0b0c0f"
                strokeWidth="3"
              />
              <rect
                x="640"
                y="706"
                width="196"
                height="100"
                rx="8"
                fill={`hsl(${30 + i * 0.4} ${40 + i * 2}% ${12 + i * 1.9}%)`}
              />
            </g>
          ))}
          <circle cx="120" cy="760" r="150" fill="#0b0c0f" stroke="#2b2f39" strokeWidth="3" />
          <circle cx="120" cy="760" r="46" fill="#ffb340" />
        </svg>
      </aside>
    </div>
  );
}
