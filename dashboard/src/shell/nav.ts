// What the sidebar and the palette lead to.

import {
  ChartNoAxesCombined,
  DoorOpen,
  FlaskConical,
  GitFork,
  type LucideIcon,
  ScrollText,
  SlidersHorizontal,
} from "lucide-react";

export interface Destination {
  label: string;
  to: string;
  icon: LucideIcon;
  /** Typed after `g`. */
  key?: string;
}

export interface Group {
  label: string;
  items: Destination[];
}

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
    ],
  },
  {
    label: "Configure",
    items: [
      { label: "Settings", to: "/g/$gateway/settings", icon: SlidersHorizontal, key: "s" },
      { label: "Gateways", to: "/gateways", icon: DoorOpen, key: "w" },
    ],
  },
];
