// The first page stays small: at most three requests, and each of them within its budget.
import { readFileSync, readdirSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const BUDGET_KB: Record<string, number> = { js: 120, css: 60, html: 4 };
const dist = new URL('../../dist/', import.meta.url);

export function checkBudget(): string[] {
  const files = ['index.html', ...readdirSync(new URL('assets/', dist)).map((name) => `assets/${name}`)];
  const problems: string[] = [];
  if (files.length > 3) problems.push(`first page takes ${files.length} requests: ${files.join(' ')}`);
  for (const file of files) {
    const bytes = readFileSync(new URL(file, dist));
    const kind = file.split('.').at(-1) ?? '';
    const kb = gzipSync(bytes).length / 1024;
    const budget = BUDGET_KB[kind];
    if (budget === undefined) problems.push(`${file}: unexpected kind of file`);
    else if (kb > budget) problems.push(`${file}: ${kb.toFixed(1)} kB gzip, budget ${budget}`);
    console.log(`${file} ${(bytes.length / 1024).toFixed(1)} kB, ${kb.toFixed(1)} kB gzip`);
  }
  const html = readFileSync(new URL('index.html', dist), 'utf8');
  const inline = /<style|<script(?![^>]*\bsrc=)|\sstyle=|\son\w+=/i.exec(html);
  if (inline) problems.push(`index.html has inline code or style: ${inline[0]}`);
  return problems;
}

if (process.argv[1] === import.meta.filename) {
  const problems = checkBudget();
  for (const problem of problems) console.error(problem);
  process.exit(problems.length > 0 ? 1 : 0);
}
