// How the budgets of a rule stand: spent, held by requests under way, left, and until when it will last.

import { useQuery } from "@tanstack/react-query";
import { budgetsQuery } from "../../api/queries";
import type { Budget } from "../../api/types";
import { money, time } from "../../lib/format";
import { usePlace } from "../../place";

const SHOWN_MAX = 20;

export function Budgets({ rule }: { rule: string | undefined }) {
  const budgets = useQuery(budgetsQuery(usePlace()));
  const own = (budgets.data ?? []).filter((each) => each.kind === "rule" && each.id === rule);
  if (!rule || own.length === 0) return null;
  const fullest = [...own].sort((a, b) => used(b) - used(a)).slice(0, SHOWN_MAX);
  return (
    <div className="stack stack-s">
      {fullest.map((each) => (
        <Bar key={each.bucket ?? ""} budget={each} />
      ))}
      {own.length > SHOWN_MAX ? <div className="hint">and {own.length - SHOWN_MAX} more with less used</div> : null}
    </div>
  );
}

const used = (budget: Budget) => (budget.spent + budget.held) / budget.limit;
const percent = (part: number, whole: number) => `${Math.min(100, (100 * part) / whole)}%`;

function Bar({ budget }: { budget: Budget }) {
  const { bucket, limit, spent, held, left } = budget;
  return (
    <div className="budget">
      <div className="row row-apart">
        <span>{bucket ?? "everybody"}</span>
        <span className="hint">
          {money(spent)} spent{held > 0 ? `, ${money(held)} held` : ""}, {money(left)} left
        </span>
      </div>
      <div
        className="budget-track"
        role="meter"
        aria-label={`Used of ${money(limit)}`}
        aria-valuemin={0}
        aria-valuemax={limit}
        aria-valuenow={Math.min(limit, spent + held)}
        data-full={left <= 0}
      >
        <div className="budget-spent" style={{ width: percent(spent, limit) }} />
        <div className="budget-held" style={{ width: percent(held, limit) }} />
      </div>
      {budget.used_up_at ? <div className="hint">At this pace it is used up on {time(budget.used_up_at)}.</div> : null}
    </div>
  );
}
