import { Link, useNavigate } from "@tanstack/react-router";
import { ArrowUpRight } from "lucide-react";
import type { ReactNode } from "react";
import { quantile, type Summary } from "../../lib/aggregate";
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
      <Charts summary={data.summary} onZoom={onZoom} />
      <Groups data={data} asked={asked} />
      <p className="hint">
        Requests, errors and cached answers are counted exactly.{" "}
        {data.rows.length < data.requests
          ? `Charts, cost, tokens and latency come from the newest ${count(data.rows.length)} of ${count(data.requests)} requests.`
          : "Everything else comes from all of them."}{" "}
        Requests are what callers sent; retries and fallbacks are attempts of one request.
      </p>
    </>
  );
}

function Tiles({ data, asked }: { data: Data; asked: SpanAsked }) {
  const { totals } = data.summary;
  const p95 = quantile(totals.durations, 0.95);
  const first = quantile(totals.firsts, 0.5);
  const partial = data.rows.length < data.requests;
  return (
    <div className="tiles">
      <Tile label="Requests" value={compact(data.requests)} asked={asked} q="">
        {compact(totals.requests)} in the charts
      </Tile>
      <Tile label="Cost" value={money(totals.cost)} asked={asked} q="cost:>0">
        {totals.unpriced > 0
          ? `${count(totals.unpriced)} without a known price`
          : partial
            ? "of the newest requests"
            : "all prices known"}
      </Tile>
      <Tile label="Tokens" value={compact(totals.tokensIn + totals.tokensOut)} asked={asked} q="tokens:>0">
        {compact(totals.tokensIn)} in · {compact(totals.tokensOut)} out
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

function Charts({ summary, onZoom }: { summary: Summary; onZoom: (from: number, to: number) => void }) {
  const { times, buckets, costByModel } = summary;
  const of = (read: (bucket: Summary["buckets"][number]) => number | null) => buckets.map(read);
  const spread = (share: number) => of(({ durations }) => quantile(durations, share));
  const shared = { times, onZoom };
  return (
    <div className="charts">
      <Card title="Requests" note="by how they ended">
        <Chart
          {...shared}
          label="Requests over time"
          kind="bars"
          stacked
          format={wholeTicks}
          series={[
            { label: "Success", values: of((bucket) => bucket.success), colour: 1 },
            { label: "Cached", values: of((bucket) => bucket.cached), colour: 5 },
            { label: "Error", values: of((bucket) => bucket.error), colour: 4 },
          ]}
        />
      </Card>
      <Card title="Cost" note="by model, US dollars">
        <Chart
          {...shared}
          label="Cost over time"
          kind="bars"
          stacked
          format={moneyTicks}
          series={costByModel.map(({ label, values }, index) => ({
            label,
            values,
            colour: label === "Other" ? 6 : index + 1,
          }))}
        />
      </Card>
      <Card title="Latency" note="of whole answers, and to the first token">
        <Chart
          {...shared}
          label="Latency over time"
          kind="line"
          format={timeTicks}
          series={[
            { label: "p50", values: spread(0.5), colour: 1 },
            { label: "p95", values: spread(0.95), colour: 2 },
            { label: "p99", values: spread(0.99), colour: 4 },
            { label: "First token p50", values: of(({ firsts }) => quantile(firsts, 0.5)), colour: 5 },
          ]}
        />
      </Card>
      <Card title="Tokens" note="as providers counted them">
        <Chart
          {...shared}
          label="Tokens over time"
          kind="bars"
          stacked
          format={wholeTicks}
          series={[
            { label: "In", values: of((bucket) => bucket.tokensIn), colour: 3 },
            { label: "Out", values: of((bucket) => bucket.tokensOut), colour: 2 },
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
