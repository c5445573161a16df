// Alerts: what is watched, where it is told, and what became of each message.

import { BellRing } from "lucide-react";
import { call } from "../../api/client";
import { ago, fullTime, UNKNOWN } from "../../lib/format";
import { accountPath, type Place } from "../../place";
import { Badge, type Tone } from "../../ui/basics";
import { optional, type Resource, type Row } from "./kinds";

const all = (place: Place) => `${accountPath(place)}/ai-gateway/alerts`;
const since = (text: string | undefined) => (text ? <span title={fullTime(text)}>{ago(text)}</span> : UNKNOWN);

const KINDS = [
  ["budget", "a budget is used to 50, 80 or 100 %"],
  ["spend_anomaly", "a session costs far more than usual"],
  ["error_rate", "many requests fail"],
  ["provider_down", "a provider does not answer"],
  ["log_loss", "the log loses records"],
] as const;

const TONES: Record<string, Tone> = { delivered: "good", failed: "bad", pending: "warn" };

/** A test that did not arrive is an error, with what the receiver said. */
async function test(row: Row, place: Place) {
  const { result } = await call<Row>("POST", `${all(place)}/${row.id}/test`);
  if (result.state !== "delivered") throw new Error(`The test did not arrive: ${result.last_error}`);
}

export const alerts: Resource = {
  id: "alerts",
  to: "/alerts",
  title: "Alerts",
  one: "alert",
  note: "What is worth telling, sent to a webhook: signed, tried again until it is taken, and told once.",
  icon: BellRing,
  path: "/accounts/{account}/ai-gateway/alerts",
  url: all,
  key: (row) => row.id,
  name: (row) => row.name,
  columns: [
    { label: "Name", cell: (row) => <span className="strong">{row.name}</span> },
    { label: "When", cell: (row) => KINDS.find(([kind]) => kind === row.kind)?.[1] ?? row.kind },
    { label: "Gateway", cell: (row) => row.gateway_id ?? "all" },
    { label: "Tells", cell: (row) => <code>{row.webhook?.url}</code> },
    {
      label: "Status",
      cell: (row) => <Badge tone={row.enable ? "good" : "warn"}>{row.enable ? "enabled" : "disabled"}</Badge>,
    },
    { label: "Changed", cell: (row) => since(row.modified_at) },
  ],
  fields: [
    { name: "name", label: "Name", entry: { is: "text", placeholder: "money of production", required: true } },
    { name: "kind", label: "Tell when", entry: { is: "select", options: KINDS }, initial: "budget" },
    {
      name: "gateway_id",
      label: "Only this gateway",
      help: "Empty: all of them.",
      entry: { is: "text", placeholder: "all" },
    },
    {
      name: "webhook",
      label: "Webhook URL",
      help: "https. Messages are signed as standardwebhooks.com says; the secret is shown once, when the alert is made.",
      entry: { is: "text", placeholder: "https://hooks.example/alerts", required: true },
    },
    {
      name: "format",
      label: "In which form",
      entry: {
        is: "select",
        options: [
          ["json", "JSON"],
          ["slack", "text for Slack"],
        ],
      },
      initial: "json",
    },
  ],
  body: ({ name, kind, gateway_id, webhook, format }) => ({
    name,
    kind,
    gateway_id: optional(gateway_id),
    webhook: { url: webhook, format },
  }),
  secret: (made) => made.webhook_secret,
  actions: [{ label: () => "Test", run: test }],
  below: {
    label: "Deliveries",
    title: (row) => `Deliveries of ${row.name}`,
    url: (row, place) => `${all(place)}/${row.id}/deliveries`,
    key: (row) => row.id,
    columns: [
      { label: "When", cell: (row) => since(row.created_at) },
      { label: "What", cell: (row) => <code>{row.event}</code> },
      { label: "Of", cell: (row) => row.subject },
      { label: "State", cell: (row) => <Badge tone={TONES[row.state] ?? "info"}>{row.state}</Badge> },
      { label: "Tries", cell: (row) => row.attempts },
      { label: "Last answer", cell: (row) => row.last_error ?? row.last_status ?? UNKNOWN },
      { label: "Next try", cell: (row) => (row.next_attempt_at ? fullTime(row.next_attempt_at) : UNKNOWN) },
    ],
    empty: "Nothing was told yet",
  },
  removes: "What waits to be sent is not sent any more.",
  empty: "Hear of budgets that run out, sessions that cost far more than usual, errors, and providers that do not answer.",
};
