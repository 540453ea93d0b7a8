// Puts src/theme.js before everything else in the page, as a file of its own: it runs before the first paint, and the
// page's policy allows no script inside the page.
import { readFileSync } from 'node:fs';

const kSource = new URL('../src/theme.js', import.meta.url);

export function themeScript() {
  let isBuild = false;
  return {
    name: 'syncline-theme-script',
    configResolved(config) {
      isBuild = config.command === 'build';
    },
    buildStart() {
      if (isBuild) this.emitFile({ type: 'asset', name: 'theme.js', source: readFileSync(kSource) });
    },
    transformIndexHtml: {
      order: 'post',
      handler(html, { bundle }) {
        const file = Object.values(bundle ?? {}).find((one) => one.type === 'asset' && one.names.includes('theme.js'));
        const src = file ? `/console/${file.fileName}` : '/console/src/theme.js';
        return [{ tag: 'script', attrs: { src }, injectTo: 'head-prepend' }];
      },
    },
  };
}
