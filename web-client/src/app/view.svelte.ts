// What this screen shows, which is nobody else's business: panel, page, pin, drafts.
import type { PanelName } from '../features/registry.ts';


class View {
  panel: PanelName | '' = $state('');
  /** The floor plan of the workshops stands where the stage was. */
  desk = $state(false);
  palette = $state(false);
  /** The summary for whoever comes late, and whether it has had its chance. */
  digest = $state(false);
  digested = false;
  leaving = $state(false);
  pinned = $state('');
  page = $state(0);
  draft = $state('');
  /** Name typed at the door, kept while another screen stands there. */
  name = $state('');
  /** Messages seen when the chat was last open. */
  seen = $state(0);
  private opener: HTMLElement | undefined;

  toggle(panel: PanelName): void {
    if (this.panel === panel) this.close();
    else {
      this.opener = document.activeElement instanceof HTMLElement ? document.activeElement : undefined;
      this.panel = panel;
    }
  }

  /** Closes the panel and gives the focus back to what opened it. */
  close(): void {
    this.panel = '';
    this.opener?.focus();
    this.opener = undefined;
  }

  pin(key: string): void {
    this.pinned = this.pinned === key ? '' : key;
  }
}

export const view = new View();
