import type { LogDetail } from "../../api/types";
import { Badge, Notice } from "../../ui/basics";

/** Why this model: the walk through a route, the candidates of the auto router, what a translation lost, why it was refused. */
export function Decisions({ log }: { log: LogDetail }) {
  const { trace, losses, refusal } = log;
  return (
    <div className="stack">
      {refusal ? (
        <Notice tone="warn">
          <b>Refused by the gateway{refusal.code ? ` (code ${refusal.code})` : ""}.</b>{" "}
          {refusal.message ?? JSON.stringify(refusal)}
        </Notice>
      ) : null}
      {trace && trace.visited.length > 0 ? (
        <section className="stack stack-s">
          <h3>{trace.route ? `Route ${trace.route.name}` : "Steps"}</h3>
          <ol className="steps">
            {trace.visited.map((visit, index) => (
              <li key={index}>
                <Badge tone={visit.type === "model" ? "accent" : undefined}>{visit.type}</Badge>
                <code>{visit.element}</code>
                {visit.target ? <b>{visit.target}</b> : null}
                {visit.output ? <span className="muted">→ {visit.output}</span> : null}
                <span className="hint grow">{visit.why}</span>
              </li>
            ))}
          </ol>
          {trace.stopped ? <Notice tone="warn">{trace.stopped}</Notice> : null}
        </section>
      ) : null}
      {trace && trace.candidates.length > 0 ? (
        <section className="stack stack-s">
          <h3>Candidates</h3>
          <ol className="steps">
            {trace.candidates.map(({ target, eligible, why }) => (
              <li key={target}>
                <Badge tone={eligible ? "good" : undefined}>{eligible ? "eligible" : "left out"}</Badge>
                <b>{target}</b>
                <span className="hint grow">{why}</span>
              </li>
            ))}
          </ol>
        </section>
      ) : null}
      {losses?.length ? (
        <section className="stack stack-s">
          <h3>Lost in translation</h3>
          <ol className="steps">
            {losses.map(({ field, kind, why }) => (
              <li key={field}>
                <Badge tone="warn">{kind}</Badge>
                <code>{field}</code>
                <span className="hint grow">{why}</span>
              </li>
            ))}
          </ol>
          {log.losses_more ? <p className="hint">and {log.losses_more} more</p> : null}
        </section>
      ) : null}
    </div>
  );
}
