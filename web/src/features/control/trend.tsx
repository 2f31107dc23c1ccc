// A line without axes: how the last hour went. Its summary in words is what screen readers get.
const WIDTH = 240;
const HEIGHT = 40;

export function Trend({ values, label }: { values: readonly number[]; label: string }) {
  if (values.length < 2) return <p className="clock-note">The trend appears after two minutes.</p>;
  const top = Math.max(1, ...values);
  const step = WIDTH / (values.length - 1);
  const points = values.map((value, at) => `${(at * step).toFixed(1)},${(HEIGHT - (value / top) * HEIGHT).toFixed(1)}`);
  const line = `M${points.join("L")}`;
  const last = values[values.length - 1] ?? 0;
  return (
    <svg
      className="trend"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={`${label}: ${last} now, at most ${Math.max(...values)} within ${values.length} minutes`}
    >
      <path className="area" d={`${line}L${WIDTH},${HEIGHT}L0,${HEIGHT}Z`} />
      <path d={line} />
    </svg>
  );
}
