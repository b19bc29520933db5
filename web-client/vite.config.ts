// One page, one script, one stylesheet (the typeface is inside the stylesheet): three requests.
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';

export default defineConfig({
  plugins: [svelte()],
  build: {
    target: 'es2022',
    modulePreload: false,
    assetsInlineLimit: 64 * 1024,
    cssCodeSplit: false,
    sourcemap: false,
    rollupOptions: {
      checks: { pluginTimings: false },
      output: {
        entryFileNames: 'assets/[name]-[hash].js',
        assetFileNames: 'assets/[name]-[hash][extname]',
      },
    },
  },
  server: { proxy: { '/ws': { target: 'ws://127.0.0.1:5199', ws: true }, '/api': 'http://127.0.0.1:5199' } },
});
