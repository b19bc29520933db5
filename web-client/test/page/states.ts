// The states of the page that are looked at and checked for accessibility.
import type { Page } from 'playwright-core';
import type { Mock } from '../mock/server.ts';

export interface PageState {
  name: string; path?: string; link?: string; door?: boolean; prefs?: Record<string, unknown>;
  then?: (page: Page, mock: Mock) => Promise<void>;
}

const open = (id: string) => async (page: Page): Promise<void> => page.getByTestId(id).click();

export const STATES: PageState[] = [
  { name: 'landing' },
  { name: 'badlink', path: '/c/c_demo' },
  { name: 'door', link: 'people=5', door: true, then: (page) => page.getByTestId('door-name').fill('Camille Aubert') },
  { name: 'door-nocam', link: 'people=1&state=idle', door: true, prefs: { cam: false } },
  { name: 'alone', link: 'people=1&state=idle&role=host' },
  { name: 'two', link: 'people=2' },
  { name: 'ring3', link: 'people=3&speaks=d_0' },
  { name: 'ring7', link: 'people=7&speaks=d_3&hands=2' },
  { name: 'ring12', link: 'people=12&speaks=d_0&hands=3&away=1' },
  { name: 'ring12-nocam', link: 'people=12&nocam=1&hands=1&speaks=d_3', prefs: { cam: false } },
  { name: 'share7', link: 'people=7&screen=1&speaks=d_0' },
  { name: 'share12', link: 'people=12&screen=1&speaks=d_0' },
  { name: 'grid40', link: 'people=40&speaks=d_6&hands=2' },
  { name: 'share40', link: 'people=40&screen=1' },
  { name: 'speaker7', link: 'people=7&speaks=d_1', prefs: { view: 'speaker' } },
  { name: 'chat', link: 'people=7&chat=1', then: open('bar-panel-chat') },
  {
    name: 'people', link: 'people=12&hands=3&role=host',
    then: async (page) => {
      await page.getByTestId('bar-panel-people').click();
      await page.getByTestId('person-more-p_3').click();
    },
  },
  { name: 'settings', link: 'people=3', then: open('top-settings') },
  { name: 'palette', link: 'people=3', then: (page) => page.keyboard.press('Control+k') },
  { name: 'leave', link: 'people=3&role=host', then: open('bar-leave') },
  {
    name: 'hand', link: 'people=7&hands=2',
    then: open('bar-hand'),
  },
  {
    name: 'reconnect', link: 'people=7',
    then: async (page, mock) => {
      mock.pause(6000);
      await page.getByTestId('reconnecting').waitFor();
      await page.waitForTimeout(2500);
    },
  },
  { name: 'removed', link: 'people=3', then: (page) => closeWith(page, 4001) },
  { name: 'ended', link: 'people=3', then: (page) => closeWith(page, 4002) },
  { name: 'moved', link: 'people=3', then: (page) => closeWith(page, 4004) },
  { name: 'full', link: 'people=3&refuse=full', door: true, then: join },
  { name: 'notopen', link: 'people=3&refuse=state', door: true, then: join },
];

async function join(page: Page): Promise<void> {
  await page.getByTestId('door-name').fill('Camille');
  await page.getByTestId('door-join').click();
}

async function closeWith(page: Page, code: number): Promise<void> {
  await page.evaluate((c) => window.dispatchEvent(new CustomEvent('mock-close', { detail: c })), code);
}
