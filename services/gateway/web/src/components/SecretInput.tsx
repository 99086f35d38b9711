import { PasswordInput, type PasswordInputProps } from "@mantine/core";

interface Props extends Omit<PasswordInputProps, "type" | "autoComplete"> {
  /** The end of what is stored, such as `…9f3A`; absent: nothing is stored. */
  hint?: string | null;
}

/** A key that is only ever written. Empty keeps what is stored: send `null` then, and clear it after saving. */
export function SecretInput({ hint, description, ...rest }: Props) {
  return (
    <PasswordInput
      {...rest}
      autoComplete="off"
      spellCheck={false}
      placeholder={hint ?? undefined}
      description={description ?? (hint ? `Leave it empty to keep the stored one, which ends in ${hint}.` : undefined)}
      visibilityToggleButtonProps={{ "aria-label": "Show or hide what you typed" }}
    />
  );
}
