import type { CostLine, LogDetail, UsageParts } from "../../api/types";
import { count, money } from "../../lib/format";
import { Badge } from "../../ui/basics";

const PARTS: [keyof UsageParts, string][] = [
  ["input_fresh_tokens", "Input"],
  ["input_cached_tokens", "Input read from the provider's prompt cache"],
  ["cache_write_5m_tokens", "Input written to the prompt cache, 5 minutes"],
  ["cache_write_1h_tokens", "Input written to the prompt cache, 1 hour"],
  ["input_audio_tokens", "Audio input"],
  ["output_tokens", "Output"],
  ["output_reasoning_tokens", "of these, reasoning"],
  ["output_audio_tokens", "of these, audio"],
];

const CLASSES: Record<string, string> = {
  input: "Input",
  cache_read: "Input read from the prompt cache",
  cache_write_5m: "Input written to the prompt cache, 5 minutes",
  cache_write_1h: "Input written to the prompt cache, 1 hour",
  audio_in: "Audio input",
  output: "Output",
  reasoning: "Reasoning",
  audio_out: "Audio output",
  request: "Request",
  search: "Searches",
  image: "Images",
  cache_read_audio: "Audio read from the prompt cache",
  cache_read_image: "Images read from the prompt cache",
  image_in: "Image input",
  image_out: "Image output",
  second: "Seconds of audio",
  character: "Characters",
};

export function CostLines({ log }: { log: LogDetail }) {
  const { usage_metadata: usage, cost, cost_lines: lines } = log;
  return (
    <div className="stack">
      <div className="row">
        <span className="cost-total num">{money(cost)}</span>
        {log.custom_cost ? <Badge tone="violet">price given by the caller</Badge> : null}
        {log.cost_estimated ? <Badge tone="warn">estimated</Badge> : null}
        {log.cached ? <Badge tone="info">cache hit: nothing was paid</Badge> : null}
        {log.cost_differs ? <Badge tone="warn">the provider charged {money(log.reported_cost)}</Badge> : null}
      </div>
      {cost === undefined ? (
        <p className="hint">
          The price of this model is not known, so its cost is unknown, not zero. A price can be given with the header
          cf-aig-custom-cost.
        </p>
      ) : null}
      {lines && lines.length > 0 ? <Ledger lines={lines} /> : usage ? <Counted usage={usage} /> : null}
      <p className="hint">{footnote(log)}</p>
    </div>
  );
}

function footnote({ usage_metadata: usage, cost_lines: lines, reported_cost: reported }: LogDetail): string {
  const counted = !usage
    ? "No usage was reported or could be counted."
    : usage.estimated
      ? "Quantities are estimated: the provider did not tell its count."
      : "Quantities as the provider counted.";
  const list = lines?.[0]?.catalog;
  const told = reported === undefined ? "" : ` The provider says it charged ${money(reported)}.`;
  return counted + (list ? ` Prices of list ${list}.` : "") + told;
}

/** One line for each class that was charged; they sum to the cost to the nano-dollar. */
function Ledger({ lines }: { lines: CostLine[] }) {
  return (
    <table className="table">
      <caption className="visually-hidden">What the cost is made of</caption>
      <thead>
        <tr>
          <th scope="col">Charged</th>
          <th scope="col" className="right">
            Quantity
          </th>
          <th scope="col" className="right">
            $ per million
          </th>
          <th scope="col" className="right">
            Amount
          </th>
          <th scope="col">Source</th>
        </tr>
      </thead>
      <tbody>
        {lines.map((line) => (
          <tr key={line.class}>
            <td>{CLASSES[line.class] ?? line.class}</td>
            <td className="right num">{count(line.quantity)}</td>
            <td className="right num">{line.unit_price ?? "–"}</td>
            <td className="right num">{money(line.amount)}</td>
            <td>{line.source}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Counted({ usage }: { usage: UsageParts }) {
  return (
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
        {PARTS.filter(([name]) => typeof usage[name] === "number").map(([name, label]) => (
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
  );
}
