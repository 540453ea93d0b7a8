interface SwitchProps {
  label: string;
  isOn: boolean;
  blocked?: string;
  onChange: (isOn: boolean) => void;
}

/** A setting that takes effect at once. */
export function Switch({ label, isOn, blocked, onChange }: SwitchProps) {
  return (
    <button type="button" class="switch" role="switch" aria-checked={isOn} aria-disabled={blocked !== undefined ? 'true' : undefined}
      title={blocked} onClick={() => { if (blocked === undefined) onChange(!isOn); }}>
      <span class="track"><span class="thumb" /></span>
      <span>{label}</span>
    </button>
  );
}
