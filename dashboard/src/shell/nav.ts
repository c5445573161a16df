// What the sidebar and the palette lead to.

import { ChartNoAxesCombined, type LucideIcon, ScrollText } from "lucide-react";

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
];
