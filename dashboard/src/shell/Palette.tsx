// Ctrl-K: pages, gateways, themes, and a log by its id.

import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { DoorOpen, LogOut, Moon, Search, Sun } from "lucide-react";
import { type ReactNode, useId, useMemo, useState } from "react";
import { gatewaysQuery } from "../api/queries";
import { usePlace } from "../place";
import { signOut } from "../session";
import { chooseTheme } from "../theme";
import { Button } from "../ui/basics";
import { OpenDialog } from "../ui/overlays";
import { useNav } from "./nav";

interface Command {
  id: string;
  label: string;
  note: string;
  icon: ReactNode;
  run: () => void;
}

const LOG_ID = /^[0-9a-f]{8}-[0-9a-f-]{27}$/i;

export function PaletteButton({ onOpen }: { onOpen: () => void }) {
  return (
    <Button className="find" onClick={onOpen}>
      <Search size={15} aria-hidden />
      <span>Search or jump to…</span>
      <kbd>Ctrl K</kbd>
    </Button>
  );
}

function useCommands(text: string): Command[] {
  const place = usePlace();
  const navigate = useNavigate();
  const nav = useNav();
  const gateways = useQuery(gatewaysQuery(place)).data;
  return useMemo(() => {
    const pages = nav.flatMap(({ label: group, items }) =>
      items.map(({ label, to, icon: Icon, key }) => ({
        id: to,
        label,
        note: key ? `g ${key}` : group,
        icon: <Icon size={15} aria-hidden />,
        run: () => navigate({ to, params: { gateway: place.gateway } }),
      })),
    );
    const others = (gateways ?? []).map(({ id }) => ({
      id: `gateway ${id}`,
      label: id,
      note: "gateway",
      icon: <DoorOpen size={15} aria-hidden />,
      run: () => navigate({ to: "/g/$gateway/overview", params: { gateway: id } }),
    }));
    const manners = [
      {
        id: "light",
        label: "Light theme",
        note: "",
        icon: <Sun size={15} aria-hidden />,
        run: () => chooseTheme("light"),
      },
      {
        id: "dark",
        label: "Dark theme",
        note: "",
        icon: <Moon size={15} aria-hidden />,
        run: () => chooseTheme("dark"),
      },
      { id: "out", label: "Sign out", note: "", icon: <LogOut size={15} aria-hidden />, run: () => void signOut() },
    ];
    const said = text.trim().toLowerCase();
    const found: Command[] = [...pages, ...others, ...manners].filter(({ label, note }) =>
      `${label} ${note}`.toLowerCase().includes(said),
    );
    const gateway = place.gateway;
    if (LOG_ID.test(said)) {
      const run = () => navigate({ to: "/g/$gateway/logs", params: { gateway }, search: { log: said } });
      found.unshift({
        id: "log",
        label: `Open log ${said}`,
        note: gateway,
        icon: <Search size={15} aria-hidden />,
        run,
      });
    } else if (said) {
      const run = () => navigate({ to: "/g/$gateway/logs", params: { gateway }, search: { q: text.trim() } });
      found.push({
        id: "search",
        label: `Search logs for “${text.trim()}”`,
        note: gateway,
        icon: <Search size={15} aria-hidden />,
        run,
      });
    }
    return found;
  }, [text, nav, gateways, place.gateway, navigate]);
}

export function Palette({ onClose }: { onClose: () => void }) {
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const commands = useCommands(text);
  const id = useId();
  const chosen = Math.min(at, commands.length - 1);

  function run(command: Command | undefined) {
    onClose();
    // After the dialog gave the focus back.
    setTimeout(() => command?.run());
  }

  function heard(event: React.KeyboardEvent) {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step) {
      event.preventDefault();
      const next = (chosen + step + commands.length) % commands.length;
      setAt(next);
      document.getElementById(`${id}-${next}`)?.scrollIntoView({ block: "nearest" });
    }
    if (event.key === "Enter") {
      event.preventDefault();
      run(commands[chosen]);
    }
  }

  return (
    <OpenDialog onClose={onClose} className="palette" label="Search or jump to a page">
      <input
        className="palette-input"
        placeholder="A page, a gateway, a log id, or words to find in the log"
        role="combobox"
        aria-label="Search or jump"
        aria-expanded="true"
        aria-controls={`${id}-list`}
        aria-activedescendant={commands.length ? `${id}-${chosen}` : undefined}
        // who opens the palette wants to type
        autoFocus
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          setAt(0);
        }}
        onKeyDown={heard}
      />
      <div className="palette-list" id={`${id}-list`} role="listbox" aria-label="Results">
        {commands.map((command, index) => (
          // the input above has the keys
          <div
            key={command.id}
            id={`${id}-${index}`}
            role="option"
            tabIndex={-1}
            aria-selected={index === chosen}
            className="menu-item"
            onClick={() => run(command)}
            onMouseMove={() => setAt(index)}
          >
            {command.icon}
            <span className="cut">{command.label}</span>
            <small>{command.note}</small>
          </div>
        ))}
      </div>
    </OpenDialog>
  );
}
