// The table of resources that share one page.

import { Blocks, Database, FlaskRound, History, KeyRound, KeySquare, Scale } from "lucide-react";
import { call } from "../../api/client";
import { ago, fullTime, money, UNKNOWN } from "../../lib/format";
import { parse } from "../../lib/grammar";
import { accountPath, gatewayPath } from "../../place";
import { Badge } from "../../ui/basics";
import { alerts } from "./alerts";
import { numeric, optional, type Resource, type Row, words } from "./kinds";

const GATEWAY = "/accounts/{account}/ai-gateway/gateways/{gateway}";
const since = (text: string | undefined) => (text ? <span title={fullTime(text)}>{ago(text)}</span> : UNKNOWN);
const list = (all: string[] | undefined) =>
  all?.length ? all.map((each) => <Badge key={each}>{each}</Badge>) : UNKNOWN;
const strong = (text: string) => <span className="strong">{text}</span>;

const PERMISSIONS = [
  ["run", "Run: send requests to models"],
  ["read", "Read: settings, logs, prompts and answers"],
  ["read_metadata", "Read metadata: the same without prompts and answers"],
  ["write", "Write: change settings"],
  ["secrets_write", "Write secrets: store provider keys"],
  ["analytics_read", "Read analytics"],
  ["logs_edit", "Edit log exports"],
  ["account_read", "Read the account and its audit"],
  ["admin", "Everything"],
] as const;

const tokens: Resource = {
  id: "tokens",
  to: "/tokens",
  title: "Tokens",
  one: "token",
  note: "Who may call this installation, and what they may do. A secret is shown once, when it is made.",
  icon: KeyRound,
  path: "/accounts/{account}/tokens",
  url: (place) => `${accountPath(place)}/tokens`,
  key: (row) => row.id,
  name: (row) => row.name,
  columns: [
    { label: "Name", cell: (row) => strong(row.name) },
    { label: "May", cell: (row) => <span className="row">{list(row.permissions)}</span> },
    { label: "Secret", cell: (row) => <code>{row.hint}</code> },
    { label: "Gateways", cell: (row) => (row.gateways ? <span className="row">{list(row.gateways)}</span> : "all") },
    { label: "Last used", cell: (row) => (row.last_used_on ? since(row.last_used_on) : "never") },
    { label: "Expires", cell: (row) => (row.expires_on ? fullTime(row.expires_on) : "never") },
    {
      label: "Status",
      cell: (row) => <Badge tone={row.status === "active" ? "good" : "warn"}>{row.status ?? "active"}</Badge>,
    },
  ],
  fields: [
    {
      name: "name",
      label: "Name",
      help: "What it is for; shown in lists and in the audit.",
      entry: { is: "text", placeholder: "support-bot in production", required: true },
    },
    { name: "permissions", label: "It may", entry: { is: "checks", options: PERMISSIONS }, initial: ["run"] },
    {
      name: "gateways",
      label: "Only these gateways",
      help: "Separated by commas; empty: all.",
      entry: { is: "words", placeholder: "all" },
    },
    {
      name: "models",
      label: "Only these models",
      help: "Patterns such as gpt-5*; empty: all.",
      entry: { is: "words", placeholder: "all" },
    },
    { name: "expires_on", label: "Expires", entry: { is: "date" } },
  ],
  body: ({ name, permissions, gateways, models, expires_on }) => ({
    name,
    permissions,
    gateways: words(gateways),
    models: words(models),
    expires_on: expires_on ? new Date(String(expires_on)).toISOString() : undefined,
  }),
  secret: (made) => made.value,
  actions: [
    {
      label: () => "Roll",
      run: (row, place) => call("PUT", `${accountPath(place)}/tokens/${row.id}/value`, { grace_seconds: 3_600 }),
      secret: (answer) => (typeof answer === "string" ? answer : answer?.value),
    },
    {
      label: (row) => (row.status === "disabled" ? "Enable" : "Disable"),
      run: (row, place) =>
        call("PUT", `${accountPath(place)}/tokens/${row.id}`, {
          name: row.name,
          status: row.status === "disabled" ? "active" : "disabled",
        }),
    },
  ],
  removes: "Whoever uses it is refused from the next request on.",
  empty: "Applications show a token when a gateway requires one, and people sign in here with one.",
};

const keys: Resource = {
  id: "provider-keys",
  to: "/g/$gateway/keys",
  title: "Provider keys",
  one: "key",
  note: "Keys of this gateway for providers, so that callers need none. They are sealed and never shown again.",
  icon: KeySquare,
  path: `${GATEWAY}/provider_configs`,
  url: (place) => `${gatewayPath(place)}/provider_configs`,
  key: (row) => row.id,
  name: (row) => `${row.provider_slug}, ${row.alias}`,
  columns: [
    { label: "Provider", cell: (row) => strong(row.provider_slug) },
    { label: "Alias", cell: (row) => <code>{row.alias}</code> },
    { label: "Key", cell: (row) => <code>{row.secret_preview}</code> },
    { label: "Used", cell: (row) => (row.default_config ? <Badge tone="good">by default</Badge> : "by its alias") },
    {
      label: "Limit",
      cell: (row) => (row.rate_limit ? `${row.rate_limit} in ${row.rate_limit_period ?? 60} s` : "none"),
    },
    {
      label: "Status",
      cell: (row) =>
        row.status === "invalid" ? (
          <Badge tone="bad" title={row.status_reason}>
            cannot be used
          </Badge>
        ) : (
          <Badge tone="good">good</Badge>
        ),
    },
    { label: "Changed", cell: (row) => since(row.modified_at) },
  ],
  fields: [
    {
      name: "provider_slug",
      label: "Provider",
      help: "Its path segment.",
      entry: { is: "text", placeholder: "openai", required: true },
    },
    {
      name: "alias",
      label: "Alias",
      help: "What callers say in cf-aig-byok-alias to choose it.",
      entry: { is: "text", required: true },
      initial: "default",
    },
    {
      name: "secret",
      label: "Key",
      help: "The key itself, or env:NAME or file:/path where the gateway finds it.",
      entry: { is: "secret", required: true },
    },
    { name: "default_config", label: "Use it when a caller names no alias", entry: { is: "flag" }, initial: true },
    {
      name: "rate_limit",
      label: "Requests a minute",
      help: "Through this key; empty: no limit.",
      entry: { is: "number" },
    },
  ],
  body: ({ provider_slug, alias, secret, default_config, rate_limit }) => ({
    provider_slug,
    alias,
    secret,
    default_config,
    rate_limit: numeric(rate_limit),
  }),
  removes: "Requests that rely on it are refused by the provider, or fall back to the operator's key.",
  empty: "Store a provider's key once, and no application has to carry it.",
};

const custom: Resource = {
  id: "custom-providers",
  to: "/custom-providers",
  title: "Custom providers",
  one: "provider",
  note: "Model servers of your own, under the path segment custom-name.",
  icon: Blocks,
  path: "/accounts/{account}/ai-gateway/custom-providers",
  url: (place) => `${accountPath(place)}/ai-gateway/custom-providers`,
  key: (row) => row.id,
  name: (row) => row.name,
  columns: [
    { label: "Name", cell: (row) => strong(row.name) },
    { label: "Callers say", cell: (row) => <code>custom-{row.slug}</code> },
    { label: "Base URL", cell: (row) => <code>{row.base_url}</code> },
    {
      label: "Status",
      cell: (row) => <Badge tone={row.enable ? "good" : "warn"}>{row.enable ? "enabled" : "disabled"}</Badge>,
    },
    { label: "Changed", cell: (row) => since(row.modified_at) },
  ],
  fields: [
    { name: "name", label: "Name", entry: { is: "text", placeholder: "Our vLLM", required: true } },
    {
      name: "slug",
      label: "Slug",
      help: "Letters, digits and hyphens; callers say custom-slug.",
      entry: { is: "text", placeholder: "our-vllm", required: true },
    },
    {
      name: "base_url",
      label: "Base URL",
      help: "https; plain http only to addresses that the settings open.",
      entry: { is: "text", placeholder: "https://models.example/v1", required: true },
    },
    {
      name: "headers",
      label: "Headers",
      help: "A JSON object, sent with every request. Values are not shown again.",
      entry: { is: "long", placeholder: '{"x-team":"search"}' },
    },
    { name: "enable", label: "Callers can use it", entry: { is: "flag" }, initial: true },
  ],
  body: ({ name, slug, base_url, headers, enable }) => ({ name, slug, base_url, enable, headers: optional(headers) }),
  actions: [
    {
      label: (row) => (row.enable ? "Disable" : "Enable"),
      run: (row, place) =>
        call("PATCH", `${accountPath(place)}/ai-gateway/custom-providers/${row.id}`, { enable: !row.enable }),
    },
  ],
  removes: "Requests to it are refused, and its cached answers are forgotten.",
  empty: "Put a server of your own behind the gateway: it gets the same log, limits and cache as any provider.",
};

function limited(action: Row): string {
  if (action?.type === "limit") return `${money(action.amount)} ${action.period}`;
  return action?.except ? "block all but this" : (action?.type ?? UNKNOWN);
}

const policies: Resource = {
  id: "policies",
  to: "/g/$gateway/policies",
  title: "Policies",
  one: "policy",
  note: "Who may use which models, and for how much, by identity or metadata. With any policy there, what none allows is refused.",
  icon: Scale,
  path: `${GATEWAY}/policies`,
  url: (place) => `${gatewayPath(place)}/policies`,
  query: { includeStaging: "true" },
  key: (row) => `${row.id}${row.staging ? " draft" : ""}`,
  name: (row) => row.name,
  columns: [
    { label: "Name", cell: (row) => strong(row.name) },
    { label: "When", cell: (row) => <code>{row.condition}</code> },
    { label: "Budget of", cell: (row) => <code>{row.actor}</code> },
    {
      label: "Models",
      cell: (row) => <code>{typeof row.resource === "string" ? row.resource : JSON.stringify(row.resource)}</code>,
    },
    {
      label: "Then",
      cell: (row) => <Badge tone={row.action?.type === "block" ? "bad" : "info"}>{limited(row.action)}</Badge>,
    },
    {
      label: "State",
      cell: (row) =>
        row.staging || row.uncommitted ? <Badge tone="warn">draft</Badge> : <Badge tone="good">in force</Badge>,
    },
  ],
  fields: [
    { name: "name", label: "Name", entry: { is: "text", placeholder: "engineers", required: true } },
    {
      name: "condition",
      label: "When",
      help: "A CEL expression over cf.user, cf.custom and metadata; true: always.",
      entry: { is: "text", placeholder: 'metadata.team == "search"', required: true },
      initial: "true",
    },
    {
      name: "actor",
      label: "Budget of",
      help: "Each text that comes out has a budget of its own.",
      entry: { is: "text", placeholder: "team:{metadata.team}", required: true },
      initial: "everyone",
    },
    {
      name: "model",
      label: "Models",
      help: "Separated by commas, * stands for anything; empty: all.",
      entry: { is: "words", placeholder: "all" },
    },
    {
      name: "type",
      label: "Then",
      entry: {
        is: "select",
        options: [
          ["limit", "limit the spending"],
          ["block", "block"],
          ["except", "block everything else"],
          ["no-limit", "let pass"],
        ],
      },
      initial: "limit",
    },
    { name: "amount", label: "Dollars", help: "Of a limit.", entry: { is: "number" }, initial: "50" },
    {
      name: "period",
      label: "In",
      entry: {
        is: "select",
        options: [
          ["hourly", "an hour"],
          ["daily", "a day"],
          ["weekly", "a week"],
          ["monthly", "a month"],
        ],
      },
      initial: "weekly",
    },
  ],
  body: ({ name, condition, actor, model, type, amount, period }) => {
    const action =
      type === "limit"
        ? { type, amount: Number(amount), period, technique: "named-interval" }
        : type === "except"
          ? { type: "block", except: true }
          : { type };
    const models = words(model);
    return { name, condition, actor, resource: models ? { model: models } : "*", action };
  },
  actions: [
    {
      label: (row) => (row.staging || row.uncommitted ? "Put all drafts in force" : ""),
      run: (_, place) => call("POST", `${gatewayPath(place)}/policies/commit`, {}),
    },
  ],
  removes: "Its budget and its draft go with it.",
  empty: "Give every team or user a budget, or keep a model for those who need it.",
};

const datasets: Resource = {
  id: "datasets",
  to: "/g/$gateway/datasets",
  title: "Datasets",
  one: "dataset",
  note: "Saved filters of the log. What matches belongs to it, also what is logged later.",
  icon: Database,
  path: `${GATEWAY}/datasets`,
  url: (place) => `${gatewayPath(place)}/datasets`,
  key: (row) => row.id,
  name: (row) => row.name,
  columns: [
    { label: "Name", cell: (row) => strong(row.name) },
    {
      label: "Filters",
      cell: (row) => (
        <span className="row">
          {(row.filters ?? []).map((filter: Row) => (
            <code key={JSON.stringify(filter)} className="pair">
              {filter.key} {filter.operator} {filter.value?.join?.(", ") ?? String(filter.value)}
            </code>
          ))}
        </span>
      ),
    },
    { label: "Changed", cell: (row) => since(row.modified_at) },
  ],
  fields: [
    { name: "name", label: "Name", entry: { is: "text", placeholder: "slow answers", required: true } },
    {
      name: "q",
      label: "Filter",
      help: "As in the log's search box: status:error model:gpt cost:>0.05 duration:>2000",
      entry: { is: "text", placeholder: "feedback:down", required: true },
    },
  ],
  body: ({ name, q }) => ({ name, enable: true, filters: parse(String(q)).terms.flatMap(({ filters }) => filters) }),
  removes: "The records stay.",
  empty: "Keep the requests that matter together: those that failed, were slow, or were not liked.",
};

const evaluations: Resource = {
  id: "evaluations",
  to: "/g/$gateway/evaluations",
  title: "Evaluations",
  one: "evaluation",
  note: "What datasets come to: cost, speed and feedback.",
  icon: FlaskRound,
  path: `${GATEWAY}/evaluations`,
  url: (place) => `${gatewayPath(place)}/evaluations`,
  key: (row) => row.id,
  name: (row) => row.name,
  working: (row) => !row.processed,
  columns: [
    { label: "Name", cell: (row) => strong(row.name) },
    {
      label: "Datasets",
      cell: (row) => <span className="row">{list(row.datasets?.map(({ name }: Row) => name))}</span>,
    },
    {
      label: "Results",
      cell: (row) => (
        <span className="row">
          {(row.results ?? []).map((result: Row) => (
            <Badge key={result.id} tone={result.status === 3 ? "bad" : "info"} title={result.status_description}>
              {result.result || result.status_description}
            </Badge>
          ))}
        </span>
      ),
    },
    {
      label: "Records",
      right: true,
      cell: (row) =>
        row.processed ? (
          row.total_logs
        ) : (
          <progress value={row.total_logs} max={row.expected_logs ?? 1} aria-label="Progress" />
        ),
    },
    { label: "Made", cell: (row) => since(row.created_at) },
  ],
  fields: [
    { name: "name", label: "Name", entry: { is: "text", placeholder: "this week", required: true } },
    {
      name: "dataset_ids",
      label: "Datasets",
      help: "Ids, separated by commas.",
      entry: { is: "words", required: true },
    },
    {
      name: "evaluation_type_ids",
      label: "Evaluators",
      help: "Ids or names of the evaluators, separated by commas.",
      entry: { is: "words", required: true },
    },
  ],
  body: ({ name, dataset_ids, evaluation_type_ids }) => ({
    name,
    dataset_ids: words(dataset_ids) ?? [],
    evaluation_type_ids: words(evaluation_type_ids) ?? [],
  }),
  removes: "One that is at work ends.",
  empty: "Compare what groups of requests cost and how fast they were.",
};

const audit: Resource = {
  id: "audit",
  to: "/audit",
  title: "Audit",
  one: "entry",
  note: "Who changed what, and who looked at prompts and answers. Secrets are never in it.",
  icon: History,
  path: "/accounts/{account}/audit_logs",
  url: (place) => `${accountPath(place)}/audit_logs`,
  key: (row) => row.id,
  name: (row) => `${row.action?.type} ${row.resource?.type}`,
  columns: [
    { label: "When", cell: (row) => <span title={fullTime(row.when)}>{ago(row.when)}</span> },
    { label: "Who", cell: (row) => strong(row.actor?.email || row.actor?.id || UNKNOWN) },
    {
      label: "Did",
      cell: (row) => (
        <Badge tone={row.action?.type === "delete" ? "bad" : row.action?.type === "create" ? "good" : "info"}>
          {row.action?.type}
        </Badge>
      ),
    },
    {
      label: "What",
      cell: (row) => `${row.resource?.type ?? ""}${row.metadata?.gateway ? ` in ${row.metadata.gateway}` : ""}`,
    },
    { label: "Id", cell: (row) => <code>{row.resource?.id}</code> },
    { label: "From", cell: (row) => row.actor?.ip || row.interface || UNKNOWN },
  ],
  detail: (row) => ({ before: row.oldValueJson, after: row.newValueJson, actor: row.actor, request: row.metadata }),
  empty: "Changes appear here the moment they are made.",
};

export const RESOURCES: Resource[] = [keys, policies, datasets, evaluations, tokens, custom, alerts, audit];
