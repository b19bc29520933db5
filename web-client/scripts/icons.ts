// Writes src/ui/icons.ts: the few lucide icons (ISC licence) the page uses, as data.
// Run after adding a name: node scripts/icons.ts
import { readFileSync, writeFileSync } from 'node:fs';

const NAMES = [
  'mic', 'mic-off', 'video', 'video-off', 'screen-share', 'screen-share-off', 'hand', 'users', 'message-square',
  'log-out', 'settings', 'layout-grid', 'command', 'x', 'chevron-down', 'chevron-left', 'chevron-right', 'pin',
  'pin-off', 'send', 'volume-2', 'ellipsis', 'user-minus', 'user-plus', 'user-check', 'circle-alert', 'wifi-off',
  'arrow-right', 'play', 'square', 'check', 'search', 'monitor', 'crown', 'link', 'clock', 'circle-dot', 'presentation',
  'party-popper', 'heart', 'face-grinning', 'sparkles', 'thumbs-up', 'face-slightly-smiling-plus', 'door-open', 'door-closed', 'radio', 'radio-off',
  'theater', 'sliders-horizontal', 'arrow-up', 'arrow-down', 'grip-vertical', 'megaphone', 'info', 'printer', 'pause', 'pencil',
] as const;

type Node = [tag: string, attributes: Record<string, string>];
const all = JSON.parse(readFileSync('node_modules/lucide-static/icon-nodes.json', 'utf8')) as Record<string, Node[]>;
const rows = NAMES.map((name) => {
  const nodes = all[name];
  if (!nodes) throw new Error(`lucide has no icon ${name}`);
  return `  '${name}': ${JSON.stringify(nodes.map(([tag, { key: _key, ...rest }]) => [tag, rest]))},`;
});
writeFileSync(
  'src/ui/icons.ts',
  `// Written by scripts/icons.ts from lucide (https://lucide.dev, ISC licence). Do not edit.\n` +
    `export const ICONS = {\n${rows.join('\n')}\n} as const;\nexport type IconName = keyof typeof ICONS;\n`,
);
