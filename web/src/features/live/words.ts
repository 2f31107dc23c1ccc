// Live events in words that a person understands.
import type { EventState, Latency } from "../../api/types";

export const latencies: Record<Latency, { label: string; hint: string }> = {
  low: {
    label: "A few seconds behind",
    hint: "Viewers see it 2 to 3 seconds later. Right for nearly everything, above all when you talk with them.",
  },
  standard: {
    label: "Under ten seconds behind",
    hint: "Viewers see it 6 to 10 seconds later. Runs more smoothly over weak connections and on old devices.",
  },
};

const dvrWords: readonly [number, string][] = [
  [0, "Not at all"],
  [1800, "30 minutes"],
  [7200, "2 hours"],
  [21_600, "6 hours"],
  [86_400, "A day"],
];

/** How far viewers can go back; a value that is none of the usual ones is offered too. */
export function dvrOptions(seconds: number) {
  const known = dvrWords.some(([value]) => value === seconds);
  const all = known ? dvrWords : [...dvrWords, [seconds, dvrName(seconds)] as const].sort((a, b) => a[0] - b[0]);
  return all.map(([value, label]) => ({ value: String(value), label }));
}

export function dvrName(seconds: number): string {
  const usual = dvrWords.find(([value]) => value === seconds);
  if (usual) return usual[1];
  if (seconds % 3600 === 0) return `${seconds / 3600} hours`;
  return seconds >= 120 ? `${Math.round(seconds / 60)} minutes` : `${seconds} seconds`;
}

export const stateWords: Record<EventState, { label: string; look: string }> = {
  upcoming: { label: "Upcoming", look: "" },
  live: { label: "Live", look: "on-air" },
  ended: { label: "Ended", look: "good" },
  cancelled: { label: "In the trash", look: "bad" },
};
