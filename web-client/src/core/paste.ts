// People as somebody pastes them: cells of a spreadsheet, or addresses as mail programs write them
// ("Jean Moulin <jean@example.org>, lea@example.org"). Out comes the table the server reads.
const ADDRESS = /^(?:"?([^"<>@]*?)"?\s*<\s*)?([^\s<>",;@]+@[^\s<>",;@]+)\s*>?$/;

/** "lea.martin@..." -> "Lea Martin": better than nothing, and to be changed. */
function nameOf(mail: string): string {
  const words = mail.replace(/@.*$/, '').split(/[._-]+/).filter((w) => w !== '');
  return words.map((w) => w.charAt(0).toUpperCase() + w.slice(1)).join(' ');
}

const cell = (text: string): string => `"${text.replaceAll('"', '""')}"`;

/** The table as CSV; text that is no list of addresses stays as it is. */
export function pasted(text: string): string {
  const pieces = text.split(/[\n;,]+/).map((p) => p.trim()).filter((p) => p !== '');
  const found = pieces.map((p) => ADDRESS.exec(p));
  if (pieces.length === 0 || found.some((m) => m === null)) return text;
  const rows = found.map((m) => `${cell(m?.[1]?.trim() || nameOf(m?.[2] ?? ''))};${cell(m?.[2] ?? '')}`);
  return `Nom;Courriel\n${rows.join('\n')}\n`;
}
