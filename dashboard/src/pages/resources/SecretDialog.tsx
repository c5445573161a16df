import { Button, Code, Notice } from "../../ui/basics";
import { Dialog } from "../../ui/overlays";

/** Shown this once: the gateway keeps only its digest. */
export function SecretDialog({ secret, onClose }: { secret: string | undefined; onClose: () => void }) {
  return (
    <Dialog open={secret !== undefined} onClose={onClose} title="Copy the secret now">
      <Notice tone="warn">This is the only time it is shown. Keep it where your other secrets are.</Notice>
      <Code text={secret ?? ""} label="the secret" />
      <div className="dialog-foot">
        <Button look="primary" onClick={onClose}>
          I have it
        </Button>
      </div>
    </Dialog>
  );
}
