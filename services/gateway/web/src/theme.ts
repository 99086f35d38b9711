import { ActionIcon, Badge, Button, Card, createTheme, type MantineColorsTuple, Modal, Notification, Tooltip } from "@mantine/core";

const brand: MantineColorsTuple = [
  "#eef4fd", "#dbe7f8", "#b5ceef", "#8db3e6", "#6d9ddf", "#5a90da", "#4a80cc", "#2456a6", "#1d4789", "#15376c",
];

const dark: MantineColorsTuple = [
  "#e8eaed", "#c9cdd3", "#a9adb5", "#7d838c", "#3a414b", "#2a3038", "#1c2127", "#161a1f", "#101317", "#0b0d10",
];

export const theme = createTheme({
  colors: { brand, dark },
  primaryColor: "brand",
  primaryShade: { light: 7, dark: 7 },
  fontFamily: "'Inter Variable', system-ui, sans-serif",
  fontFamilyMonospace: "ui-monospace, SFMono-Regular, Menlo, Consolas, monospace",
  fontSizes: { xs: "12px", sm: "13px", md: "14px", lg: "16px", xl: "18px" },
  spacing: { xs: "4px", sm: "8px", md: "16px", lg: "24px", xl: "32px" },
  defaultRadius: "md",
  respectReducedMotion: true,
  headings: {
    fontWeight: "600",
    sizes: { h1: { fontSize: "26px", lineHeight: "1.25" }, h2: { fontSize: "18px", lineHeight: "1.35" }, h3: { fontSize: "15px" } },
  },
  components: {
    Card: Card.extend({ defaultProps: { withBorder: true, padding: "md", radius: "md" } }),
    Badge: Badge.extend({ defaultProps: { variant: "light", radius: "sm", tt: "none", fw: 600 } }),
    Button: Button.extend({ defaultProps: { size: "sm" } }),
    ActionIcon: ActionIcon.extend({ defaultProps: { variant: "subtle", color: "gray" } }),
    Tooltip: Tooltip.extend({
      defaultProps: { multiline: true, maw: 320, withArrow: true, events: { hover: true, focus: true, touch: true } },
    }),
    Notification: Notification.extend({ defaultProps: { closeButtonProps: { "aria-label": "Close" } } }),
    Modal: Modal.extend({ defaultProps: { centered: true, closeButtonProps: { "aria-label": "Close" } } }),
  },
});
