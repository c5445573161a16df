// What the overview shows, asked of the log: exact counts for the tiles, and the newest rows for the charts.

import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { LOGS_PER_PAGE, listLogs } from "../../api/queries";
import { summarize } from "../../lib/aggregate";
import { bounds, type SpanAsked } from "../../lib/span";
import { type Place, usePlace } from "../../place";

/** Rows behind the charts. */
const PAGES_MAX = 10;

async function load(place: Place, asked: SpanAsked, signal: AbortSignal) {
  const { from, to } = bounds(asked, Date.now());
  const span = { from, to };
  const page = (number: number) => listLogs(place, { q: "", ...span }, number, signal);
  const count = async (q: string) => (await listLogs(place, { q, ...span }, 1, signal, 1)).total;
  const [first, errors, cached] = await Promise.all([page(1), count("status:error"), count("cached:true")]);
  const more = Math.min(PAGES_MAX, Math.ceil(first.total / LOGS_PER_PAGE)) - 1;
  const rest = await Promise.all(Array.from({ length: Math.max(0, more) }, (_, index) => page(index + 2)));
  const rows = [first, ...rest].flatMap((each) => each.rows);
  return { ...span, requests: first.total, errors, cached, rows, summary: summarize(rows, from, to) };
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
