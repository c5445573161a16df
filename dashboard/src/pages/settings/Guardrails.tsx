import { Button } from "../../ui/basics";
import type { PartProps } from "./MemberField";

const CATEGORIES: [string, string][] = [
  ["S1", "Violent crimes"],
  ["S2", "Non-violent crimes"],
  ["S3", "Sex-related crimes"],
  ["S4", "Child sexual exploitation"],
  ["S5", "Defamation"],
  ["S6", "Specialized advice"],
  ["S7", "Privacy"],
  ["S8", "Intellectual property"],
  ["S9", "Indiscriminate weapons"],
  ["S10", "Hate"],
  ["S11", "Suicide and self-harm"],
  ["S12", "Sexual content"],
  ["S13", "Elections"],
  ["P1", "Prompt injection"],
];

const SIDES = ["prompt", "response"] as const;
type Rules = Record<(typeof SIDES)[number], Record<string, string>>;

export function Guardrails({ label, hint, fault, value, onChange }: PartProps) {
  const rules = value as Rules | null;
  if (!rules) {
    return (
      <div className="flag">
        <div>
          <div className="label">{label}</div>
          <div className="hint">{hint} They are off.</div>
        </div>
        <Button onClick={() => onChange({ prompt: {}, response: {} })}>Switch on</Button>
      </div>
    );
  }
  function set(side: keyof Rules, category: string, verdict: string) {
    const { [category]: _, ...others } = (rules as Rules)[side];
    onChange({ ...rules, [side]: verdict ? { ...others, [category]: verdict } : others });
  }
  return (
    <div className="stack stack-s">
      <div className="flag">
        <div>
          <div className="label">{label}</div>
          <div className="hint">{hint}</div>
          {fault ? <div className="fault">{fault}</div> : null}
        </div>
        <Button onClick={() => onChange(null)}>Switch off</Button>
      </div>
      <div className="table-wrap">
        <table className="table table-tight">
          <thead>
            <tr>
              <th scope="col">Category</th>
              <th scope="col">In prompts</th>
              <th scope="col">In answers</th>
            </tr>
          </thead>
          <tbody>
            {CATEGORIES.map(([category, name]) => (
              <tr key={category}>
                <th scope="row">
                  {name} <span className="muted mono">{category}</span>
                </th>
                {SIDES.map((side) => (
                  <td key={side}>
                    <select
                      className="input"
                      aria-label={`${name} in ${side === "prompt" ? "prompts" : "answers"}`}
                      data-verdict={rules[side]?.[category] ?? ""}
                      value={rules[side]?.[category] ?? ""}
                      onChange={(event) => set(side, category, event.target.value)}
                    >
                      <option value="">Ignore</option>
                      <option value="FLAG">Flag</option>
                      <option value="BLOCK">Block</option>
                    </select>
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}
