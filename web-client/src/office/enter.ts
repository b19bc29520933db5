// Going into one's class, and putting a link on the clipboard.
import { prefs, setPref } from '../app/prefs.svelte.ts';
import { api } from './api.ts';
import { o } from './words.ts';

/** Leaves for the class; '' or the error. The door knows the name already. */
export async function enterClass(id: string, name: string): Promise<string> {
  const answer = await api<{ link: string }>('POST', `/api/classes/${id}/enter`);
  if (!answer.ok) return answer.error;
  if (prefs.name === '' && name !== '') setPref('name', name);
  location.assign(`/c/${id}#${answer.data.link}`);
  return '';
}

/** Copies, or shows the text to copy by hand; what to tell. */
export async function copy(text: string): Promise<string> {
  try {
    await navigator.clipboard.writeText(text);
    return o('class.copied');
  } catch {
    return text;
  }
}
