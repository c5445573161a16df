import type { LogDetail, UsageParts } from "../../api/types";
import { count, money } from "../../lib/format";
import { Badge } from "../../ui/basics";

const LINES: [keyof UsageParts, string][] = [
  ["input_fresh_tokens", "Input"],
  ["input_cached_tokens", "Input read from the provider's prompt cache"],
  ["cache_write_5m_tokens", "Input written to the prompt cache, 5 minutes"],
  ["cache_write_1h_tokens", "Input written to the prompt cache, 1 hour"],
  ["input_audio_tokens", "Audio input"],
  ["output_tokens", "Output"],
  ["output_reasoning_tokens", "of these, reasoning"],
  ["output_audio_tokens", "of these, audio"],
];

export function CostLines({ log }: { log: LogDetail }) {
  const { usage_metadata: usage, cost } = log;
  return (
    <div className="stack">
      <div className="row">
        <span className="cost-total num">{money(cost)}</span>
        {log.custom_cost ? <Badge tone="violet">price given by the caller</Badge> : null}
        {log.cost_estimated ? <Badge tone="warn">estimated</Badge> : null}
        {log.cached ? <Badge tone="info">cache hit: nothing was paid</Badge> : null}
      </div>
      {cost === undefined ? (
        <p className="hint">
          The price of this model is not known, so its cost is unknown, not zero. A price can be given with the header
          cf-aig-custom-cost.
        </p>
      ) : null}
      {usage ? (
        <table className="table">
          <caption className="visually-hidden">Tokens that were counted</caption>
          <thead>
            <tr>
              <th scope="col">Counted</th>
              <th scope="col" className="right">
                Tokens
              </th>
            </tr>
          </thead>
          <tbody>
            {LINES.filter(([name]) => typeof usage[name] === "number").map(([name, label]) => (
              <tr key={name}>
                <td>{label}</td>
                <td className="right num">{count(usage[name] as number)}</td>
              </tr>
            ))}
            <tr>
              <td>
                <b>Together</b>
              </td>
              <td className="right num">
                <b>{count(usage.total_tokens)}</b>
              </td>
            </tr>
          </tbody>
        </table>
      ) : (
        <p className="hint">No usage was reported or could be counted.</p>
      )}
      {usage ? (
        <p className="hint">
          {usage.estimated ? "Estimated: the provider did not tell its count." : "As the provider counted."}
        </p>
      ) : null}
    </div>
  );
}
