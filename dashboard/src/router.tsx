// Every page has one line here. A page that needs much code is loaded when it is opened.

import {
  createRootRoute,
  createRoute,
  createRouter,
  Navigate,
  Outlet,
  type SearchSchemaInput,
  stripSearchParams,
} from "@tanstack/react-router";
import { Logs } from "./pages/logs/Logs";
import { Overview } from "./pages/overview/Overview";
import { Shell } from "./shell/Shell";
import { Empty } from "./ui/basics";

const text = (value: unknown, otherwise = ""): string =>
  typeof value === "string"
    ? value
    : typeof value === "number" || typeof value === "boolean"
      ? String(value)
      : otherwise;
const number = (value: unknown): number | undefined =>
  Number.isFinite(Number(value)) && value !== "" && value != null ? Number(value) : undefined;

const root = createRootRoute({
  component: Shell,
  notFoundComponent: () => <Empty title="There is no such page" />,
});

const home = createRoute({
  getParentRoute: () => root,
  path: "/",
  component: () => <Navigate to="/g/$gateway/overview" params={{ gateway: "default" }} />,
});

export const gatewayRoute = createRoute({ getParentRoute: () => root, path: "g/$gateway", component: Outlet });
const under = () => gatewayRoute;

const gatewayHome = createRoute({
  getParentRoute: under,
  path: "/",
  component: () => <Navigate to="/g/$gateway/overview" params={(now) => ({ gateway: now.gateway ?? "default" })} />,
});

export interface Span {
  range: string;
  from?: number | undefined;
  to?: number | undefined;
}

const span = (search: Partial<Span>, otherwise: string): Span => ({
  range: text(search.range, otherwise),
  from: number(search.from),
  to: number(search.to),
});

export const overviewRoute = createRoute({
  getParentRoute: under,
  path: "overview",
  validateSearch: (search: Partial<Span> & SearchSchemaInput) => span(search, "24h"),
  search: { middlewares: [stripSearchParams({ range: "24h" })] },
  component: Overview,
});

export interface LogsSearch extends Span {
  q: string;
  sort: string;
  live: boolean;
  columns: string;
  log?: string | undefined;
  tab: string;
}

const LOGS_DEFAULTS = { q: "", sort: "created_at.desc", live: true, columns: "", tab: "conversation", range: "all" };

export const logsRoute = createRoute({
  getParentRoute: under,
  path: "logs",
  validateSearch: (search: Partial<LogsSearch> & SearchSchemaInput): LogsSearch => ({
    ...span(search, LOGS_DEFAULTS.range),
    q: text(search.q),
    sort: text(search.sort, LOGS_DEFAULTS.sort),
    live: search.live !== false,
    columns: text(search.columns),
    log: text(search.log) || undefined,
    tab: text(search.tab, LOGS_DEFAULTS.tab),
  }),
  search: { middlewares: [stripSearchParams(LOGS_DEFAULTS)] },
  component: Logs,
});

const tree = root.addChildren([home, gatewayRoute.addChildren([gatewayHome, overviewRoute, logsRoute])]);

export const router = createRouter({
  routeTree: tree,
  basepath: "/dashboard",
  defaultPreload: "intent",
  scrollRestoration: true,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
