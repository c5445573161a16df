// One request, whole: what was asked and answered, who was tried when, what it cost.

import { useQuery } from "@tanstack/react-query";
import { ArrowDown, ArrowUp, Link2, X } from "lucide-react";
import { Tabs } from "radix-ui";
import { type ReactNode, useEffect, useRef } from "react";
import { logBodyQuery, logQuery } from "../../api/queries";
import type { LogDetail } from "../../api/types";
import { count, duration, fullTime, money } from "../../lib/format";
import { usePlace } from "../../place";
import { Badge, Button, copyText, Problem, Skeleton } from "../../ui/basics";
import { Json } from "../../ui/json";
import { Tip } from "../../ui/overlays";
import { toast } from "../../ui/toasts";
import { Actions } from "./Actions";
import { Conversation } from "./Conversation";
import { CostLines } from "./CostLines";
import { StatusBadge } from "./columns";
import { Decisions } from "./Decisions";
import { Details } from "./Details";
import { Frames } from "./Frames";
import { Timeline } from "./Timeline";

interface Props {
  id: string;
  tab: string;
  onTab: (tab: string) => void;
  onClose: () => void;
  onWalk: (step: number) => void;
}

export function Drawer({ id, tab, onTab, onClose, onWalk }: Props) {
  const place = usePlace();
  const log = useQuery(logQuery(place, id));
  const panel = useRef<HTMLElement>(null);
  // On a small screen it covers the list, so it takes the focus.
  useEffect(() => {
    if (innerWidth < 860) panel.current?.focus();
  }, []);
  return (
    <aside ref={panel} className="drawer" aria-label="Log detail" tabIndex={-1}>
      <div className="drawer-head">
        <div className="row cut">
          {log.data ? <StatusBadge row={log.data} /> : null}
          <h2 className="cut">{log.data?.model || log.data?.path || "Request"}</h2>
        </div>
        <div className="row drawer-tools">
          <Tip text="Previous (k)">
            <Button look="quiet" icon small onClick={() => onWalk(-1)} aria-label="Previous request">
              <ArrowUp size={15} aria-hidden />
            </Button>
          </Tip>
          <Tip text="Next (j)">
            <Button look="quiet" icon small onClick={() => onWalk(1)} aria-label="Next request">
              <ArrowDown size={15} aria-hidden />
            </Button>
          </Tip>
          <Tip text="Copy the link to this view (y)">
            <Button look="quiet" icon small onClick={copyLink} aria-label="Copy link">
              <Link2 size={15} aria-hidden />
            </Button>
          </Tip>
          <Tip text="Close (Esc)">
            <Button look="quiet" icon small onClick={onClose} aria-label="Close">
              <X size={15} aria-hidden />
            </Button>
          </Tip>
        </div>
      </div>
      <div className="drawer-body">
        <Problem error={log.error} />
        {log.data ? <Shown log={log.data} tab={tab} onTab={onTab} /> : log.error ? null : <Skeleton height={220} />}
      </div>
    </aside>
  );
}

async function copyLink() {
  await copyText(location.href);
  toast("Link copied");
}

function Shown({ log, tab, onTab }: { log: LogDetail; tab: string; onTab: (tab: string) => void }) {
  const place = usePlace();
  const request = useQuery({ ...logBodyQuery(place, log.id, "request"), enabled: log.request_body === "kept" });
  const response = useQuery({ ...logBodyQuery(place, log.id, "response"), enabled: log.response_body === "kept" });
  const decided = Boolean(log.trace || log.losses?.length || log.refusal);
  const tabs: [string, string, ReactNode][] = [
    ["conversation", "Conversation", <Conversation key="c" log={log} request={request} response={response} />],
    ["raw", "Raw", <Raw key="r" log={log} request={request.data} response={response.data} />],
    ...(log.streamed
      ? ([["frames", "Frames", <Frames key="f" text={response.data} />]] as [string, string, ReactNode][])
      : []),
    ["cost", "Cost", <CostLines key="k" log={log} />],
    ...(decided
      ? ([["decisions", "Decisions", <Decisions key="d" log={log} />]] as [string, string, ReactNode][])
      : []),
    ["details", "Details", <Details key="h" log={log} />],
  ];
  const open = tabs.some(([name]) => name === tab) ? tab : "conversation";
  return (
    <>
      <Facts log={log} />
      <Actions log={log} request={request.data} />
      <Timeline log={log} />
      <Tabs.Root value={open} onValueChange={onTab} className="stack">
        <Tabs.List className="tabs-list" aria-label="Views of this request">
          {tabs.map(([name, label]) => (
            <Tabs.Trigger key={name} value={name} className="tab">
              {label}
            </Tabs.Trigger>
          ))}
        </Tabs.List>
        {tabs.map(([name, , body]) => (
          <Tabs.Content key={name} value={name} tabIndex={-1}>
            {body}
          </Tabs.Content>
        ))}
      </Tabs.Root>
    </>
  );
}

function Facts({ log }: { log: LogDetail }) {
  const { usage_metadata: usage, timings } = log;
  const facts: [string, ReactNode][] = [
    ["Provider", log.provider],
    ["Duration", duration(timings.last_byte_us / 1000)],
    ["First token", duration(timings.first_token_us === null ? null : timings.first_token_us / 1000)],
    ["Tokens", log.tokens_in === null ? "–" : `${count(log.tokens_in)} → ${count(log.tokens_out)}`],
    ["Cost", money(log.cost)],
  ];
  return (
    <div className="stack stack-s">
      <dl className="facts">
        {facts.map(([label, value]) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd className="num">{value}</dd>
          </div>
        ))}
      </dl>
      <div className="row">
        <span className="hint num">{fullTime(log.created_at)}</span>
        {log.cached ? <Badge tone="info">cache hit</Badge> : null}
        {log.streamed ? <Badge>stream</Badge> : null}
        {log.answered_model && log.answered_model !== log.model ? (
          <Badge tone="violet">answered by {log.answered_model}</Badge>
        ) : null}
        {log.attempts.length > 1 ? <Badge tone="warn">{log.attempts.length} attempts</Badge> : null}
        {usage?.estimated ? <Badge tone="warn">usage estimated</Badge> : null}
      </div>
    </div>
  );
}

const WHY_NOT: Record<LogDetail["request_body"], string> = {
  kept: "",
  empty: "Nothing was sent.",
  opted_out: "The caller asked not to keep it (cf-aig-collect-log-payload: false).",
  too_large: "It was larger than the log keeps.",
};

function Raw({
  log,
  request,
  response,
}: {
  log: LogDetail;
  request: string | undefined;
  response: string | undefined;
}) {
  return (
    <div className="stack">
      <Side title="Request" text={request} why={WHY_NOT[log.request_body]} />
      <Side title="Response" text={response} why={WHY_NOT[log.response_body]} />
    </div>
  );
}

function Side({ title, text, why }: { title: string; text: string | undefined; why: string }) {
  return (
    <section className="stack stack-s">
      <h3>{title}</h3>
      {text === undefined ? (
        <p className="hint">{why || "It cannot be shown with this token, or is not there."}</p>
      ) : (
        <Json text={text} label={`${title} body`} />
      )}
    </section>
  );
}
