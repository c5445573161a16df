// What the sidebar and the palette lead to.

import {
  BellRing,
  Blocks,
  ChartNoAxesCombined,
  Database,
  DoorOpen,
  FlaskConical,
  FlaskRound,
  GitFork,
  History,
  KeyRound,
  KeySquare,
  type LucideIcon,
  Scale,
  ScrollText,
  SlidersHorizontal,
} from "lucide-react";
import { useAvailable } from "../api/available";

export interface Destination {
  label: string;
  to: string;
  icon: LucideIcon;
  /** Typed after `g`. */
  key?: string;
  /** What the API must have for it. */
  needs?: string;
}

export interface Group {
  label: string;
  items: Destination[];
}

const GATEWAY = "/accounts/{account}/ai-gateway/gateways/{gateway}";

export const NAV: Group[] = [
  {
    label: "Observe",
    items: [
      { label: "Overview", to: "/g/$gateway/overview", icon: ChartNoAxesCombined, key: "o" },
      { label: "Logs", to: "/g/$gateway/logs", icon: ScrollText, key: "l" },
    ],
  },
  {
    label: "Build",
    items: [
      { label: "Playground", to: "/g/$gateway/playground", icon: FlaskConical, key: "p" },
      { label: "Routes", to: "/g/$gateway/routes", icon: GitFork, key: "r" },
      { label: "Datasets", to: "/g/$gateway/datasets", icon: Database, key: "d", needs: `${GATEWAY}/datasets` },
      {
        label: "Evaluations",
        to: "/g/$gateway/evaluations",
        icon: FlaskRound,
        key: "e",
        needs: `${GATEWAY}/evaluations`,
      },
    ],
  },
  {
    label: "Configure",
    items: [
      { label: "Settings", to: "/g/$gateway/settings", icon: SlidersHorizontal, key: "s" },
      {
        label: "Provider keys",
        to: "/g/$gateway/keys",
        icon: KeySquare,
        key: "k",
        needs: `${GATEWAY}/provider_configs`,
      },
      { label: "Policies", to: "/g/$gateway/policies", icon: Scale, key: "b", needs: `${GATEWAY}/policies` },
    ],
  },
  {
    label: "Installation",
    items: [
      { label: "Gateways", to: "/gateways", icon: DoorOpen, key: "w" },
      { label: "Tokens", to: "/tokens", icon: KeyRound, key: "t", needs: "/accounts/{account}/tokens" },
      {
        label: "Custom providers",
        to: "/custom-providers",
        icon: Blocks,
        key: "c",
        needs: "/accounts/{account}/ai-gateway/custom-providers",
      },
      {
        label: "Alerts",
        to: "/alerts",
        icon: BellRing,
        key: "n",
        needs: "/accounts/{account}/ai-gateway/alerts",
      },
      { label: "Audit", to: "/audit", icon: History, key: "a", needs: "/accounts/{account}/audit_logs" },
    ],
  },
];

/** Only what this gateway has. */
export function useNav(): Group[] {
  const available = useAvailable();
  const groups = NAV.map(({ label, items }) => ({ label, items: items.filter(({ needs }) => available(needs)) }));
  return groups.filter(({ items }) => items.length > 0);
}
