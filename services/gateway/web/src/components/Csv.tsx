import { Button } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";

/** A list as a file. */
export function Csv({ list, href }: { list: string; href: string }) {
  return (
    <Button component="a" href={href} download aria-label={`${list} as CSV`} size="xs" variant="default" leftSection={<IconDownload size={14} aria-hidden />}>
      CSV
    </Button>
  );
}
