// What pages ask for, each under one key.

import { queryOptions } from "@tanstack/react-query";
import { type Filter, parse } from "../lib/grammar";
import { gatewayPath, gatewaysPath, type Place } from "../place";
import { get, getText, type Query } from "./client";
import type { Account, Budget, Gateway, LogDetail, LogRow } from "./types";

export const accountQuery = queryOptions({
  queryKey: ["account"],
  queryFn: async ({ signal }) => {
    const { result } = await get<Account[]>("/accounts", { per_page: 1 }, signal);
    const [first] = result;
    if (!first) throw new Error("This token sees no account");
    return first;
  },
  staleTime: Number.POSITIVE_INFINITY,
});

export const gatewaysQuery = (place: Place) =>
  queryOptions({
    queryKey: ["gateways"],
    queryFn: async ({ signal }) => (await get<Gateway[]>(gatewaysPath(place), { per_page: 100 }, signal)).result,
  });

export const gatewayQuery = (place: Place) =>
  queryOptions({
    queryKey: ["gateway", place.gateway],
    queryFn: async ({ signal }) => (await get<Gateway>(gatewayPath(place), {}, signal)).result,
  });

export const budgetsQuery = (place: Place) =>
  queryOptions({
    queryKey: ["budgets", place.gateway],
    queryFn: async ({ signal }) => (await get<Budget[]>(`${gatewayPath(place)}/budgets`, {}, signal)).result,
    refetchInterval: 10_000,
  });

export interface LogsAsked {
  q: string;
  from?: number | undefined;
  to?: number | undefined;
  sort?: string | undefined;
}

export const LOGS_PER_PAGE = 50;

export function logsQueryString({ q, from, to, sort }: LogsAsked): Query {
  const { terms, line, search } = parse(q);
  const filters: Filter[] = terms.flatMap((term) => term.filters);
  const [by, direction] = (sort ?? "created_at.desc").split(".");
  return {
    filters: filters.length > 0 ? JSON.stringify(filters) : undefined,
    q: line || undefined,
    search: search || undefined,
    start_date: from === undefined ? undefined : new Date(from).toISOString(),
    end_date: to === undefined ? undefined : new Date(to).toISOString(),
    order_by: by,
    order_by_direction: direction,
  };
}

export async function listLogs(
  place: Place,
  asked: LogsAsked,
  page: number,
  signal?: AbortSignal,
  perPage = LOGS_PER_PAGE,
) {
  const query = { ...logsQueryString(asked), page, per_page: perPage };
  const { result, result_info } = await get<LogRow[]>(`${gatewayPath(place)}/logs`, query, signal);
  return { rows: result, total: result_info?.total_count ?? result.length, exact: !result_info?.total_is_lower_bound };
}

export const logPath = (place: Place, id: string) => `${gatewayPath(place)}/logs/${encodeURIComponent(id)}`;

export const logQuery = (place: Place, id: string) =>
  queryOptions({
    queryKey: ["log", place.gateway, id],
    queryFn: async ({ signal }) => (await get<LogDetail>(logPath(place, id), {}, signal)).result,
    staleTime: 60_000,
  });

export const logBodyQuery = (place: Place, id: string, side: "request" | "response") =>
  queryOptions({
    queryKey: ["log", place.gateway, id, side],
    queryFn: ({ signal }) => getText(`${logPath(place, id)}/${side}`, signal),
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  });
