import { useMutation, useQueryClient } from "@tanstack/react-query";
import { ThumbsDown, ThumbsUp } from "lucide-react";
import { call } from "../../api/client";
import { logPath, logQuery } from "../../api/queries";
import type { LogDetail } from "../../api/types";
import { usePlace } from "../../place";
import { Button } from "../../ui/basics";
import { toastError } from "../../ui/toasts";

/** Up, down; pressed again: none. */
export function FeedbackButtons({ log }: { log: LogDetail }) {
  const place = usePlace();
  const client = useQueryClient();
  const say = useMutation({
    mutationFn: (feedback: number | null) => call("PATCH", logPath(place, log.id), { feedback }),
    onSuccess: (_, feedback) => {
      client.setQueryData(logQuery(place, log.id).queryKey, { ...log, feedback });
      void client.invalidateQueries({ queryKey: ["logs"] });
    },
    onError: toastError,
  });
  const button = (value: number, label: string, Icon: typeof ThumbsUp) => (
    <Button
      small
      icon
      aria-label={label}
      aria-pressed={log.feedback === value}
      onClick={() => say.mutate(log.feedback === value ? null : value)}
    >
      <Icon size={13} aria-hidden />
    </Button>
  );
  return (
    <span className="row">
      {button(1, "Good answer", ThumbsUp)}
      {button(-1, "Bad answer", ThumbsDown)}
    </span>
  );
}
