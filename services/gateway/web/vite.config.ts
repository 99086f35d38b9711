import react from "@vitejs/plugin-react";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const gateway = process.env.SIGNALBOX_URL ?? "http://127.0.0.1:8000";

export default defineConfig({
  plugins: [react()],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  build: {
    outDir: "dist", // scripts/build_web.py puts it where the gateway serves it
    assetsInlineLimit: 0, // the content security policy allows no data: scripts or fonts
    reportCompressedSize: false,
    chunkSizeWarningLimit: 700,
  },
  server: { port: 5173, fs: { allow: [".", "../../../docs/quantconnect"] }, proxy: { "/api": { target: gateway, changeOrigin: false } } }, // with our own Host: the gateway compares it with Origin
  test: { environment: "jsdom", setupFiles: "src/test/setup.ts", css: false, testTimeout: 20_000 },
});
