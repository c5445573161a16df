// Where the time went: the gateway, each attempt, the answer.

import type { Attempt, LogDetail } from "../../api/types";
import { duration } from "../../lib/format";

interface Stretch {
  label: string;
  note: string;
  from: number;
  to: number;
  tone: "gateway" | "wait" | "miss" | "answer" | "pause";
}

const MISSES: Record<string, string> = {
  status: "refused",
  connect: "no connection",
  timeout: "no answer in time",
  broken: "connection broke",
};

function attempt(each: Attempt, number: number, many: boolean): Stretch {
  const name = `${many ? `${number + 1}. ` : ""}${each.provider}${each.model ? ` ${each.model}` : ""}`;
  const outcome = each.miss ? (MISSES[each.miss] ?? each.miss) : "";
  const parts = [
    each.status,
    outcome,
    each.reused ? "connection reused" : `connect ${duration(each.connect_us / 1000)}`,
  ];
  const to = each.first_byte_us === null ? each.ended_us : each.first_byte_us;
  return {
    label: name,
    note: parts.filter(Boolean).join(", "),
    from: each.started_us,
    // Times of an attempt count from its own beginning.
    to: each.started_us + to,
    tone: each.miss ? "miss" : "wait",
  };
}

export function stretches(log: LogDetail): Stretch[] {
  const { timings, attempts } = log;
  const end = timings.last_byte_us;
  const all: Stretch[] = [];
  if (timings.gateway_us > 0)
    all.push({
      label: "Gateway",
      note: "checks, cache, limits",
      from: 0,
      to: Math.min(timings.gateway_us, end),
      tone: "gateway",
    });
  attempts.forEach((each, number) => {
    const before = attempts[number - 1];
    if (before) {
      const from = before.started_us + before.ended_us;
      if (each.started_us - from > 1_000)
        all.push({ label: "Pause", note: "before the next attempt", from, to: each.started_us, tone: "pause" });
    }
    all.push(attempt(each, number, attempts.length > 1));
  });
  const last = all.at(-1)?.to ?? 0;
  if (end > last)
    all.push({
      label: log.cached ? "From the cache" : "Answer",
      note: log.streamed ? "first to last byte, streamed" : "first to last byte",
      from: last,
      to: end,
      tone: "answer",
    });
  return all;
}

export function Timeline({ log }: { log: LogDetail }) {
  const all = stretches(log);
  const end = Math.max(log.timings.last_byte_us, ...all.map(({ to }) => to), 1);
  const first = log.timings.first_token_us;
  return (
    <section className="timeline" aria-label="Timeline">
      <ol>
        {all.map(({ label, note, from, to, tone }) => (
          <li key={`${label} ${from}`}>
            <span className="timeline-label cut" title={`${label}: ${note}`}>
              {label} <span className="muted">{note}</span>
            </span>
            <span className="timeline-track" aria-hidden="true">
              <i
                className={`timeline-${tone}`}
                style={{ left: `${(100 * from) / end}%`, width: `${Math.max(0.6, (100 * (to - from)) / end)}%` }}
              />
              {tone === "answer" && first !== null ? (
                <b title="First token" style={{ left: `${(100 * first) / end}%` }} />
              ) : null}
            </span>
            <span className="timeline-time num">{duration((to - from) / 1000)}</span>
          </li>
        ))}
      </ol>
    </section>
  );
}
