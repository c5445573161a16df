// The rows of the log page: pages of what was there when it was opened, and above them what came since.
//
// Pages are cut at the moment of opening, so that new rows do not push old ones from one page to the next.

import { keepPreviousData, useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import { get } from "../../api/client";
import { LOGS_PER_PAGE, type LogsAsked, listLogs } from "../../api/queries";
import type { LogRow } from "../../api/types";
import { bounds, type SpanAsked } from "../../lib/span";
import { gatewayPath, type Place, usePlace } from "../../place";

/** A row is to be seen within half a second. */
const LOOK_MS = 250;
const PAUSE_MS = 3_000;

/** Calls `heard` whenever rows arrived, until it is stopped. One question at a time. */
async function listen(place: Place, heard: () => void, signal: AbortSignal): Promise<void> {
  let after: number | undefined;
  while (!signal.aborted) {
    let pause = LOOK_MS;
    try {
      const { result_info } = await get<LogRow[]>(
        `${gatewayPath(place)}/logs/tail`,
        { after, per_page: LOGS_PER_PAGE },
        signal,
      );
      if (after !== undefined && result_info?.next !== undefined && result_info.next !== after) heard();
      after = result_info?.next ?? after;
    } catch {
      pause = PAUSE_MS;
    }
    if (document.hidden) pause = PAUSE_MS;
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

export interface LogsFilter extends SpanAsked {
  q: string;
  sort: string;
}

export function useLogs(filter: LogsFilter, live: boolean) {
  const place = usePlace();
  const client = useQueryClient();
  const { q, sort, range, from, to } = filter;
  const name = JSON.stringify([place.gateway, q, sort, range, from, to]);
  const [opened, setOpened] = useState({ name, at: Date.now() });
  if (opened.name !== name) setOpened({ name, at: Date.now() });
  const pinned = opened.at;

  const asked = useMemo((): LogsAsked => {
    const fixed = from !== undefined && to !== undefined;
    const start = fixed ? from : range === "all" ? undefined : bounds({ range }, pinned).from;
    return { q, sort, from: start, to: fixed ? to : pinned };
  }, [q, sort, range, from, to, pinned]);
  const isNewestFirst = sort === "created_at.desc";
  const canFollow = isNewestFirst && to === undefined;

  const pages = useInfiniteQuery({
    queryKey: ["logs", place.gateway, asked],
    queryFn: ({ pageParam, signal }) => listLogs(place, asked, pageParam, signal),
    initialPageParam: 1,
    getNextPageParam: (last, all) => (last.rows.length < LOGS_PER_PAGE ? undefined : all.length + 1),
    placeholderData: keepPreviousData,
    staleTime: Number.POSITIVE_INFINITY,
    refetchOnWindowFocus: false,
  });

  const fresh = useQuery({
    queryKey: ["logs-fresh", place.gateway, asked],
    queryFn: ({ signal }) => listLogs(place, { q, sort, from: pinned + 1 }, 1, signal),
    enabled: canFollow,
    staleTime: Number.POSITIVE_INFINITY,
    refetchOnWindowFocus: false,
  });

  useEffect(() => {
    if (!live || !canFollow) return;
    const stop = new AbortController();
    void listen(place, () => client.invalidateQueries({ queryKey: ["logs-fresh", place.gateway] }), stop.signal);
    return () => stop.abort();
  }, [live, canFollow, place, client]);

  const newest = canFollow ? (fresh.data?.rows ?? []) : [];
  const older = useMemo(() => pages.data?.pages.flatMap((page) => page.rows) ?? [], [pages.data]);
  const rows = useMemo(() => {
    const seen = new Set<string>();
    return [...newest, ...older].filter(({ id }) => !seen.has(id) && seen.add(id));
  }, [newest, older]);
  const first = pages.data?.pages[0];
  const freshTotal = canFollow ? (fresh.data?.total ?? 0) : 0;

  // More came than one page shows: start anew from now.
  useEffect(() => {
    if (freshTotal > LOGS_PER_PAGE) setOpened({ name, at: Date.now() });
  }, [freshTotal, name]);

  return { rows, total: (first?.total ?? 0) + freshTotal, exact: first?.exact ?? true, pages, canFollow, asked };
}
