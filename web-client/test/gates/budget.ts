// Each page stays small: at most three requests, and each of them within its budget.
import { readFileSync, readdirSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const BUDGET_KB: Record<string, number> = { js: 140, css: 60, html: 4 };
const PAGES = ['index.html', 'office.html'];
const dist = new URL('../../dist/', import.meta.url);

/** What a page asks for before it can be used. */
function filesOf(page: string): string[] {
  const html = readFileSync(new URL(page, dist), 'utf8');
  return [page, ...[...html.matchAll(/(?:src|href)="\/(assets\/[^"]+)"/g)].map((m) => m[1] ?? '')];
}

function checkFile(file: string): string[] {
  const bytes = readFileSync(new URL(file, dist));
  const kind = file.split('.').at(-1) ?? '';
  const kb = gzipSync(bytes).length / 1024;
  const budget = BUDGET_KB[kind];
  console.log(`${file} ${(bytes.length / 1024).toFixed(1)} kB, ${kb.toFixed(1)} kB gzip`);
  if (budget === undefined) return [`${file}: unexpected kind of file`];
  return kb > budget ? [`${file}: ${kb.toFixed(1)} kB gzip, budget ${budget}`] : [];
}

export function checkBudget(): string[] {
  const problems: string[] = [];
  const seen = new Set<string>();
  for (const page of PAGES) {
    const files = filesOf(page);
    if (files.length > 3) problems.push(`${page} takes ${files.length} requests: ${files.join(' ')}`);
    for (const file of files) {
      seen.add(file);
      problems.push(...checkFile(file));
    }
    const html = readFileSync(new URL(page, dist), 'utf8');
    const inline = /<style|<script(?![^>]*\bsrc=)|\sstyle=|\son\w+=/i.exec(html);
    if (inline) problems.push(`${page} has inline code or style: ${inline[0]}`);
  }
  for (const name of readdirSync(new URL('assets/', dist))) {
    if (!seen.has(`assets/${name}`)) problems.push(`assets/${name}: no page asks for it`);
  }
  return problems;
}

if (process.argv[1] === import.meta.filename) {
  const problems = checkBudget();
  for (const problem of problems) console.error(problem);
  process.exit(problems.length > 0 ? 1 : 0);
}
