import { queryOptions } from "@tanstack/react-query";
import { call, get } from "../../api/client";
import type { Deployment, Route, RouteElement, RouteVersion, Simulated } from "../../api/types";
import { gatewayPath, type Place } from "../../place";

export const routesPath = (place: Place) => `${gatewayPath(place)}/routes`;
export const routePath = (place: Place, id: string) => `${routesPath(place)}/${encodeURIComponent(id)}`;

export const routesQuery = (place: Place) =>
  queryOptions({
    queryKey: ["routes", place.gateway],
    queryFn: async ({ signal }) => (await get<Route[]>(routesPath(place), { per_page: 100 }, signal)).result,
  });

export const routeQuery = (place: Place, id: string) =>
  queryOptions({
    queryKey: ["route", place.gateway, id],
    queryFn: async ({ signal }) => (await get<Route>(routePath(place, id), {}, signal)).result,
  });

export const versionsQuery = (place: Place, id: string) =>
  queryOptions({
    queryKey: ["route", place.gateway, id, "versions"],
    queryFn: async ({ signal }) =>
      (await get<RouteVersion[]>(`${routePath(place, id)}/versions`, { per_page: 50 }, signal)).result,
  });

export const deploymentsQuery = (place: Place, id: string) =>
  queryOptions({
    queryKey: ["route", place.gateway, id, "deployments"],
    queryFn: async ({ signal }) =>
      (await get<Deployment[]>(`${routePath(place, id)}/deployments`, { per_page: 50 }, signal)).result,
  });

export interface Tried {
  metadata: Record<string, unknown>;
  headers: Record<string, unknown>;
  body: unknown;
}

const NOTHING: Tried = { metadata: {}, headers: {}, body: {} };

/** Walks a draft with the code that serves it, and asks no provider. Also the check of a draft: what is wrong with it comes back as faults. */
export async function simulate(
  place: Place,
  elements: RouteElement[],
  request: Tried = NOTHING,
  misses: Record<string, string> = {},
  signal?: AbortSignal,
): Promise<Simulated> {
  const body = { elements, request, assume: { misses } };
  return (await call<Simulated>("POST", `${routesPath(place)}/simulate`, body, signal)).result;
}

export const versionElements = (version: RouteVersion): RouteElement[] => version.elements ?? JSON.parse(version.data);
