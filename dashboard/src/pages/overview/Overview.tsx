import { Link, useNavigate } from "@tanstack/react-router";
import { ArrowUpRight } from "lucide-react";
import type { ReactNode } from "react";
import type { Stretch } from "../../api/types";
import { quantile } from "../../lib/aggregate";
import { ago, compact, count, duration, money, percent } from "../../lib/format";
import type { SpanAsked } from "../../lib/span";
import { usePlace } from "../../place";
import { overviewRoute } from "../../router";
import { Card, PageHead, Problem, Skeleton } from "../../ui/basics";
import { Chart } from "../../ui/chart";
import { FirstRequest } from "../../ui/FirstRequest";
import { SpanPicker } from "../../ui/SpanPicker";
import { useOverview } from "./data";
import { Groups } from "./Groups";

type Data = NonNullable<ReturnType<typeof useOverview>["data"]>;

export function Overview() {
  const place = usePlace();
  const asked = overviewRoute.useSearch();
  const navigate = useNavigate();
  const overview = useOverview(asked);
  const choose = (next: SpanAsked) =>
    navigate({ to: "/g/$gateway/overview", params: { gateway: place.gateway }, search: next });
  const { data } = overview;
  return (
    <div className="page">
      <PageHead title="Overview" actions={<SpanPicker value={asked} onChange={choose} />}>
        {data?.rows[0] ? `Last request ${ago(data.rows[0].created_at)}` : "What went through this gateway"}
      </PageHead>
      <Problem error={overview.error} />
      {data ? (
        <Shown
          data={data}
          asked={asked}
          onZoom={(from, to) => choose({ ...asked, from: Math.round(from), to: Math.round(to) })}
        />
      ) : (
        <Loading />
      )}
    </div>
  );
}

function Shown({ data, asked, onZoom }: { data: Data; asked: SpanAsked; onZoom: (from: number, to: number) => void }) {
  if (data.requests === 0) {
    return (
      <Card>
        <FirstRequest title={asked.from === undefined ? "No requests in this time" : "No requests in this stretch"} />
      </Card>
    );
  }
  return (
    <>
      <Tiles data={data} asked={asked} />
      <Charts data={data} onZoom={onZoom} />
      <Groups data={data} asked={asked} />
      <p className="hint">
        {data.rows.length < data.requests
          ? `Requests, errors, cached answers, tokens and cost are exact. Latency and the tables below it come from the newest ${count(data.rows.length)} of ${count(data.requests)} requests.`
          : "All numbers come from all requests."}{" "}
        Requests are what callers sent; retries and fallbacks are attempts of one request.
      </p>
    </>
  );
}

function Tiles({ data, asked }: { data: Data; asked: SpanAsked }) {
  const { totals } = data.summary;
  const p95 = quantile(totals.durations, 0.95);
  const first = quantile(totals.firsts, 0.5);
  const sum = (read: (stretch: Stretch) => number) =>
    data.stretches.reduce((total, stretch) => total + read(stretch), 0);
  const [tokensIn, tokensOut] = [sum(({ tokens_in }) => tokens_in), sum(({ tokens_out }) => tokens_out)];
  return (
    <div className="tiles">
      <Tile label="Requests" value={compact(data.requests)} asked={asked} q="">
        {percent((data.requests - data.errors) / Math.max(1, data.requests))} succeeded
      </Tile>
      <Tile label="Cost" value={money(sum(({ cost }) => cost))} asked={asked} q="cost:>0">
        {totals.unpriced > 0 ? `${count(totals.unpriced)} without a known price` : "US dollars"}
      </Tile>
      <Tile label="Tokens" value={compact(tokensIn + tokensOut)} asked={asked} q="tokens:>0">
        {compact(tokensIn)} in · {compact(tokensOut)} out
      </Tile>
      <Tile
        label="Errors"
        value={percent(data.errors / data.requests)}
        asked={asked}
        q="status:error"
        tone={data.errors > 0 ? "bad" : undefined}
      >
        {count(data.errors)} requests
      </Tile>
      <Tile label="Latency p95" value={duration(p95)} asked={asked} q="">
        first token {duration(first)} (median)
      </Tile>
      <Tile label="Cached" value={percent(data.cached / data.requests)} asked={asked} q="cached:true">
        {count(data.cached)} answers cost nothing
      </Tile>
    </div>
  );
}

/** Each leads to the log lines that it counts. */
function Tile({
  label,
  value,
  q,
  asked,
  tone,
  children,
}: {
  label: string;
  value: string;
  q: string;
  asked: SpanAsked;
  tone?: "bad" | undefined;
  children: ReactNode;
}) {
  const { gateway } = usePlace();
  return (
    <Link to="/g/$gateway/logs" params={{ gateway }} search={{ ...asked, q }} className="card tile">
      <span className="tile-label">
        {label} <ArrowUpRight size={13} aria-hidden />
      </span>
      <span className={`tile-value num ${tone ? `tile-${tone}` : ""}`}>{value}</span>
      <span className="tile-note num">{children}</span>
    </Link>
  );
}

const wholeTicks = (value: number) => compact(value);
const moneyTicks = (value: number) => money(value);
const timeTicks = (value: number) => duration(value);

function Charts({ data, onZoom }: { data: Data; onZoom: (from: number, to: number) => void }) {
  const { times, buckets, costByModel } = data.summary;
  const spread = (share: number) => buckets.map(({ durations }) => quantile(durations, share));
  const exact = (read: (stretch: Stretch) => number) => data.stretches.map(read);
  const starts = data.stretches.map(({ start }) => Date.parse(start));
  const partial = data.rows.length < data.requests;
  return (
    <div className="charts">
      <Card title="Requests" note="by how they ended">
        <Chart
          times={starts}
          onZoom={onZoom}
          label="Requests over time"
          kind="bars"
          stacked
          format={wholeTicks}
          series={[
            {
              label: "Success",
              values: exact(({ requests, errors, cached }) => requests - errors - cached),
              colour: 1,
            },
            { label: "Cached", values: exact(({ cached }) => cached), colour: 5 },
            { label: "Error", values: exact(({ errors }) => errors), colour: 4 },
          ]}
        />
      </Card>
      <Card title="Cost" note={partial ? "of all models, US dollars" : "by model, US dollars"}>
        <Chart
          times={partial ? starts : times}
          onZoom={onZoom}
          label="Cost over time"
          kind="bars"
          stacked
          format={moneyTicks}
          series={
            partial
              ? [{ label: "All models", values: exact(({ cost }) => cost), colour: 1 }]
              : costByModel.map(({ label, values }, index) => ({
                  label,
                  values,
                  colour: label === "Other" ? 6 : index + 1,
                }))
          }
        />
      </Card>
      <Card title="Latency" note="of whole answers, and to the first token">
        <Chart
          times={times}
          onZoom={onZoom}
          label="Latency over time"
          kind="line"
          format={timeTicks}
          series={[
            { label: "p50", values: spread(0.5), colour: 1 },
            { label: "p95", values: spread(0.95), colour: 2 },
            { label: "p99", values: spread(0.99), colour: 4 },
            { label: "First token p50", values: buckets.map(({ firsts }) => quantile(firsts, 0.5)), colour: 5 },
          ]}
        />
      </Card>
      <Card title="Tokens" note="as providers counted them">
        <Chart
          times={starts}
          onZoom={onZoom}
          label="Tokens over time"
          kind="bars"
          stacked
          format={wholeTicks}
          series={[
            { label: "In", values: exact(({ tokens_in }) => tokens_in), colour: 3 },
            { label: "Out", values: exact(({ tokens_out }) => tokens_out), colour: 2 },
          ]}
        />
      </Card>
    </div>
  );
}

function Loading() {
  return (
    <>
      <div className="tiles">
        {["a", "b", "c", "d", "e", "f"].map((key) => (
          <div key={key} className="card tile">
            <Skeleton width="45%" />
            <Skeleton width="65%" height={28} />
            <Skeleton width="80%" />
          </div>
        ))}
      </div>
      <div className="charts">
        {["a", "b", "c", "d"].map((key) => (
          <Card key={key}>
            <Skeleton height={240} />
          </Card>
        ))}
      </div>
    </>
  );
}
