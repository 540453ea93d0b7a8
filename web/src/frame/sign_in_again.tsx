import { session } from '../data/session';
import { Dialog } from '../kit/dialog';
import { SignInForm } from '../screens/sign_in_form';
import { t } from '../text';

/** Over the page when the session has ended: what was typed below stays, and the last request is sent afterwards. */
export function SignInAgain() {
  const before = session.value?.account ?? '';
  return (
    <Dialog title={t.session.over}>
      <div class="stack">
        <p>{t.session.overDetail}</p>
        <SignInForm email={before} onlyFor={before} />
      </div>
    </Dialog>
  );
}
