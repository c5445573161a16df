import { Plus, Trash2 } from "lucide-react";
import { Button } from "../../ui/basics";
import { SelectField, Switch, TextField } from "../../ui/forms";
import { Budgets } from "./Budgets";
import type { PartProps } from "./MemberField";

interface Dimension {
  mode: "filter" | "partition";
  values?: string[];
}

interface Rule {
  id?: string;
  enabled: boolean;
  limitType: "cost";
  limit: number;
  window: number;
  technique: "fixed" | "sliding";
  soft?: boolean;
  provider?: Dimension;
  model?: Dimension;
  metadata?: Record<string, Dimension>;
}

interface Limits {
  enabled: boolean;
  rules: Rule[];
}

const WINDOWS = [
  ["3600", "an hour"],
  ["86400", "a day"],
  ["604800", "a week"],
  ["2592000", "30 days"],
] as const;

const RULES_MAX = 20;

export function SpendRules({ label, hint, fault, value, onChange }: PartProps) {
  const limits = (value as Limits | null) ?? { enabled: false, rules: [] };
  const change = (rules: Rule[]) =>
    onChange({ enabled: limits.rules.length === 0 ? rules.length > 0 : limits.enabled, rules });
  const set = (index: number, next: Partial<Rule>) =>
    change(limits.rules.map((each, at) => (at === index ? { ...each, ...next } : each)));
  return (
    <div className="stack stack-s">
      <div className="flag">
        <div>
          <div className="label">{label}</div>
          <div className="hint">{hint}</div>
          {fault ? <div className="fault">{fault}</div> : null}
        </div>
        <div className="row">
          {limits.rules.length > 0 ? (
            <span className="row">
              <Switch
                label="Spend limits are in force"
                checked={limits.enabled}
                onChange={(enabled) => onChange({ ...limits, enabled })}
              />
              <span className="hint">in force</span>
            </span>
          ) : null}
          <Button
            disabled={limits.rules.length >= RULES_MAX}
            onClick={() =>
              change([
                ...limits.rules,
                { enabled: true, limitType: "cost", limit: 100, window: 86_400, technique: "sliding" },
              ])
            }
          >
            <Plus size={14} aria-hidden /> Rule
          </Button>
        </div>
      </div>
      {limits.rules.map((rule, index) => (
        <RuleForm
          key={rule.id ?? index}
          rule={rule}
          number={index + 1}
          onChange={(next) => set(index, next)}
          onDrop={() => change(limits.rules.filter((_, at) => at !== index))}
        />
      ))}
    </div>
  );
}

function RuleForm({
  rule,
  number,
  onChange,
  onDrop,
}: {
  rule: Rule;
  number: number;
  onChange: (next: Partial<Rule>) => void;
  onDrop: () => void;
}) {
  const windows = WINDOWS.some(([seconds]) => Number(seconds) === rule.window)
    ? WINDOWS
    : [...WINDOWS, [String(rule.window), `${rule.window} s`] as const];
  return (
    <fieldset className="nested">
      <legend className="visually-hidden">Rule {number}</legend>
      <div className="cols-3">
        <TextField
          label="Dollars"
          type="number"
          min={0.000001}
          step="any"
          value={String(rule.limit)}
          required
          onChange={(event) => onChange({ limit: Number(event.target.value) })}
        />
        <SelectField
          label="In"
          options={windows}
          value={String(rule.window)}
          onChange={(event) => onChange({ window: Number(event.target.value) })}
        />
        <SelectField
          label="Window"
          options={[
            ["sliding", "Sliding"],
            ["fixed", "Fixed"],
          ]}
          value={rule.technique}
          onChange={(event) => onChange({ technique: event.target.value as Rule["technique"] })}
        />
      </div>
      <div className="cols-2">
        <DimensionField
          label="Providers"
          value={rule.provider}
          onChange={(provider) => onChange({ provider } as Partial<Rule>)}
        />
        <DimensionField label="Models" value={rule.model} onChange={(model) => onChange({ model } as Partial<Rule>)} />
      </div>
      <Budgets rule={rule.id} />
      <MetadataField value={rule.metadata ?? {}} onChange={(metadata) => onChange({ metadata } as Partial<Rule>)} />
      <div className="row row-apart">
        <span className="row">
          <Switch
            label={`Rule ${number} counts`}
            checked={rule.enabled}
            onChange={(enabled) => onChange({ enabled })}
          />
          <span className="hint">{rule.enabled ? "counts" : "paused"}</span>
          <Switch
            label={`Rule ${number} only measures`}
            checked={rule.soft === true}
            onChange={(soft) => onChange({ soft })}
          />
          <span className="hint">{rule.soft ? "measures and tells" : "refuses"}</span>
        </span>
        <Button small look="danger" onClick={onDrop}>
          <Trash2 size={13} aria-hidden /> Remove
        </Button>
      </div>
    </fieldset>
  );
}

const MODES = [
  ["", "all together"],
  ["filter", "only these"],
  ["partition", "a budget for each"],
] as const;

function DimensionField({
  label,
  value,
  onChange,
}: {
  label: string;
  value: Dimension | undefined;
  onChange: (value: Dimension | undefined) => void;
}) {
  const mode = value?.mode ?? "";
  return (
    <div className="stack stack-s">
      <SelectField
        label={label}
        options={MODES}
        value={mode}
        onChange={(event) =>
          onChange(
            event.target.value === "filter"
              ? { mode: "filter", values: [] }
              : event.target.value === "partition"
                ? { mode: "partition" }
                : undefined,
          )
        }
      />
      {mode === "filter" ? (
        <input
          className="input"
          aria-label={`${label}: values, separated by commas`}
          placeholder="values, separated by commas"
          defaultValue={value?.values?.join(", ")}
          onBlur={(event) =>
            onChange({
              mode: "filter",
              values: event.target.value
                .split(",")
                .map((each) => each.trim())
                .filter(Boolean),
            })
          }
        />
      ) : null}
    </div>
  );
}

/** One metadata key is what people use; more can be said by the API and are kept. */
function MetadataField({
  value,
  onChange,
}: {
  value: Record<string, Dimension>;
  onChange: (value: Record<string, Dimension> | undefined) => void;
}) {
  const [key = "", dimension] = Object.entries(value)[0] ?? [];
  const others = Object.fromEntries(Object.entries(value).slice(1));
  const put = (name: string, next: Dimension | undefined) => {
    const all = name ? { [name]: next ?? { mode: "partition" as const }, ...others } : others;
    onChange(Object.keys(all).length > 0 ? all : undefined);
  };
  return (
    <div className="cols-2">
      <TextField
        label="Metadata key"
        placeholder="none"
        defaultValue={key}
        onBlur={(event) => put(event.target.value.trim(), dimension)}
      />
      {key ? (
        <DimensionField label={`Values of ${key}`} value={dimension} onChange={(next) => put(key, next)} />
      ) : (
        <span />
      )}
    </div>
  );
}
