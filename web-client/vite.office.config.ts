// The pages around the hour are a second page of their own: the class loads none of it.
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';

export default defineConfig({
  plugins: [svelte()],
  build: {
    target: 'es2022',
    emptyOutDir: false,
    modulePreload: false,
    assetsInlineLimit: 64 * 1024,
    cssCodeSplit: false,
    sourcemap: false,
    rollupOptions: {
      input: 'office.html',
      checks: { pluginTimings: false },
      output: {
        entryFileNames: 'assets/office-[hash].js',
        assetFileNames: 'assets/office-[hash][extname]',
      },
    },
  },
});
