// The screens of the console: each loads when it is opened first.
import type { ComponentType } from 'preact';
import type { IconName } from '../kit/icon';
import { t } from '../text';

export interface Screen {
  path: string;
  title: () => string;
  load: () => Promise<{ default: ComponentType }>;
  /** Where it stands in the navigation; absent: not there. */
  group?: () => string;
  icon?: IconName;
  /** Behind "g" on the keyboard. */
  letter?: string;
  /** Without the frame, and for people who are not signed in. */
  isDoor?: boolean;
}

export const screens: readonly Screen[] = [
  { path: '/', title: () => t.connect.title, group: () => t.groups.connect, icon: 'connect', letter: 'n',
    load: () => import('../screens/connect') },
  { path: '/account', title: () => t.account.title, group: () => t.groups.you, icon: 'account', letter: 'a',
    load: () => import('../screens/account') },
  { path: '/sign-in', title: () => t.session.signInTitle, isDoor: true, load: () => import('../screens/sign_in') },
  { path: '/setup', title: () => t.setup.title, isDoor: true, load: () => import('../screens/setup') },
  { path: '/kit', title: () => t.kit.title, isDoor: true, load: () => import('../screens/kit') },
];

export const screenAt = (path: string): Screen | undefined => screens.find((one) => one.path === path);
