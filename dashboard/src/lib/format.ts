// Numbers, money and times as people read them.

const whole = new Intl.NumberFormat("en-US");
const short = new Intl.NumberFormat("en-US", { notation: "compact", maximumFractionDigits: 1 });

export const UNKNOWN = "–";

export function count(value: number | null | undefined): string {
  return value == null ? UNKNOWN : whole.format(value);
}

export function compact(value: number | null | undefined): string {
  if (value == null) return UNKNOWN;
  return value < 10_000 ? whole.format(Math.round(value * 10) / 10) : short.format(value);
}

/** Dollars with the digits that matter: $212.40, $0.0132, $0.000025. */
export function money(value: number | null | undefined): string {
  if (value == null) return UNKNOWN;
  if (value === 0) return "$0";
  const digits = value >= 100 ? 2 : value >= 0.01 ? 4 : Math.min(9, 1 - Math.floor(Math.log10(value)));
  const text = value.toFixed(digits);
  return `$${value >= 1 ? Number(text).toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: digits }) : text.replace(/(\.\d\d\d*?)0+$/, "$1")}`;
}

export function duration(ms: number | null | undefined): string {
  if (ms == null) return UNKNOWN;
  if (ms < 1) return `${Math.round(ms * 1000)} µs`;
  if (ms < 1_000) return `${ms < 10 ? ms.toFixed(1).replace(/\.0$/, "") : Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(ms < 10_000 ? 2 : 1)} s`;
  return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1_000)} s`;
}

export function percent(share: number | null | undefined): string {
  if (share == null || Number.isNaN(share)) return UNKNOWN;
  const value = share * 100;
  return `${value >= 10 || value === 0 ? Math.round(value) : value.toFixed(1)} %`;
}

export function bytes(value: number | null | undefined): string {
  if (value == null) return UNKNOWN;
  if (value < 1_000) return `${value} B`;
  if (value < 1_000_000) return `${(value / 1_000).toFixed(1)} kB`;
  return `${(value / 1_000_000).toFixed(1)} MB`;
}

const clock = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hour12: false,
});
const day = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric" });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "long" });

/** Today by the clock alone, other days with their date. */
export function time(text: string): string {
  const date = new Date(text);
  const today = date.toDateString() === new Date().toDateString();
  return today ? clock.format(date) : `${day.format(date)}, ${clock.format(date)}`;
}

export const fullTime = (text: string): string => full.format(new Date(text));

export function ago(text: string, now = Date.now()): string {
  const seconds = Math.max(0, Math.round((now - Date.parse(text)) / 1000));
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)} h ago`;
  return `${Math.floor(seconds / 86_400)} d ago`;
}
