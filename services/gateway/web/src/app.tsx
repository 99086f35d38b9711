import { MantineProvider } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import { QueryClientProvider } from "@tanstack/react-query";
import type { ComponentType } from "react";
import { createBrowserRouter, type RouteObject } from "react-router";
import { RouterProvider } from "react-router/dom";
import { newQueryClient } from "./api/query";
import { Broken, Nowhere, Waiting } from "./components/Fallbacks";
import { Guard } from "./components/Shell";
import { theme } from "./theme";

type Load = () => Promise<{ default: ComponentType }>;
const at = (path: string, load: Load): RouteObject => ({
  path,
  lazy: async () => ({ Component: (await load()).default }),
});

const routes: RouteObject[] = [
  {
    errorElement: <Broken />,
    HydrateFallback: Waiting,
    children: [
      at("/login", () => import("./pages/Login")),
      {
        Component: Guard,
        children: [
          at("/", () => import("./pages/Home")),
          at("/quantconnect/*", () => import("./pages/QuantConnect")),
          at("/ai-trading/*", () => import("./pages/AiTrading")),
          at("/activity/*", () => import("./pages/Activity")),
          at("/settings/*", () => import("./pages/Settings")),
          { path: "*", Component: Nowhere },
        ],
      },
    ],
  },
];

const router = createBrowserRouter(routes);
const client = newQueryClient();

export function App() {
  return (
    <MantineProvider theme={theme} defaultColorScheme="auto">
      <QueryClientProvider client={client}>
        <Notifications position="bottom-right" containerWidth={380} />
        <RouterProvider router={router} />
      </QueryClientProvider>
    </MantineProvider>
  );
}
