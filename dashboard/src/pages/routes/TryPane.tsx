import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import type { RouteElement, Visit } from "../../api/types";
import { usePlace } from "../../place";
import { Badge, Button, Problem } from "../../ui/basics";
import { AreaField } from "../../ui/forms";
import { simulate } from "./data";

const REASONS = [
  "timeout",
  "rate_limited",
  "server_error",
  "client_error",
  "context_too_long",
  "content_policy",
  "connect",
];

const PARTS = [
  ["metadata", "Metadata", '{"plan":"free"}'],
  ["headers", "Headers", "{}"],
  ["body", "Body", '{"messages":[{"role":"user","content":"Hello"}]}'],
] as const;

/** Which way would this request go? Nobody is asked and nothing changes. */
export function TryPane({ elements, onWalked }: { elements: RouteElement[]; onWalked: (visited: Visit[]) => void }) {
  const place = usePlace();
  const [parts, setParts] = useState<Record<string, string>>(
    Object.fromEntries(PARTS.map(([name, , text]) => [name, text])),
  );
  const [misses, setMisses] = useState<Record<string, string>>({});
  const models = elements.filter(({ type }) => type === "model");
  const walk = useMutation({
    mutationFn: async () => {
      const read = (name: string) => JSON.parse(parts[name] || "{}");
      const simulated = await simulate(
        place,
        elements,
        { metadata: read("metadata"), headers: read("headers"), body: read("body") },
        misses,
      );
      return simulated.decisions[0];
    },
    onSuccess: (decision) => onWalked(decision?.visited ?? []),
  });
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault();
        walk.mutate();
      }}
    >
      {PARTS.map(([name, label]) => (
        <AreaField
          key={name}
          label={label}
          className="mono"
          rows={name === "body" ? 4 : 2}
          value={parts[name]}
          onChange={(event) => setParts({ ...parts, [name]: event.target.value })}
        />
      ))}
      <fieldset className="stack stack-s">
        <legend className="label">Suppose that</legend>
        {models.map(({ id, properties }) => (
          <div key={id} className="output-row">
            <span className="cut" title={id}>
              {String(properties?.model ?? id)}
            </span>
            <select
              className="input"
              aria-label={`What becomes of ${id}`}
              value={misses[id] ?? ""}
              onChange={(event) => {
                const { [id]: _, ...others } = misses;
                setMisses(event.target.value ? { ...others, [id]: event.target.value } : others);
              }}
            >
              <option value="">answers</option>
              {REASONS.map((reason) => (
                <option key={reason} value={reason}>
                  fails: {reason.replaceAll("_", " ")}
                </option>
              ))}
            </select>
          </div>
        ))}
      </fieldset>
      <Button look="primary" type="submit" busy={walk.isPending}>
        Walk the route
      </Button>
      <Problem error={walk.error} />
      {walk.data ? (
        <div className="stack stack-s" role="status">
          <div className="row">
            <span className="label">Chosen</span>
            {walk.data.chosen ? (
              <Badge tone="good">
                {walk.data.chosen.provider}/{walk.data.chosen.model}
              </Badge>
            ) : (
              <Badge tone="bad">nobody answers</Badge>
            )}
          </div>
          <ol className="steps">
            {walk.data.visited.map((visit, index) => (
              <li key={index}>
                <code>{visit.element}</code>
                {visit.output ? <span className="muted">→ {visit.output}</span> : null}
                <span className="hint grow">{visit.why}</span>
              </li>
            ))}
          </ol>
        </div>
      ) : null}
    </form>
  );
}
