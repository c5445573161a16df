// From log rows to the numbers of the overview.

import type { LogRow } from "../api/types";
import { buckets } from "./span";

export interface Bucket {
  success: number;
  error: number;
  cached: number;
  cost: number;
  tokensIn: number;
  tokensOut: number;
  durations: number[];
  firsts: number[];
}

export interface Group {
  name: string;
  requests: number;
  errors: number;
  cost: number;
  tokens: number;
  p95: number | null;
}

export interface Summary {
  times: number[];
  buckets: Bucket[];
  totals: Bucket & { requests: number; unpriced: number };
  models: Group[];
  providers: Group[];
  /** Cost of each of the dearest models by bucket, the last one all others. */
  costByModel: { label: string; values: number[] }[];
}

const MODELS_SHOWN = 4;

const empty = (): Bucket => ({
  success: 0,
  error: 0,
  cached: 0,
  cost: 0,
  tokensIn: 0,
  tokensOut: 0,
  durations: [],
  firsts: [],
});

export function quantile(values: number[], share: number): number | null {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? null;
}

function add(bucket: Bucket, row: LogRow): void {
  if (!row.success) bucket.error += 1;
  else if (row.cached) bucket.cached += 1;
  else bucket.success += 1;
  bucket.cost += row.cost ?? 0;
  bucket.tokensIn += row.tokens_in ?? 0;
  bucket.tokensOut += row.tokens_out ?? 0;
  bucket.durations.push(row.timings.last_byte_us / 1000);
  if (row.timings.first_token_us !== null) bucket.firsts.push(row.timings.first_token_us / 1000);
}

export function summarize(rows: LogRow[], from: number, to: number): Summary {
  const { step, times } = buckets(from, to);
  const all = times.map(empty);
  const totals = { ...empty(), requests: rows.length, unpriced: 0 };
  const first = times[0] ?? from;
  for (const row of rows) {
    const bucket = all[Math.floor((Date.parse(row.created_at) - first) / step)];
    if (bucket) add(bucket, row);
    add(totals, row);
    if (row.success && row.cost === undefined) totals.unpriced += 1;
  }
  const models = group(rows, (row) => row.model || "no model");
  const place = (row: LogRow) => Math.floor((Date.parse(row.created_at) - first) / step);
  return {
    times,
    buckets: all,
    totals,
    models,
    providers: group(rows, (row) => row.provider),
    costByModel: split(rows, models, times.length, place),
  };
}

function split(rows: LogRow[], models: Group[], length: number, place: (row: LogRow) => number) {
  const shown = [...models]
    .sort((a, b) => b.cost - a.cost)
    .slice(0, MODELS_SHOWN)
    .map(({ name }) => name);
  const series = [...shown, "Other"].map((label) => ({ label, values: new Array<number>(length).fill(0) }));
  for (const row of rows) {
    const at = shown.indexOf(row.model || "no model");
    const { values } = series[at < 0 ? shown.length : at] ?? {};
    const index = place(row);
    if (values && index >= 0 && index < length) values[index] = (values[index] ?? 0) + (row.cost ?? 0);
  }
  return models.length > MODELS_SHOWN ? series : series.slice(0, -1);
}

function group(rows: LogRow[], by: (row: LogRow) => string): Group[] {
  const groups = new Map<string, LogRow[]>();
  for (const row of rows) {
    const name = by(row);
    const members = groups.get(name);
    if (members) members.push(row);
    else groups.set(name, [row]);
  }
  const summed = [...groups].map(([name, members]) => ({
    name,
    requests: members.length,
    errors: members.filter((row) => !row.success).length,
    cost: members.reduce((sum, row) => sum + (row.cost ?? 0), 0),
    tokens: members.reduce((sum, row) => sum + (row.tokens_in ?? 0) + (row.tokens_out ?? 0), 0),
    p95: quantile(
      members.map((row) => row.timings.last_byte_us / 1000),
      0.95,
    ),
  }));
  return summed.sort((a, b) => b.requests - a.requests);
}
