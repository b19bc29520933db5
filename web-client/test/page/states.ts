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

const WEBINAR_STATES: PageState[] = [
  { name: 'webinar-holding', link: 'webinar=doors&role=listener&people=4&crowd=64&opens=272&holding=Bienvenue. Préparez de quoi écrire, nous commençons à 10 heures.' },
  { name: 'webinar-air', link: 'webinar=air&role=listener&people=4&crowd=128&speaks=d_0&react=1' },
  { name: 'webinar-slide', link: 'webinar=questions&role=listener&people=4&crowd=480&screen=1&hands=7' },
  { name: 'webinar-invite', link: 'webinar=questions&role=listener&people=4&crowd=40&invited=p_you' },
  { name: 'webinar-wings', link: 'webinar=air&role=speaker&place=wings&people=5&stage=2&wings=1&crowd=200' },
  { name: 'webinar-backstage', link: 'webinar=backstage&role=host&place=stage&people=4&stage=3&crowd=0' },
  { name: 'webinar-starting', link: 'webinar=starting&role=host&place=stage&people=4&stage=3&crowd=85' },
  {
    name: 'webinar-scene', link: 'webinar=questions&role=host&place=stage&people=12&stage=3&wings=2&crowd=290&hands=9&level=1&screen=1&invited=p_8',
    then: open('live-scene'),
  },
  { name: 'webinar-sixteen', link: 'webinar=air&role=host&place=stage&people=16&stage=15&crowd=350&nocam=3&speaks=d_4' },
  { name: 'webinar-react', link: 'webinar=air&role=listener&people=3&crowd=30', then: open('bar-react') },
  { name: 'webinar-door', link: 'webinar=doors&role=listener&people=4', door: true, then: (page) => page.getByTestId('door-name').fill('Camille Aubert') },
];
STATES.push(...WEBINAR_STATES);

/** What may stand above the stage (features/notices/standing.ts). */
const STANDING: PageState[] = [
  { name: 'standing-busy', link: 'people=7&role=host&load=3', then: stands('server-busy') },
  {
    name: 'standing-noroom', link: 'people=7&media=full',
    then: async (page, mock) => {
      // A new core: it has no room for the connection that the page makes anew.
      for (const world of mock.worlds.values()) if (world.script.get('media') === 'full') world.epoch += 1;
      mock.pause(0);
      await stands('no-room')(page);
    },
  },
  { name: 'standing-unled', link: 'people=7&unled=1', then: stands('unled') },
  { name: 'standing-saver', link: 'people=7', prefs: { saver: true }, then: stands('saver-badge') },
  {
    name: 'standing-propose', link: 'people=7&pictures=paused',
    then: async (page) => {
      await reports(page, { type: 'inbound-rtp', kind: 'audio', mid: '4', packetsReceived: 40, packetsLost: 10 });
      await stands('saver-propose')(page);
    },
  },
  {
    name: 'standing-strain', link: 'people=7', prefs: { ease: true },
    then: async (page) => {
      await struggle(page);
      await stands('strain')(page);
    },
  },
];
STATES.push(...STANDING);

export function stands(id: string): (page: Page) => Promise<void> {
  return (page) => page.getByTestId(id).waitFor({ timeout: 40_000 });
}

type Row = { [key: string]: number | string | Row };

/** From now on the browser says this of its media and nothing else; its numbers are what is added every second. */
async function reports(page: Page, row: Row): Promise<void> {
  await page.evaluate((rates) => {
    const grown = (part: Row): Row => Object.fromEntries(Object.entries(part).map(([key, value]) =>
      [key, typeof value === 'number' ? (value * performance.now()) / 1000 : typeof value === 'string' ? value : grown(value)]));
    const [pc] = (window as unknown as { fakePeers: RTCPeerConnection[] }).fakePeers;
    if (pc) pc.getStats = () => Promise.resolve(new Map([['row', grown(rates)]]) as unknown as RTCStatsReport);
  }, row);
}

/** From now on the browser says that it shows half of the pictures that come, none of which is missing. */
export const dropsPictures = (page: Page): Promise<void> =>
  reports(page, { type: 'inbound-rtp', kind: 'video', mid: '9', packetsReceived: 60, framesDecoded: 12, framesDropped: 12 });

/** From now on the browser says that pictures come of which it can make nothing, though none is missing. */
export const unreadablePictures = (page: Page): Promise<void> =>
  reports(page, { type: 'inbound-rtp', kind: 'video', mid: '9', packetsReceived: 60 });

/** From now on the browser says that it cannot code what it is asked for. */
export const struggle = (page: Page): Promise<void> =>
  reports(page, { type: 'outbound-rtp', kind: 'video', qualityLimitationDurations: { cpu: 1 } });

async function join(page: Page): Promise<void> {
  await page.getByTestId('door-name').fill('Camille');
  await page.getByTestId('door-join').click();
}

async function closeWith(page: Page, code: number): Promise<void> {
  await page.evaluate((c) => window.dispatchEvent(new CustomEvent('mock-close', { detail: c })), code);
}
