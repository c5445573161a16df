// The columns of the log: one line each. The first ones are shown unless the address says otherwise.

import { columnVisibilityFeature, createColumnHelper, tableFeatures } from "@tanstack/react-table";
import type { ReactNode } from "react";
import type { LogRow } from "../../api/types";
import { count, duration, fullTime, money, time, UNKNOWN } from "../../lib/format";
import { Badge } from "../../ui/basics";

export const features = tableFeatures({ columnVisibilityFeature });
const helper = createColumnHelper<typeof features, LogRow>();

export interface ColumnMeta {
  label: string;
  width: number;
  right?: boolean;
  /** The API's name for ordering by it. */
  sort?: string;
  shown?: boolean;
  /** Also where there is no room. */
  narrow?: boolean;
}

export const META: Record<string, ColumnMeta> = {};

function column(id: string, meta: ColumnMeta, cell: (row: LogRow) => ReactNode) {
  META[id] = meta;
  return helper.display({ id, header: meta.label, cell: ({ row }) => cell(row.original) });
}

export function StatusBadge({ row }: { row: Pick<LogRow, "status_code" | "outcome" | "success"> }) {
  const { status_code, outcome, success } = row;
  if (outcome === "cancelled")
    return (
      <Badge tone="warn" title="The caller left">
        {status_code} left
      </Badge>
    );
  if (outcome === "truncated")
    return (
      <Badge tone="bad" title="The answer broke off">
        {status_code} cut
      </Badge>
    );
  if (outcome === "refused")
    return (
      <Badge tone="violet" title="Refused by the gateway">
        {status_code} refused
      </Badge>
    );
  return <Badge tone={success ? "good" : status_code === 429 ? "warn" : "bad"}>{status_code}</Badge>;
}

function Metadata({ text }: { text: string | null }) {
  if (!text) return UNKNOWN;
  const entries = Object.entries(JSON.parse(text) as Record<string, unknown>);
  return (
    <span className="cut">
      {entries.map(([key, value]) => (
        <code key={key} className="pair">
          {key}={String(value)}
        </code>
      ))}
    </span>
  );
}

function Feedback({ value }: { value: number | null }) {
  if (value === 1) return <Badge tone="good">up</Badge>;
  if (value === -1) return <Badge tone="bad">down</Badge>;
  return UNKNOWN;
}

export const columns = helper.columns([
  column("time", { label: "Time", width: 132, sort: "created_at", shown: true, narrow: true }, (row) => (
    <span title={fullTime(row.created_at)}>{time(row.created_at)}</span>
  )),
  column("status", { label: "Status", width: 96, sort: "success", shown: true, narrow: true }, (row) => (
    <StatusBadge row={row} />
  )),
  column("model", { label: "Model", width: 230, sort: "model", shown: true, narrow: true }, (row) => (
    <span className="cut strong" title={row.model}>
      {row.model || UNKNOWN}
      {row.answered_model && row.answered_model !== row.model ? (
        <span className="muted"> → {row.answered_model}</span>
      ) : null}
    </span>
  )),
  column("provider", { label: "Provider", width: 120, sort: "provider", shown: true }, (row) => row.provider),
  column("tokens_in", { label: "In", width: 84, right: true, sort: "tokens_in", shown: true }, (row) =>
    count(row.tokens_in),
  ),
  column("tokens_out", { label: "Out", width: 84, right: true, sort: "tokens_out", shown: true }, (row) =>
    count(row.tokens_out),
  ),
  column("cost", { label: "Cost", width: 104, right: true, sort: "cost", shown: true }, (row) => (
    <span className={row.custom_cost ? "underlined" : undefined}>
      {row.cost_estimated ? "≈ " : ""}
      {money(row.cost)}
    </span>
  )),
  column("duration", { label: "Duration", width: 92, right: true, sort: "duration", shown: true }, (row) =>
    duration(row.timings.last_byte_us / 1000),
  ),
  column("first_token", { label: "First token", width: 100, right: true, shown: true }, (row) =>
    duration(row.timings.first_token_us === null ? null : row.timings.first_token_us / 1000),
  ),
  column("cached", { label: "Cache", width: 76, sort: "cached", shown: true }, (row) =>
    row.cached ? <Badge tone="info">hit</Badge> : UNKNOWN,
  ),
  column("metadata", { label: "Metadata", width: 240, shown: true }, (row) => <Metadata text={row.metadata} />),
  column("type", { label: "Type", width: 110, sort: "model_type" }, (row) => row.request_type ?? UNKNOWN),
  column("streamed", { label: "Stream", width: 80 }, (row) => (row.streamed ? "yes" : "no")),
  column("finish", { label: "Finish", width: 110 }, (row) => row.finish ?? UNKNOWN),
  column("feedback", { label: "Feedback", width: 96, sort: "feedback" }, (row) => <Feedback value={row.feedback} />),
  column("agent", { label: "User agent", width: 200 }, (row) => (
    <span className="cut">{row.user_agent ?? UNKNOWN}</span>
  )),
  column("path", { label: "Path", width: 200 }, (row) => <span className="cut mono">{row.path}</span>),
  column("id", { label: "Log id", width: 310 }, (row) => <span className="cut mono">{row.id}</span>),
]);

export const COLUMN_IDS = Object.keys(META);
export const SHOWN_BY_DEFAULT = COLUMN_IDS.filter((id) => META[id]?.shown);
