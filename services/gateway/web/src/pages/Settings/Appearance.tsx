import { Group, SegmentedControl, Stack, Text, useMantineColorScheme } from "@mantine/core";
import { Panel } from "@/components/Panel";
import { dayTime, utc } from "@/format";
import { setTimes, type Times, times } from "@/prefs";

const THEMES = [
  { value: "auto", label: "As the device" },
  { value: "light", label: "Light" },
  { value: "dark", label: "Dark" },
];
const ZONES = [
  { value: "local", label: "Local time" },
  { value: "utc", label: "UTC" },
];

/** How this browser shows things. */
export function Appearance() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const now = new Date().toISOString();
  const choose = (value: string) => {
    setTimes(value as Times);
    location.reload(); // every time on the page is written anew
  };
  return (
    <Panel title="Appearance" tip="These choices are kept in this browser only.">
      <Stack gap="lg">
        <Group gap="lg">
          <Text fw={500} size="sm" w={90} id="theme-label">Theme</Text>
          <SegmentedControl aria-labelledby="theme-label" data={THEMES} value={colorScheme} onChange={(value) => setColorScheme(value as "auto" | "light" | "dark")} />
        </Group>
        <Group gap="lg">
          <Text fw={500} size="sm" w={90} id="times-label">Times</Text>
          <SegmentedControl aria-labelledby="times-label" data={ZONES} value={times()} onChange={choose} />
          <Text size="sm" c="dimmed">
            Now: {dayTime(now)}. Pointing at a time shows it in UTC: {utc(now)}.
          </Text>
        </Group>
      </Stack>
    </Panel>
  );
}
