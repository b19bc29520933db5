// Pages by address. `staff` pages need a session; parts of the address go to the page in order.
import type { Component } from 'svelte';
import After from './pages/After.svelte';
import Account from './pages/Account.svelte';
import Accounts from './pages/Accounts.svelte';
import Audit from './pages/Audit.svelte';
import Check from './pages/Check.svelte';
import ClassHome from './pages/ClassHome.svelte';
import Editor from './pages/Editor.svelte';
import Home from './pages/Home.svelte';
import Invitation from './pages/Invitation.svelte';
import ClassKept from './pages/ClassKept.svelte';
import Keep from './pages/Keep.svelte';
import Limits from './pages/Limits.svelte';
import Mails from './pages/Mails.svelte';
import Mine from './pages/Mine.svelte';
import Registration from './pages/Registration.svelte';
import SignIn from './pages/SignIn.svelte';
import Templates from './pages/Templates.svelte';
import Welcome from './pages/Welcome.svelte';
import type { Session } from './api.ts';

export interface PageProps { session: Session; parts: string[] }
export interface Page { path: RegExp; view: Component<PageProps> | Component<Record<string, never>>; staff: boolean; admin?: boolean }

const CLASS = '(c_[a-z2-7]{26})';

export const PAGES: readonly Page[] = [
  { path: /^\/signin$/, view: SignIn, staff: false },
  { path: /^\/welcome$/, view: Welcome, staff: false },
  { path: /^\/my$/, view: Mine, staff: false },
  { path: new RegExp(`^/r/${CLASS}$`), view: Registration, staff: false },
  { path: new RegExp(`^/i/${CLASS}$`), view: Invitation, staff: false },
  { path: new RegExp(`^/check/${CLASS}$`), view: Check, staff: false },
  { path: new RegExp(`^/after/${CLASS}$`), view: After, staff: false },
  { path: /^\/home$/, view: Home, staff: true },
  { path: /^\/home\/me$/, view: Account, staff: true },
  { path: /^\/home\/new$/, view: Editor, staff: true },
  { path: new RegExp(`^/home/class/${CLASS}$`), view: ClassHome, staff: true },
  { path: new RegExp(`^/home/class/${CLASS}/edit$`), view: Editor, staff: true },
  { path: new RegExp(`^/home/class/${CLASS}/kept$`), view: ClassKept, staff: true },
  { path: /^\/home\/accounts$/, view: Accounts, staff: true, admin: true },
  { path: /^\/home\/mails$/, view: Mails, staff: true, admin: true },
  { path: /^\/home\/limits$/, view: Limits, staff: true, admin: true },
  { path: /^\/home\/templates$/, view: Templates, staff: true, admin: true },
  { path: /^\/home\/kept$/, view: Keep, staff: true, admin: true },
  { path: /^\/home\/audit$/, view: Audit, staff: true, admin: true },
];
