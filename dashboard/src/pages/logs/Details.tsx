import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { LogDetail } from "../../api/types";
import { bytes } from "../../lib/format";
import { quoted } from "../../lib/grammar";
import { usePlace } from "../../place";
import { CopyButton } from "../../ui/basics";

export function Details({ log }: { log: LogDetail }) {
  const { gateway } = usePlace();
  const metadata = log.metadata ? Object.entries(JSON.parse(log.metadata) as Record<string, unknown>) : [];
  const rows: [string, ReactNode][] = [
    ["Log id", <Id key="id" text={log.id} />],
    ["Event id", <Id key="event" text={log.event_id} />],
    ["Request", `${log.method} ${log.path}`],
    ["Content types", `${log.request_content_type ?? "–"} → ${log.response_content_type ?? "–"}`],
    ["Sizes", `${bytes(log.request_size)} → ${bytes(log.response_size)}`],
    ["Outcome", `${log.outcome}${log.finish ? `, finished by “${log.finish}”` : ""}`],
    ["Gateway token", log.authentication ? "presented and valid" : "none"],
    ["User agent", log.user_agent ?? "–"],
    ["Origins", log.attempts.map(({ origin }) => origin).join(", ") || "none was asked"],
  ];
  return (
    <div className="stack">
      <dl className="pairs">
        {rows.map(([label, value]) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <h3>Metadata</h3>
      {metadata.length === 0 ? <p className="hint">None. Callers add it with the header cf-aig-metadata.</p> : null}
      <dl className="pairs">
        {metadata.map(([key, value]) => (
          <div key={key}>
            <dt className="mono">{key}</dt>
            <dd>
              <Link to="/g/$gateway/logs" params={{ gateway }} search={{ q: `meta.${key}:${quoted(String(value))}` }}>
                {String(value)}
              </Link>
            </dd>
          </div>
        ))}
      </dl>
    </div>
  );
}

function Id({ text }: { text: string }) {
  return (
    <span className="row">
      <code>{text}</code>
      <CopyButton text={text} label="Copy the id" />
    </span>
  );
}
