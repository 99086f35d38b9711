import { Button, Checkbox, Code, CopyButton, Group, Modal, Stack, Text } from "@mantine/core";
import { DateInput } from "@mantine/dates";
import { useForm } from "@mantine/form";
import { IconPlus } from "@tabler/icons-react";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, must, type Schemas } from "@/api/client";
import { useMay, useRefresh } from "@/api/shared";
import { ConfirmDialog } from "@/components/ConfirmDialog";
import { spanOf } from "@/components/DateFilter";
import { fieldErrors, TextField } from "@/components/fields";
import { FormDialog, useClosing } from "@/components/FormDialog";
import { Empty, Loaded, Problem } from "@/components/Loaded";
import { Panel } from "@/components/Panel";
import { type Column, SimpleTable } from "@/components/SimpleTable";
import { told } from "@/components/toasts";
import { Time } from "@/components/Values";

type Token = Schemas["TokenView"];
type Issued = Schemas["IssuedToken"];
type Scope = Schemas["Scope"];

const SCOPES: Record<Scope, string> = {
  read: "Read whatever a viewer sees",
  "signals:write": "Raise signals under its name",
};

const columnsWith = (revoke: (token: Token) => void): Column<Token>[] => [
  { id: "name", header: "Name", cell: (row) => row.name, width: "minmax(140px, 1fr)", tip: "Also the source id of the signals that it raises.", sort: (row) => row.name },
  { id: "scopes", header: "May", tip: "What a program may do with it.", cell: (row) => row.scopes.join(", "), width: "minmax(150px, 1fr)" },
  { id: "by", header: "Made by", tip: "Who is answerable for it.", cell: (row) => row.created_by, width: "100px" },
  { id: "at", header: "Made", cell: (row) => <Time at={row.created_at} show="day" />, width: "110px", sort: (row) => row.created_at },
  { id: "used", header: "Last used", cell: (row) => (row.last_used_at ? <Time at={row.last_used_at} show="ago" /> : "never"), width: "110px" },
  { id: "until", header: "Ends", tip: "From that day on it is refused.", cell: (row) => <Time at={row.expires_at} show="day" />, width: "110px", sort: (row) => row.expires_at },
  {
    id: "revoke",
    header: "Revoke",
    width: "84px",
    cell: (row) => (
      <Button size="compact-xs" variant="default" onClick={() => revoke(row)} aria-label={`Revoke ${row.name}`}>
        Revoke
      </Button>
    ),
  },
];

/** Keys of programs: what they may do, until when. */
export function Tokens() {
  const may = useMay("admin");
  const query = useQuery({ queryKey: ["tokens"], queryFn: () => must(api.GET("/api/tokens")), enabled: may });
  const [making, setMaking] = useState(false);
  const [issued, setIssued] = useState<Issued | null>(null);
  const [gone, setGone] = useState<Token | null>(null);
  const [columns] = useState(() => columnsWith(setGone));
  const refresh = useRefresh();
  const revoke = async () => {
    if (!gone) return;
    await must(api.DELETE("/api/tokens/{token_id}", { params: { path: { token_id: gone.id } } }));
    told(`Token ${gone.name} holds no more.`);
    await refresh("tokens");
  };
  const make = (
    <Button size="xs" leftSection={<IconPlus size={14} aria-hidden />} onClick={() => setMaking(true)}>
      New token
    </Button>
  );
  if (!may) return <Panel title="API tokens"><Empty>Only an admin sees and makes tokens. Ask one for a token of your own.</Empty></Panel>;
  return (
    <Panel title="API tokens" tip="A program shows its token with every request: Authorization: Bearer …" actions={make}>
      <Loaded query={query} height={180}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty>No program has a token. Make one to let a program read, or send signals of its own.</Empty>
          ) : (
            <SimpleTable label="API tokens" rows={items} columns={columns} />
          )
        }
      </Loaded>
      <FormDialog opened={making} onClose={() => setMaking(false)} title="New token">
        <TokenForm
          onDone={(token) => {
            setMaking(false);
            setIssued(token);
          }}
        />
      </FormDialog>
      <Modal opened={issued !== null} onClose={() => setIssued(null)} title={`Token ${issued?.name ?? ""}`} size="lg" closeOnClickOutside={false} closeOnEscape={false}>
        {issued && <Shown token={issued} onClose={() => setIssued(null)} />}
      </Modal>
      <ConfirmDialog opened={gone !== null} onClose={() => setGone(null)} title={`Revoke ${gone?.name ?? ""}?`} confirm="Revoke" danger act={revoke}>
        Whoever uses this token is refused from now on, and its open event streams end. Signals that it has raised stay.
      </ConfirmDialog>
    </Panel>
  );
}

function Shown({ token, onClose }: { token: Issued; onClose: () => void }) {
  return (
    <Stack gap="md">
      <Text size="sm">Copy it now: it is shown this once and kept only as a hash.</Text>
      <Code block aria-label="The token">{token.token}</Code>
      {token.scopes.includes("signals:write") && (
        <Text size="sm" c="dimmed">
          Its signals come as External {token.name}. Add that source to a bot, or nobody listens.
        </Text>
      )}
      <Group justify="flex-end" gap="sm">
        <CopyButton value={token.token}>
          {({ copied, copy }) => (
            <Button variant="default" onClick={copy}>
              {copied ? "Copied" : "Copy"}
            </Button>
          )}
        </CopyButton>
        <Button onClick={onClose}>I have it</Button>
      </Group>
    </Stack>
  );
}

interface Values {
  name: string;
  scopes: Scope[];
  day: string | null;
}

/** What is sent; it ends with the day that was picked, in a year without one. */
export function tokenBody({ name, scopes, day }: Values): Schemas["TokenBody"] {
  const { to: end } = spanOf(undefined, day ?? undefined);
  return { name: name.trim(), scopes, ...(end ? { expires_at: end } : {}) };
}

function TokenForm({ onDone }: { onDone: (token: Issued) => void }) {
  const form = useForm<Values>({
    mode: "uncontrolled",
    initialValues: { name: "", scopes: ["read"], day: null },
    validate: {
      name: (value) => (/^[\w-]{1,64}$/.test(value.trim()) ? null : "Letters, digits, hyphens and underscores, such as my-program."),
      scopes: (value) => (value.length ? null : "It must be good for something."),
    },
  });
  const refresh = useRefresh();
  const save = useMutation({
    mutationFn: (values: Values) => must(api.POST("/api/tokens", { body: tokenBody(values) })),
    onSuccess: async (token) => {
      onDone(token);
      await refresh("tokens");
    },
    onError: (error) => form.setErrors(fieldErrors(error, (field) => field.replace("expires_at", "day").replace(/^scopes.*/, "scopes"))),
  });
  useClosing(() => (save.isPending ? "not yet" : form.isDirty() ? "asking" : "freely"));
  return (
    <form onSubmit={form.onSubmit((values) => save.mutate(values))} noValidate>
      <Stack gap="md">
        <TextField form={form} path="name" label="Name" description="Who uses it; also the source id of its signals." placeholder="my-program" required />
        <Checkbox.Group label="It may" key={form.key("scopes")} {...form.getInputProps("scopes")}>
          <Stack gap="sm" mt="sm">
            {(Object.keys(SCOPES) as Scope[]).map((scope) => (
              <Checkbox key={scope} value={scope} label={SCOPES[scope]} />
            ))}
          </Stack>
        </Checkbox.Group>
        <DateInput label="Ends after" description="At most a year away; without a day, in a year." valueFormat="YYYY-MM-DD" placeholder="In a year" clearable key={form.key("day")} {...form.getInputProps("day")} />
        {save.error && <Problem error={save.error} what="No token was made" />}
        <Group justify="flex-end">
          <Button type="submit" loading={save.isPending}>
            Make the token
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
