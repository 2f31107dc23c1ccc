// The frame of the pages before the app: set-up and sign-in. Beside the form, the leaves of a Kinora reel.
import type { ReactNode } from "react";
import { useInstance } from "../../api/queries";
import { Logo } from "../../ui/icon";

const leaves = Array.from({ length: 40 }, (_, i) => i / 39);

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
        <svg viewBox="0 0 800 900" preserveAspectRatio="xMidYMid slice" role="presentation">
          {leaves.map((part, i) => (
            <g key={i} transform={`rotate(${-112 + part * 104} 110 780)`}>
              <rect
                x="250"
                y="716"
                width="600"
                height="128"
                rx="12"
                fill={`hsl(34 ${16 + part * 14}% ${6 + part * 9}%)`}
                stroke="#0b0c0f"
                strokeWidth="3"
              />
              <rect
                x="520"
                y="728"
                width="312"
                height="104"
                rx="8"
                fill={`hsl(${24 + part * 12} ${34 + part * 62}% ${8 + part * part * 55}%)`}
              />
            </g>
          ))}
          <circle cx="110" cy="780" r="172" fill="#14161b" stroke="#2b2f39" strokeWidth="2" />
          <circle cx="110" cy="780" r="116" fill="none" stroke="#2b2f39" strokeWidth="2" />
          <circle cx="110" cy="780" r="30" fill="#ffb340" />
        </svg>
      </aside>
    </div>
  );
}
