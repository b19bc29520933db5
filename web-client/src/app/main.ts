// Entry point: reads the address, starts the room, mounts the page.
import { mount } from 'svelte';
import '../ui/tokens.css';
import '../ui/base.css';
import '../ui/over.css';
import App from './App.svelte';
import { exposeHook } from './hook.ts';
import { Room } from './room.svelte.ts';
import { loadResume } from './storage.ts';

const classId = /^\/c\/([A-Za-z0-9_-]+)/.exec(location.pathname)?.[1];
const link = location.hash.slice(1);
const capable = typeof RTCPeerConnection === 'function' && typeof WebSocket === 'function';

function start(): Room | undefined {
  if (classId === undefined || !capable || (link === '' && loadResume(classId) === '')) return undefined;
  const room = new Room(classId, link);
  room.start();
  exposeHook(room);
  return room;
}

const room = start();
const blocked = classId === undefined || room ? undefined : capable ? 'auth' : 'nowebrtc';
const target = document.getElementById('app');
if (target) mount(App, { target, props: { room, blocked } });
// Another link pasted over this one is another visit.
addEventListener('hashchange', () => location.reload());
