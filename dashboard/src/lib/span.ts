// A stretch of time as the address says it: a range that ends now, or two fixed ends.

export interface SpanAsked {
  range: string;
  from?: number | undefined;
  to?: number | undefined;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export const RANGES = [
  ["15m", "15 min", 15 * MINUTE],
  ["1h", "1 h", HOUR],
  ["24h", "24 h", DAY],
  ["7d", "7 d", 7 * DAY],
  ["30d", "30 d", 30 * DAY],
] as const;

const STEPS = [
  1_000,
  5_000,
  15_000,
  30_000,
  MINUTE,
  2 * MINUTE,
  5 * MINUTE,
  15 * MINUTE,
  30 * MINUTE,
  HOUR,
  3 * HOUR,
  6 * HOUR,
  DAY,
  7 * DAY,
];

export function bounds({ range, from, to }: SpanAsked, now: number): { from: number; to: number } {
  if (from !== undefined && to !== undefined) return { from, to };
  const length = RANGES.find(([name]) => name === range)?.[2] ?? DAY;
  return { from: now - length, to: now };
}

/** Round bucket edges, about sixty of them. */
export function buckets(from: number, to: number, wanted = 60): { step: number; times: number[] } {
  const step = STEPS.find((each) => (to - from) / each <= wanted) ?? 30 * DAY;
  const times: number[] = [];
  for (let at = Math.floor(from / step) * step; at <= to; at += step) times.push(at);
  return { step, times };
}
