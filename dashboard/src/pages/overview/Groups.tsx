import { Link } from "@tanstack/react-router";
import type { Group } from "../../lib/aggregate";
import { compact, duration, money, percent } from "../../lib/format";
import { quoted } from "../../lib/grammar";
import type { SpanAsked } from "../../lib/span";
import { usePlace } from "../../place";
import { Card } from "../../ui/basics";
import type { useOverview } from "./data";

const SHOWN = 8;

export function Groups({
  data,
  asked,
}: {
  data: NonNullable<ReturnType<typeof useOverview>["data"]>;
  asked: SpanAsked;
}) {
  const { models, providers } = data.summary;
  return (
    <div className="charts">
      <Breakdown
        title="Models"
        rows={models}
        asked={asked}
        term={(name) => (name === "no model" ? "" : `model:${quoted(name)}`)}
      />
      <Breakdown title="Providers" rows={providers} asked={asked} term={(name) => `provider:${quoted(name)}`} />
    </div>
  );
}

function Breakdown({
  title,
  rows,
  asked,
  term,
}: {
  title: string;
  rows: Group[];
  asked: SpanAsked;
  term: (name: string) => string;
}) {
  const { gateway } = usePlace();
  const most = rows[0]?.requests ?? 1;
  return (
    <Card title={title} className="card-flush">
      <div className="table-wrap">
        <table className="table">
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col" className="right">
                Requests
              </th>
              <th scope="col" className="right">
                Cost
              </th>
              <th scope="col" className="right">
                Tokens
              </th>
              <th scope="col" className="right">
                p95
              </th>
              <th scope="col" className="right">
                Errors
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.slice(0, SHOWN).map(({ name, requests, cost, tokens, p95, errors }) => (
              <tr key={name}>
                <td className="bar-cell">
                  <Link to="/g/$gateway/logs" params={{ gateway }} search={{ ...asked, q: term(name) }}>
                    {name}
                  </Link>
                  <span className="bar" style={{ width: `${(100 * requests) / most}%` }} aria-hidden="true" />
                </td>
                <td className="right num">{compact(requests)}</td>
                <td className="right num">{money(cost)}</td>
                <td className="right num">{compact(tokens)}</td>
                <td className="right num">{duration(p95)}</td>
                <td className="right num">{errors > 0 ? percent(errors / requests) : "0 %"}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Card>
  );
}
