// The console starts here.
import './styles/tokens.css';
import './styles/base.css';
import './styles/kit.css';
import './styles/frame.css';
import { startClock } from './data/clock';
import { watchConnection } from './data/connection';
import { App } from './frame/app';
import { startRouter } from './frame/router';
import { setLanguage } from './text';
import { render } from 'preact';

void setLanguage(navigator.languages).then(() => {
  startRouter();
  startClock();
  watchConnection();
  render(<App />, document.getElementById('app')!);
});
