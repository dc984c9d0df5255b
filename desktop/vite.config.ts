import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'
import { usedStyles } from './scripts/styles.ts'

// In development the pages come from Vite and everything else from a running centre: CENTRE=http://127.0.0.1:8080.
const centre = process.env.CENTRE ?? 'http://127.0.0.1:8080'

export default defineConfig({
  plugins: [react(), usedStyles()],
  build: {
    outDir: '../centrala/web/dist',
    emptyOutDir: true,
    target: 'es2022',
    // The content security policy allows no data: scripts or fonts, and small files cost nothing over a kept connection.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            {
              name: 'base',
              test: /node_modules[\\/](react|react-dom|scheduler|@tanstack[\\/](react-query|query-core)|zustand|wouter)[\\/]/,
            },
          ],
        },
      },
    },
  },
  server: { proxy: { '/api': { target: centre, ws: true } } },
})
