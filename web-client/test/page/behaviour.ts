// What the page does, seen from outside: roles of keys and clicks, and the messages the mock received.
import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { until, visit } from './bench.ts';
import type { Test } from './bench.ts';
import { pictureTests } from './pictures.ts';
import { standingTests } from './standing.ts';

const offers = (page: Page): Promise<Record<string, number>> => page.evaluate('window.amphi.offers');
const micOf = (v: { world: () => { state: { people: readonly { id: string; devices: { mic: string }[] }[] } } }): string | undefined =>
  v.world().state.people.find((p) => p.id === 'p_you')?.devices[0]?.mic;

function test(name: string, run: Test['run']): Test {
  return { name, run };
}

const joining: Test[] = [
  test('the first page takes three requests and no more', async (bench) => {
    bench.mock.requests.length = 0;
    const v = await visit(bench, { path: '/' });
    await v.page.waitForTimeout(300);
    assert.equal(bench.mock.requests.length, 3, bench.mock.requests.join(' '));
    await v.done();
  }),
  test('hello, offer and connection are done at the door, before the click', async (bench) => {
    const v = await visit(bench, { join: false });
    await v.page.getByText('Tout est prêt').waitFor();
    assert.deepEqual(v.world().offers, ['load']);
    assert.equal(v.world().state.people.some((p) => p.id === 'p_you'), false);
    await v.page.getByTestId('door-name').fill('Camille');
    await v.page.getByTestId('door-join').click();
    await v.page.getByTestId('tile-d_you-cam').waitFor();
    assert.deepEqual(await offers(v.page), { load: 1, ice: 0, epoch: 0 });
    await v.done();
  }),
  test('the browser takes our answer: 4 sections send, 21 receive', async (bench) => {
    const v = await visit(bench);
    const directions = await v.page.evaluate('window.fakePeers[0].getTransceivers().map((t) => t.currentDirection)') as string[];
    assert.deepEqual(directions, [...Array(4).fill('sendonly'), ...Array(21).fill('recvonly')]);
    await v.done();
  }),
  test('a click to enter while the server is away enters when it is back; the name is kept', async (bench) => {
    const v = await visit(bench, { join: false });
    await v.page.getByTestId('door-name').fill('Camille');
    await v.page.getByText('Tout est prêt').waitFor();
    bench.mock.pause(5000);
    await v.page.getByTestId('door-join').click();
    await v.page.getByTestId('over-busy').waitFor();
    await v.page.getByTestId('bar-leave').waitFor({ timeout: 12_000 });
    await v.page.getByTestId('tile-d_you-cam').getByText('Camille').waitFor();
    await v.done();
  }),
  test('without name the door says what is missing and keeps the focus there', async (bench) => {
    const v = await visit(bench, { join: false });
    await until('door', () => v.page.getByTestId('door-join').isEnabled());
    await v.page.getByTestId('door-join').click();
    await v.page.getByText('Indiquez votre nom pour entrer.').waitFor();
    assert.equal(await v.page.evaluate("document.activeElement.dataset.testid"), 'door-name');
    await v.done();
  }),
  test('with no device and no permission one enters all the same', async (bench) => {
    const v = await visit(bench, { bare: true, prefs: { mic: true, cam: true }, join: false });
    await v.page.getByTestId('trouble-mic').waitFor();
    await v.page.getByTestId('door-name').fill('Sans appareil');
    await v.page.getByTestId('door-join').click();
    await v.page.getByTestId('bar-chat').or(v.page.getByTestId('bar-panel-chat')).waitFor();
    assert.equal(micOf(v), 'off');
    await v.done();
  }),
  test('choices are remembered; a reload takes the same seat without the door', async (bench) => {
    const v = await visit(bench, { prefs: { mic: true } });
    await until('mic on', () => micOf(v) === 'on');
    await v.page.reload();
    await v.page.getByTestId('bar-leave').waitFor();
    await until('same person', () => v.world().state.people.filter((p) => p.id === 'p_you').length === 1);
    await until('microphone as before', async () => (await v.page.getByTestId('bar-mic').getAttribute('aria-label')) === 'Couper le micro');
    assert.deepEqual(await offers(v.page), { load: 1, ice: 0, epoch: 0 });
    await v.done();
  }),
];

const media: Test[] = [
  test('people coming and going, sharing, speaking: still one offer', async (bench) => {
    const v = await visit(bench, { link: 'people=6&speaks=d_1' });
    const world = v.world();
    world.emit([{ e: 'person.left', person: 'p_2', reason: 'left' }]);
    world.emit([{ e: 'media.changed', person: 'p_1', device: 'd_1', mic: 'on', cam: true, screen: true, sound: false }]);
    await v.page.getByTestId('tile-d_1-screen').waitFor();
    await v.page.getByTestId('bar-mic').click();
    await until('mic published', () => micOf(v) === 'on');
    await until('screen wished', () => JSON.stringify(world.want).includes('"d_1","screen"'));
    assert.deepEqual(await offers(v.page), { load: 1, ice: 0, epoch: 0 });
    await v.done();
  }),
  test('a kept picture keeps its slot when others leave', async (bench) => {
    const v = await visit(bench, { link: 'people=6&nocam=0' });
    await until('wishes', () => v.world().want.length === 5);
    const slotOf = (d: string): unknown => (v.world().want as [number, string][]).find((w) => w[1] === d)?.[0];
    const before = slotOf('d_3');
    v.world().emit([{ e: 'person.left', person: 'p_0', reason: 'left' }]);
    await until('fewer wishes', () => v.world().want.length === 4);
    assert.equal(slotOf('d_3'), before);
    await v.done();
  }),
  test('a failed connection makes an ICE restart on the same peer', async (bench) => {
    const v = await visit(bench);
    await v.page.evaluate("window.fakePeers[0].fakeState('failed')");
    await until('restart', async () => (await offers(v.page))['ice'] === 1);
    await until('the offer has arrived', () => v.world().offers.length === 2);
    assert.deepEqual(v.world().offers, ['load', 'ice']);
    assert.equal(await v.page.evaluate('window.fakePeers.length'), 1);
    await v.done();
  }),
  test('a new core epoch: hello again on the same socket, one new connection, tiles stay', async (bench) => {
    const v = await visit(bench, { link: 'people=5' });
    await v.page.waitForTimeout(400);
    const box = (): Promise<unknown> => v.page.getByTestId('tile-d_1-cam').boundingBox();
    const before = await box();
    v.world().epoch = 2;
    v.world().say({ t: 'epoch', epoch: 2 });
    await until('offer', () => v.world().offers.at(-1) === 'epoch');
    await until('connected', () => v.page.evaluate("window.amphi.media().health === 'connected' && window.fakePeers.length === 2") as Promise<boolean>);
    assert.deepEqual(await offers(v.page), { load: 1, ice: 0, epoch: 1 });
    assert.deepEqual(await box(), before);
    await until('wishes repeated', () => v.world().want.length > 0);
    await v.done();
  }),
  test('a missing delta is asked for and nothing is lost', async (bench) => {
    const v = await visit(bench);
    const world = v.world();
    world.say({ t: 'delta', seq: world.state.seq + 5, prev: world.state.seq + 4, events: [] });
    world.emit([{ e: 'person.renamed', person: 'p_0', name: 'Nouveau Nom' }]);
    await v.page.getByTestId('tile-d_0-cam').getByText('Nouveau Nom').waitFor();
    assert.equal(await v.page.evaluate('window.amphi.state().seq'), world.state.seq);
    await v.done();
  }),
  test('staff closes the microphone: it is closed here and said', async (bench) => {
    const v = await visit(bench, { prefs: { mic: true } });
    await until('mic on', () => micOf(v) === 'on');
    v.world().emit([{ e: 'media.changed', person: 'p_you', device: 'd_you', mic: 'off', cam: true, screen: false, sound: false }]);
    await v.page.getByTestId('notice').waitFor();
    assert.equal(await v.page.getByTestId('bar-mic').getAttribute('aria-label'), 'Ouvrir le micro');
    await v.done();
  }),
];

const staying: Test[] = [
  test('a lost connection: text is kept, a message sent meanwhile arrives once', async (bench) => {
    const v = await visit(bench, { link: 'people=3' });
    await v.page.getByTestId('bar-panel-chat').click();
    await v.page.evaluate(() => {
      const said: string[] = [];
      Object.assign(window, { said });
      for (const region of document.querySelectorAll('[aria-live]')) {
        new MutationObserver(() => said.push(region.textContent ?? '')).observe(region, { childList: true, characterData: true, subtree: true });
      }
    });
    bench.mock.pause(2500);
    await v.page.getByTestId('reconnecting').waitFor();
    await v.page.getByTestId('chat-input').fill('écrit sans réseau');
    await v.page.keyboard.press('Enter');
    await v.page.getByTestId('chat-input').fill('brouillon');
    await v.page.getByTestId('reconnecting').waitFor({ state: 'detached' });
    await until('arrived', () => v.world().state.chat.some((m) => m.text === 'écrit sans réseau'));
    assert.equal(v.world().state.chat.length, 1);
    assert.equal(await v.page.getByTestId('chat-input').inputValue(), 'brouillon');
    assert.deepEqual(await offers(v.page), { load: 1, ice: 0, epoch: 0 }, 'media was not touched');
    const told = (text: string) => v.page.evaluate((t) => (window as unknown as { said: string[] }).said.filter((s) => s.includes(t)).length, text);
    await until('told that it is over', async () => (await told('de retour dans la classe')) === 1);
    assert.equal(await told('Connexion à la classe perdue'), 1, 'told once');
    await v.done();
  }),
  test('markup in names and messages stays text', async (bench) => {
    const v = await visit(bench, { link: 'people=3' });
    const evil = '<img src=x onerror="window.pwned=1"><b>gras</b>';
    v.world().emit([
      { e: 'person.renamed', person: 'p_0', name: evil },
      { e: 'chat.posted', chat: { id: 'm_e', from: 'p_0', name: evil, at: 1, text: evil } },
    ]);
    await v.page.getByTestId('bar-panel-chat').click();
    await v.page.getByTestId('chat-log').getByText(evil).last().waitFor();
    assert.equal(await v.page.evaluate('window.pwned'), undefined);
    await v.done();
  }),
  test('hand: raised, ranked, lowered; the rank moves up', async (bench) => {
    const v = await visit(bench, { link: 'people=5&hands=2' });
    await v.page.getByTestId('bar-hand').click();
    await v.page.getByTestId('hand-rank').getByText('3', { exact: true }).waitFor();
    v.world().emit([{ e: 'hand.lowered', person: 'p_1', by: 'p_0' }]);
    await v.page.getByTestId('hand-rank').getByText('2', { exact: true }).waitFor();
    await v.page.getByTestId('bar-hand').click();
    await v.page.getByTestId('hand-rank').waitFor({ state: 'detached' });
    await v.done();
  }),
  test('staff: removing asks first, and can be taken back', async (bench) => {
    const v = await visit(bench, { link: 'people=4&role=host' });
    await v.page.getByTestId('bar-panel-people').click();
    await v.page.getByTestId('person-more-p_2').click();
    await v.page.getByTestId('person-remove').click();
    await v.page.getByText('Annuler').click();
    assert.ok(v.world().state.people.some((p) => p.id === 'p_2'));
    await v.page.getByTestId('person-remove').click();
    await v.page.getByTestId('remove-once').click();
    await until('removed', () => !v.world().state.people.some((p) => p.id === 'p_2'));
    await v.page.getByTestId('tile-d_2-cam').waitFor({ state: 'detached' });
    await v.done();
  }),
  test('a participant is offered no staff action', async (bench) => {
    const v = await visit(bench, { link: 'people=4' });
    await v.page.getByTestId('bar-panel-people').click();
    await v.page.getByTestId('people-list').waitFor();
    assert.equal(await v.page.locator('[data-testid^="person-more-"]').count(), 0);
    await v.page.getByTestId('bar-leave').click();
    assert.equal(await v.page.getByTestId('leave-end').count(), 0);
    await v.done();
  }),
  test('leaving ends on its own page with devices closed', async (bench) => {
    const v = await visit(bench);
    await v.page.getByTestId('bar-leave').click();
    await v.page.getByTestId('leave-confirm').click();
    await v.page.getByTestId('over-left').waitFor();
    await until('server knows', () => !v.world().state.people.some((p) => p.id === 'p_you'));
    assert.equal(await v.page.locator('audio').count(), 0);
    await v.done();
  }),
  test('a bad link says so and does not try again', async (bench) => {
    const v = await visit(bench, { path: '/c/c_demo#bad-link' });
    await v.page.getByTestId('over-auth').waitFor();
    await v.done();
  }),
];

const keyboard: Test[] = [
  test('Ctrl K finds an action by a few letters, Enter runs it, focus comes back', async (bench) => {
    const v = await visit(bench);
    await v.page.keyboard.press('Control+k');
    await v.page.getByTestId('palette-input').fill('lever');
    await v.page.keyboard.press('Enter');
    await until('hand up', () => v.world().state.hands.length === 1);
    assert.equal(await v.page.getByTestId('palette').count(), 0);
    assert.equal(await v.page.evaluate('document.activeElement.dataset.testid'), 'bar-mic');
    await v.done();
  }),
  test('holding Space opens the microphone only while held', async (bench) => {
    const v = await visit(bench);
    await v.page.evaluate('document.activeElement.blur()');
    await v.page.keyboard.down('Space');
    await until('open', () => micOf(v) === 'on');
    await v.page.keyboard.up('Space');
    await until('closed', () => micOf(v) === 'off');
    await v.done();
  }),
  test('every action of the bar is reached and run by keyboard', async (bench) => {
    const v = await visit(bench);
    const reached: string[] = [];
    for (let i = 0; i < 7; i++) {
      reached.push(await v.page.evaluate('document.activeElement.dataset.testid ?? ""') as string);
      await v.page.keyboard.press('Tab');
    }
    assert.deepEqual(reached, ['bar-mic', 'bar-camera', 'bar-share', 'bar-hand', 'bar-panel-people', 'bar-panel-chat', 'bar-leave']);
    await v.page.getByTestId('bar-panel-people').focus();
    await v.page.keyboard.press('Enter');
    await v.page.getByTestId('panel').waitFor();
    await v.page.keyboard.press('Escape');
    assert.equal(await v.page.evaluate('document.activeElement.dataset.testid'), 'bar-panel-people');
    await v.done();
  }),
  test('arrivals are told to a screen reader in one phrase', async (bench) => {
    const v = await visit(bench);
    for (let i = 0; i < 5; i++) {
      v.world().emit([{ e: 'person.joined', person: { id: `p_n${i}`, name: `N ${i}`, role: 'participant', joined: 9000 + i, away: false, devices: [] } }]);
    }
    await v.page.locator('[aria-live=polite]').getByText('5 personnes sont arrivées').waitFor({ state: 'attached' });
    await v.done();
  }),
  test('language changes at once and is kept', async (bench) => {
    const v = await visit(bench, { path: '/' });
    await v.page.getByTestId('lang-en').click();
    await v.page.getByText('Open the class').waitFor();
    await v.page.reload();
    await v.page.getByText('Open the class').waitFor();
    assert.equal(await v.page.evaluate('document.documentElement.lang'), 'en');
    await v.done();
  }),
  test('very large text at 360 px: nothing scrolls sideways, every action stays', async (bench) => {
    const v = await visit(bench, { width: 360, height: 740, prefs: { text: 'xl' } });
    assert.equal(await v.page.evaluate('document.documentElement.scrollWidth'), 360);
    for (const id of ['bar-mic', 'bar-camera', 'bar-share', 'bar-hand', 'bar-panel-people', 'bar-panel-chat', 'bar-leave']) {
      const box = await v.page.getByTestId(id).boundingBox();
      assert.ok(box && box.x >= 0 && box.x + box.width <= 360 && box.height >= 44 && box.width >= 44, `${id} ${JSON.stringify(box)}`);
    }
    await v.done();
  }),
];

export const behaviourTests: Test[] = [...joining, ...media, ...staying, ...keyboard, ...pictureTests, ...standingTests];
