// What the overview shows, asked of the log: exact counts for the tiles, and the newest rows for the charts.

import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { get } from "../../api/client";
import { LOGS_PER_PAGE, listLogs } from "../../api/queries";
import type { Gateway, Stretch } from "../../api/types";
import { summarize } from "../../lib/aggregate";
import { bounds, type SpanAsked } from "../../lib/span";
import { gatewayPath, type Place, usePlace } from "../../place";

/** Rows behind the charts. */
const PAGES_MAX = 10;

async function load(place: Place, asked: SpanAsked, signal: AbortSignal) {
  const wanted = bounds(asked, Date.now());
  // Before its gateway was made there is nothing, and the API takes such a beginning for none.
  const { result } = await get<Gateway>(gatewayPath(place), {}, signal);
  const from = Math.max(wanted.from, Date.parse(result.created_at) + 1);
  const to = Math.max(wanted.to, from + 1);
  const span = { from, to };
  const page = (number: number) => listLogs(place, { q: "", ...span }, number, signal);
  const count = async (q: string) => (await listLogs(place, { q, ...span }, 1, signal, 1)).total;
  const [first, errors, cached, stretches] = await Promise.all([
    page(1),
    count("status:error"),
    count("cached:true"),
    loadStretches(place, from, to, signal),
  ]);
  const more = Math.min(PAGES_MAX, Math.ceil(first.total / LOGS_PER_PAGE)) - 1;
  const rest = await Promise.all(Array.from({ length: Math.max(0, more) }, (_, index) => page(index + 2)));
  const rows = [first, ...rest].flatMap((each) => each.rows);
  return { ...span, requests: first.total, errors, cached, stretches, rows, summary: summarize(rows, from, to) };
}

const STRETCHES = 60;

/** Exact sums over time, of however many records there are. */
async function loadStretches(place: Place, from: number, to: number, signal: AbortSignal): Promise<Stretch[]> {
  const query = { start_date: new Date(from).toISOString(), end_date: new Date(to).toISOString(), buckets: STRETCHES };
  return (await get<Stretch[]>(`${gatewayPath(place)}/logs/histogram`, query, signal)).result;
}

const REFRESH_MS = 10_000;

export function useOverview(asked: SpanAsked) {
  const place = usePlace();
  return useQuery({
    queryKey: ["overview", place.gateway, asked],
    queryFn: ({ signal }) => load(place, asked, signal),
    refetchInterval: asked.from === undefined ? REFRESH_MS : false,
    placeholderData: keepPreviousData,
  });
}
