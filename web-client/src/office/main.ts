// Entry point of the pages around the hour: which page an address stands for.
import { mount } from 'svelte';
import '../ui/tokens.css';
import '../ui/base.css';
import '../ui/over.css';
import './office.css';
import Office from './Office.svelte';

const target = document.getElementById('app');
if (target) mount(Office, { target, props: { path: location.pathname } });
// Another link pasted over this one is another visit.
addEventListener('hashchange', () => location.reload());
