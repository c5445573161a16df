// Every page has one line here. A page that needs much code is loaded when it is opened.

import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Navigate,
  Outlet,
  type SearchSchemaInput,
  stripSearchParams,
} from "@tanstack/react-router";
import { Logs } from "./pages/logs/Logs";
import { Overview } from "./pages/overview/Overview";
import { Shell } from "./shell/Shell";
import { Empty, Problem } from "./ui/basics";

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
  errorComponent: ({ error }) => <Problem error={error} />,
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

/** Pages below are loaded when they are opened. */
const lazy = lazyRouteComponent;

const gatewaysRoute = createRoute({
  getParentRoute: () => root,
  path: "gateways",
  component: lazy(() => import("./pages/gateways/Gateways"), "Gateways"),
});

const settingsRoute = createRoute({
  getParentRoute: under,
  path: "settings",
  component: lazy(() => import("./pages/settings/Settings"), "Settings"),
});

const routesRoute = createRoute({
  getParentRoute: under,
  path: "routes",
  component: lazy(() => import("./pages/routes/Routes"), "Routes"),
});

export const editorRoute = createRoute({
  getParentRoute: under,
  path: "routes/$route",
  validateSearch: (search: { tab?: string; node?: string | undefined } & SearchSchemaInput) => ({
    tab: text(search.tab, "element"),
    node: text(search.node) || undefined,
  }),
  search: { middlewares: [stripSearchParams({ tab: "element" })] },
  component: lazy(() => import("./pages/routes/Editor"), "Editor"),
});

export interface PlaygroundSearch {
  models: string;
  prompt: string;
  system: string;
  temperature?: number | undefined;
  max?: number | undefined;
  /** A log whose question is taken over. */
  log?: string | undefined;
}

const PLAYGROUND_DEFAULTS = { models: "sandbox/sandbox-1,sandbox/sandbox-fast", prompt: "", system: "" };

export const playgroundRoute = createRoute({
  getParentRoute: under,
  path: "playground",
  validateSearch: (search: Partial<PlaygroundSearch> & SearchSchemaInput): PlaygroundSearch => ({
    models: text(search.models, PLAYGROUND_DEFAULTS.models),
    prompt: text(search.prompt),
    system: text(search.system),
    temperature: number(search.temperature),
    max: number(search.max),
    log: text(search.log) || undefined,
  }),
  search: { middlewares: [stripSearchParams(PLAYGROUND_DEFAULTS)] },
  component: lazy(() => import("./pages/playground/Playground"), "Playground"),
});

/** The resources that share one page. */
const resources = () => import("./pages/resources/pages");
const keysRoute = createRoute({ getParentRoute: under, path: "keys", component: lazy(resources, "Keys") });
const policiesRoute = createRoute({ getParentRoute: under, path: "policies", component: lazy(resources, "Policies") });
const datasetsRoute = createRoute({ getParentRoute: under, path: "datasets", component: lazy(resources, "Datasets") });
const evaluationsRoute = createRoute({
  getParentRoute: under,
  path: "evaluations",
  component: lazy(resources, "Evaluations"),
});
const tokensRoute = createRoute({ getParentRoute: () => root, path: "tokens", component: lazy(resources, "Tokens") });
const auditRoute = createRoute({ getParentRoute: () => root, path: "audit", component: lazy(resources, "Audit") });
const alertsRoute = createRoute({ getParentRoute: () => root, path: "alerts", component: lazy(resources, "Alerts") });
const customRoute = createRoute({
  getParentRoute: () => root,
  path: "custom-providers",
  component: lazy(resources, "CustomProviders"),
});

const tree = root.addChildren([
  home,
  gatewaysRoute,
  tokensRoute,
  customRoute,
  alertsRoute,
  auditRoute,
  gatewayRoute.addChildren([
    gatewayHome,
    overviewRoute,
    logsRoute,
    settingsRoute,
    routesRoute,
    editorRoute,
    playgroundRoute,
    keysRoute,
    policiesRoute,
    datasetsRoute,
    evaluationsRoute,
  ]),
]);

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
