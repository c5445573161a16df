import { Check, LogOut, Monitor, Moon, Sun, UserRound } from "lucide-react";
import { signOut, usePerson } from "../session";
import { chooseTheme, type Theme, useTheme } from "../theme";
import { Button } from "../ui/basics";
import { Menu, MenuItem, MenuLabel, MenuLine } from "../ui/overlays";

const THEMES: [Theme, string, typeof Sun][] = [
  ["system", "As the system", Monitor],
  ["light", "Light", Sun],
  ["dark", "Dark", Moon],
];

export function ThemeMenu() {
  const theme = useTheme();
  const person = usePerson();
  return (
    <Menu
      align="end"
      trigger={
        <Button look="quiet" icon aria-label="Theme and session">
          <UserRound size={17} aria-hidden />
        </Button>
      }
    >
      <MenuLabel>Theme</MenuLabel>
      {THEMES.map(([value, label, Icon]) => (
        <MenuItem key={value} onSelect={() => chooseTheme(value)} icon={<Icon size={15} aria-hidden />}>
          <span className="grow">{label}</span>
          {theme === value ? <Check size={14} aria-label="chosen" /> : null}
        </MenuItem>
      ))}
      <MenuLine />
      <MenuLabel>{person ? `${person.name} · ${person.role.replace("_", " ")}` : "Signed in with a token"}</MenuLabel>
      {person?.email ? <MenuLabel>{person.email}</MenuLabel> : null}
      <MenuItem onSelect={() => void signOut()} icon={<LogOut size={15} aria-hidden />}>
        Sign out
      </MenuItem>
    </Menu>
  );
}
