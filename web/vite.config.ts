import type { PluginOption } from 'vite';
import { defineConfig } from 'vitest/config';
import { icons } from './build/icons.mjs';
import { themeScript } from './build/theme_script.mjs';

// The hub that `./dev web` serves beside; its pages must look like its own, so the Origin is rewritten.
const hub = process.env.SYNCLINE_HUB ?? 'http://127.0.0.1:8080';

export default defineConfig({
  base: '/console/',
  plugins: [icons(), themeScript()] as PluginOption[],
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact' },
  build: {
    target: 'es2022',
    assetsDir: 'a',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rollupOptions: { output: { entryFileNames: 'a/[name]-[hash].js', chunkFileNames: 'a/[name]-[hash].js' } },
  },
  server: {
    port: 5173,
    strictPort: true,
    fs: { allow: ['..'] },
    proxy: Object.fromEntries(['/v1', '/sync', '/command', '/auth', '/clocks', '/ref', '/webhooks', '/search', '/ai',
      '/ws', '/health', '/ready', '/docs', '/problems', '/oidc', '/openapi.json'].map((path) => [path, {
      target: hub,
      changeOrigin: true,
      ws: true,
      headers: { Origin: new URL(hub).origin },
    }])),
  },
  test: { include: ['src/**/*.test.ts', 'build/*.test.ts'] },
});
