import { Link } from "@tanstack/react-router";
import { X } from "lucide-react";
import { count, duration, money } from "../../lib/format";
import { usePlace } from "../../place";
import { Badge, Button, CopyButton, Notice } from "../../ui/basics";
import type { Outcome } from "./run";

interface Props {
  number: number;
  model: string;
  outcome: Outcome | undefined;
  onModel: (model: string) => void;
  onClose: (() => void) | undefined;
}

export function Column({ number, model, outcome, onModel, onClose }: Props) {
  return (
    <section className="card answer" aria-label={`Answer ${number}`}>
      <div className="answer-head">
        <input
          className="input mono"
          aria-label={`Model ${number}`}
          list="models"
          defaultValue={model}
          key={model}
          spellCheck={false}
          onBlur={(event) => onModel(event.target.value.trim().replaceAll(",", "") || model)}
        />
        {onClose ? (
          <Button look="quiet" icon onClick={onClose} aria-label={`Remove model ${number}`}>
            <X size={15} aria-hidden />
          </Button>
        ) : null}
      </div>
      <div className="answer-body" aria-live="polite" aria-busy={outcome?.state === "asking"}>
        {outcome ? <Said outcome={outcome} /> : <p className="hint">The answer appears here as it is written.</p>}
      </div>
      <Foot outcome={outcome} />
    </section>
  );
}

function Said({ outcome }: { outcome: Outcome }) {
  const { state, text, thinking, calls, error } = outcome;
  return (
    <>
      {thinking ? <div className="turn-text turn-thinking">{thinking}</div> : null}
      {text ? (
        <div className="turn-text">
          {text}
          {state === "asking" ? <span className="caret" aria-hidden="true" /> : null}
        </div>
      ) : null}
      {calls ? <pre className="turn-call">{calls}</pre> : null}
      {state === "asking" && !text && !thinking ? <p className="hint">waiting for the first token…</p> : null}
      {error ? <Notice tone="bad">{error}</Notice> : null}
      {state === "stopped" ? <p className="hint">Stopped.</p> : null}
    </>
  );
}

function Foot({ outcome }: { outcome: Outcome | undefined }) {
  const { gateway } = usePlace();
  const log = outcome?.log;
  const facts: [string, string][] = [
    ["First token", duration(outcome?.firstMs)],
    ["Total", duration(outcome?.totalMs)],
    ["Tokens", log ? `${count(log.tokens_in)} → ${count(log.tokens_out)}` : "–"],
    ["Cost", money(log?.cost)],
  ];
  return (
    <div className="answer-foot">
      <dl className="facts">
        {facts.map(([label, value]) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd className="num">{value}</dd>
          </div>
        ))}
      </dl>
      <div className="row">
        {outcome?.cache === "HIT" ? <Badge tone="info">cache hit</Badge> : null}
        {log && log.attempts.length > 1 ? <Badge tone="warn">{log.attempts.length} attempts</Badge> : null}
        {outcome?.logId && log ? (
          <Link to="/g/$gateway/logs" params={{ gateway }} search={{ log: outcome.logId }} className="hint">
            Open in the log
          </Link>
        ) : null}
        <span className="grow" />
        {outcome?.text ? <CopyButton text={outcome.text} label="Copy the answer" /> : null}
      </div>
    </div>
  );
}
